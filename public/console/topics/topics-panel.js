/** Owns the Topics: what three kinds of them look like. Refuses to know how events travel. */
import { html } from "../html.js";
import { Job } from "./job.js";
import { LiveTopic } from "./live-topic.js";
import { Prices } from "./prices.js";

export function TopicsPanel() {
  return html`<div class="topics scroller" tabindex="0" role="region" aria-label="Topics">
    <${Prices} />
    <div class="pair">
      <${LiveTopic} />
      <${Job} />
    </div>
  </div>`;
}
