/**
 * Owns the one error that this client throws and rejects with. Refuses to know the server's table of
 * codes, so that newer ones pass through.
 */

/**
 * Something that did not go as asked. `code` is one of the server's codes, or one of the client's own:
 * `network` (no answer), `silent` (nothing heard in time), `bad_answer` (not what this protocol says), `bad_request` (not to be sent: its `cause` says why),
 * `token` (the application's token function failed), `no_websocket` (the runtime has none), `outbox_full`, `closed`, `left`, `ended`,
 * and, of connections only, `tab_closed`, `tab_hidden`, `tab_awake` (another tab has or had the connection), `page_left` (the page
 * was left or frozen), `bad_transport` (one of the application's own threw).
 */
export class ClientError extends Error {
  override readonly name = "ClientError";
  /** Stable, to switch on. */
  readonly code: string;
  /** The status of the HTTP answer, where it was one. */
  readonly status: number | undefined;

  constructor(
    code: string,
    message: string,
    details: { readonly status?: number | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, details);
    this.code = code;
    this.status = details.status;
  }
}
