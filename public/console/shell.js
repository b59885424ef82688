/**
 * Owns what surrounds the panels: the header, the tabs and where the panels stand. On a wide screen the
 * wire is always beside the panel that is chosen; on a narrow one it is a tab like the others. Refuses
 * to know what the panels do.
 */
import { signal } from "@preact/signals";
import { ChatPanel } from "./chat/chat-panel.js";
import { Header } from "./header.js";
import { html } from "./html.js";
import { PANELS, goTo, place } from "./place.js";
import { RoomPanel } from "./room/room-panel.js";
import { announcement } from "./say.js";
import { TopicsPanel } from "./topics/topics-panel.js";
import { WirePanel } from "./wire/wire-panel.js";

const LABELS = { chat: "Chat", topics: "Topics", room: "Room", wire: "Wire" };
const CONTENTS = { chat: ChatPanel, topics: TopicsPanel, room: RoomPanel, wire: WirePanel };

/** From here on the wire has room beside the others; the style sheet says the same. */
const WIDE = matchMedia("(min-width: 70rem)");
const isWide = signal(WIDE.matches);
WIDE.addEventListener("change", () => {
  isWide.value = WIDE.matches;
});

/** Panels that were looked at: what is never opened connects to nothing. @type {Set<string>} */
const opened = new Set();

export function Shell() {
  const wide = isWide.value;
  const tabs = wide ? PANELS.filter((panel) => panel !== "wire") : PANELS;
  const current = wide && place.value.panel === "wire" ? "chat" : place.value.panel;
  opened.add(current);
  return html`<${Header}><${Tabs} tabs=${tabs} current=${current} /><//>
    <main class="panels">
      ${tabs.map(
        (panel) =>
          html`<section
            key=${panel}
            class=${`panel panel-${panel}`}
            id=${`panel-${panel}`}
            role="tabpanel"
            aria-labelledby=${`tab-${panel}`}
            hidden=${panel !== current}
          >
            ${opened.has(panel) && html`<${CONTENTS[panel]} isShown=${panel === current} />`}
          </section>`,
      )}
      ${
        wide &&
        html`<aside class="panel panel-wire" aria-label="Wire" key="aside">
          <${WirePanel} isShown=${true} />
        </aside>`
      }
    </main>
    <p class="unseen" role="status">${announcement.value}</p>`;
}

/** @param {{ tabs: readonly import("./place.js").Panel[], current: string }} props */
function Tabs({ tabs, current }) {
  /** Arrows move between tabs, as in any tab list. @param {KeyboardEvent} event */
  const move = (event) => {
    const at = tabs.findIndex((tab) => tab === current);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    const next = to === undefined ? undefined : tabs[(to + tabs.length) % tabs.length];
    if (next === undefined) return;
    event.preventDefault();
    goTo(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return html`<div class="tabs" role="tablist" aria-label="Panels" onKeyDown=${move}>
    ${tabs.map(
      (tab) =>
        html`<button
          key=${tab}
          type="button"
          role="tab"
          class="tab"
          id=${`tab-${tab}`}
          aria-controls=${`panel-${tab}`}
          aria-selected=${tab === current}
          tabindex=${tab === current ? 0 : -1}
          onClick=${() => goTo(tab)}
        >
          ${LABELS[tab]}
        </button>`,
    )}
  </div>`;
}
