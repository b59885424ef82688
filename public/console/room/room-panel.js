/** Owns the Room: which one, and under what name. Refuses to know how a visit goes. */
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { readForm } from "../form.js";
import { html } from "../html.js";
import { tokenCount } from "../token.js";
import { StateChip } from "../wire/state-chip.js";
import { Board } from "./board.js";
import { Messages } from "./messages.js";
import { keepOwnName, ownName } from "./names.js";
import { Notes } from "./notes/notes.js";
import { People } from "./people.js";
import { Visit } from "./visit.js";

const KEY = "sluice.room";

/** Where this tab is; undefined after it has left. @type {import("@preact/signals").Signal<{ room: string, member: string } | undefined>} */
const visited = signal({ room: sessionStorage.getItem(KEY) ?? "lobby", member: ownName() });

export function RoomPanel() {
  const where = visited.value;
  const [visit, setVisit] = useState(/** @type {Visit | undefined} */ (undefined));
  useEffect(() => {
    if (where === undefined) return;
    const begun = new Visit(where.room, where.member);
    setVisit(begun);
    return () => {
      begun.leave();
      setVisit(undefined);
    };
  }, [where, tokenCount.value]);
  return html`<div class="room">
    <div class="panel-head">
      <h2>Room</h2>
      ${visit && html`<${StateChip} state=${visit.state.value} />`}
      <${Door} where=${where} />
    </div>
    ${
      visit === undefined
        ? html`<p class="nothing">You are not in a room.</p>`
        : html`<div class="room-body">
            <div class="room-side">
              <${Board} visit=${visit} />
              <${Notes} visit=${visit} />
              <${People} visit=${visit} />
            </div>
            <${Messages} visit=${visit} />
          </div>`
    }
  </div>`;
}

/** @param {{ where: { room: string, member: string } | undefined }} props */
function Door({ where }) {
  /** @param {Event} event */
  const enter = (event) => {
    const { field } = readForm(event);
    const room = field("room");
    const member = field("member");
    if (room === "" || member === "") return;
    sessionStorage.setItem(KEY, room);
    keepOwnName(member);
    visited.value = { room, member };
  };
  const known = where ?? { room: sessionStorage.getItem(KEY) ?? "lobby", member: ownName() };
  return html`<form class="inline door" onSubmit=${enter}>
    <span class="field">
      <label for="room-name">Room</label>
      <input id="room-name" name="room" value=${known.room} autocomplete="off" />
    </span>
    <span class="field">
      <label for="member-name">You</label>
      <input id="member-name" name="member" value=${known.member} autocomplete="off" />
    </span>
    <button type="submit" class="small">${where === undefined ? "Join" : "Change"}</button>
    ${
      where &&
      html`<button type="button" class="small" onClick=${() => (visited.value = undefined)}>
        Leave
      </button>`
    }
  </form>`;
}
