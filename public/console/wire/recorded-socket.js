/**
 * Owns a `WebSocket` that records its frames and can be cut off. To whoever uses it, it is the
 * browser's own. Refuses to know what the frames are for.
 */
import { readFrame } from "./read-frame.js";
import { isNetworkOn, onCut } from "./network.js";
import { note, record } from "./records.js";

/** What a browser reports when a connection breaks without a word. */
const BROKEN = 1006;

export class RecordedSocket extends EventTarget {
  static CONNECTING = 0;
  static OPEN = 1;
  static CLOSING = 2;
  static CLOSED = 3;

  /** @type {((event: any) => void) | null} */
  onopen = null;
  /** @type {((event: any) => void) | null} */
  onmessage = null;
  /** @type {((event: any) => void) | null} */
  onerror = null;
  /** @type {((event: any) => void) | null} */
  onclose = null;

  #inner;
  #channel;
  #isCut = false;

  /**
   * @param {string} url
   * @param {string[]} protocols
   */
  constructor(url, protocols) {
    super();
    this.#channel = `WS ${new URL(url).pathname}`;
    note(this.#channel, "connecting", protocols[0] ?? "");
    const isAllowed = isNetworkOn.value;
    // Where nothing gets through, an address of this page that nobody serves is not even asked.
    this.#inner = isAllowed ? new WebSocket(url, protocols) : undefined;
    if (this.#inner === undefined) {
      queueMicrotask(() => this.#break());
      return;
    }
    this.#inner.binaryType = "arraybuffer";
    const release = onCut(() => this.#break());
    this.#inner.addEventListener("open", () => {
      note(this.#channel, "open", `Speaks ${this.protocol}.`);
      this.#tell(new Event("open"));
    });
    this.#inner.addEventListener("message", ({ data }) => {
      if (this.#isCut) return;
      record({ direction: "in", channel: this.#channel, ...readFrame(data) });
      this.#tell(new MessageEvent("message", { data }));
    });
    this.#inner.addEventListener("error", () => this.#tell(new Event("error")));
    this.#inner.addEventListener("close", ({ code, reason, wasClean }) => {
      release();
      if (this.#isCut) return;
      note(this.#channel, `close ${code}`, reason || "The connection is closed.");
      this.#tell(new CloseEvent("close", { code, reason, wasClean }));
    });
  }

  /** The same, as the type that it stands in for. */
  static get asWebSocket() {
    return /** @type {new (url: string, protocols: string[]) => WebSocket} */ (
      /** @type {unknown} */ (RecordedSocket)
    );
  }

  get readyState() {
    return this.#isCut ? RecordedSocket.CLOSED : (this.#inner?.readyState ?? 0);
  }

  get protocol() {
    return this.#inner?.protocol ?? "";
  }

  get url() {
    return this.#inner?.url ?? "";
  }

  get extensions() {
    return this.#inner?.extensions ?? "";
  }

  get bufferedAmount() {
    return this.#inner?.bufferedAmount ?? 0;
  }

  get binaryType() {
    return "arraybuffer";
  }

  /** Frames here are always array buffers. */
  set binaryType(_type) {}

  /** @param {string | ArrayBuffer | Uint8Array<ArrayBuffer>} data */
  send(data) {
    if (this.#isCut) return;
    record({ direction: "out", channel: this.#channel, ...readFrame(data) });
    this.#inner?.send(data);
  }

  /**
   * @param {number} [code]
   * @param {string} [reason]
   */
  close(code, reason) {
    this.#inner?.close(code, reason);
  }

  /** To this side the connection is gone at once; the other side may still learn of it. */
  #break() {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#inner?.close();
    note(this.#channel, `close ${BROKEN}`, "The network is cut.");
    this.#tell(new Event("error"));
    this.#tell(new CloseEvent("close", { code: BROKEN, wasClean: false }));
  }

  /** @param {Event} event */
  #tell(event) {
    const handler = {
      open: this.onopen,
      message: this.onmessage,
      error: this.onerror,
      close: this.onclose,
    }[event.type];
    handler?.call(this, event);
    this.dispatchEvent(event);
  }
}
