/** Owns where the notes stand, in words. Refuses to know how they get there. */

/**
 * @param {import("sluice/yjs").DocumentState} state
 * @returns {{ readonly tone: "" | "busy" | "lost" | "alarm", readonly words: string }}
 */
export function describe(state) {
  switch (state.kind) {
    case "loading":
      return { tone: "", words: "Loading…" };
    case "saving":
      return { tone: "", words: "Saving…" };
    case "synced":
      return { tone: "", words: "Saved" };
    case "offline":
      return { tone: "lost", words: "Offline: saved when the network is back" };
    case "unsaved":
      return { tone: "alarm", words: `Not saved: ${state.message}` };
    case "closed":
      return { tone: "alarm", words: `Read only: ${state.message}` };
  }
}
