/**
 * Owns the top of the page: the name, the state of all connections in a word, the network's switch, the
 * token and the choice between light and dark.
 */
import { html } from "./html.js";
import { useEffect, useRef } from "preact/hooks";
import { switchTheme, theme } from "./theme.js";
import { isTokenWanted, renew, setToken, token } from "./token.js";
import { connections } from "./wire/connections.js";
import { cutNetwork, isNetworkOn, restoreNetwork } from "./wire/network.js";
import { describe } from "./wire/state-chip.js";

/** @param {{ children?: unknown }} props */
export function Header({ children }) {
  return html`<header class="top">
    <h1 class="brand"><img src="/icon.svg" alt="" width="32" height="32" /><span>Sluice</span></h1>
    ${children}
    <div class="tools">
      <${Overall} />
      <${NetworkSwitch} />
      <${Access} />
      <button
        type="button"
        class="icon-button"
        onClick=${switchTheme}
        aria-label=${theme.value === "dark" ? "Light colours" : "Dark colours"}
        title=${theme.value === "dark" ? "Light colours" : "Dark colours"}
      >
        <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
          <circle cx="12" cy="12" r="8" fill="none" stroke="currentColor" stroke-width="2" />
          <path d="M12 4a8 8 0 0 1 0 16z" fill="currentColor" />
        </svg>
      </button>
    </div>
  </header>`;
}

/** The worst of all connections, in a word. */
function Overall() {
  const tones = connections.value.map(({ state }) => describe(state.value).tone);
  const live = tones.filter((tone) => tone === "live").length;
  const [tone, words] = !isNetworkOn.value
    ? ["alarm", "Network cut"]
    : tones.includes("lost")
      ? ["lost", "Reconnecting"]
      : tones.includes("busy")
        ? ["busy", "Connecting"]
        : live > 0
          ? ["live", `${live} live`]
          : ["quiet", "Ready"];
  return html`<span class=${`chip overall ${tone}`}>
    <span class="dot" aria-hidden="true"></span>${words}
  </span>`;
}

function NetworkSwitch() {
  return html`<button
    type="button"
    role="switch"
    class="switch"
    aria-checked=${isNetworkOn.value}
    onClick=${isNetworkOn.value ? cutNetwork : restoreNetwork}
    title="Cut the network of this page, and see it recover"
  >
    <span class="track" aria-hidden="true"></span>Network
  </button>`;
}

function Access() {
  const details = useRef(/** @type {HTMLDetailsElement | null} */ (null));
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(
    () =>
      isTokenWanted.subscribe((wanted) => {
        if (!wanted || details.current === null) return;
        details.current.open = true;
        field.current?.focus();
        isTokenWanted.value = false;
      }),
    [],
  );
  /** @param {KeyboardEvent} event */
  const leave = (event) => {
    if (event.key !== "Escape" || details.current === null) return;
    details.current.open = false;
    details.current.querySelector("summary")?.focus();
  };
  return html`<details class="access" ref=${details} onKeyDown=${leave}>
    <summary class="icon-button" aria-label="Access token" title="Access token">
      <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
        <g fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round">
          <circle cx="8" cy="15" r="4" />
          <path d="m11 12 8-8m-3 3 3 3" />
        </g>
      </svg>
    </summary>
    <div class="popover">
      <label for="token">Bearer token, kept until this tab is closed</label>
      <input
        id="token"
        ref=${field}
        type="password"
        autocomplete="off"
        spellcheck=${false}
        value=${token}
        onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ { currentTarget }) =>
          setToken(currentTarget.value)}
        onChange=${renew}
      />
    </div>
  </details>`;
}
