/**
 * Owns what a new token changes for a connection that is open: how long it stays, what it may do, what
 * it shows. Refuses to know how tokens are read.
 */
import { CLOSE } from "../../src/protocol/close-codes.ts";
import { SluiceError } from "../../src/protocol/errors.ts";
import { fatalFrame } from "../../src/protocol/frame-error.ts";
import type { Permit } from "../../src/protocol/permit.ts";
import type { Audience } from "../delivery/audience.ts";
import type { Connection } from "../delivery/connection.ts";
import { mergeState, parseFields } from "./merge-state.ts";

/**
 * Puts a permit in the place of a connection's own, and says so.
 *
 * @throws SluiceError when it is somebody else's, or FrameError when it does not open this room any more.
 */
export function renew(connection: Connection, permit: Permit, audience: Audience): void {
  const former = connection.permit;
  if (permit.subject !== former.subject || permit.member !== connection.member) {
    throw new SluiceError("forbidden", { detail: "This token is another member's." });
  }
  if (!permit.can.includes("read")) {
    throw fatalFrame("forbidden", "The new token does not open this room.", CLOSE.notAllowed);
  }
  const fields = parseFields(permit.presence);
  connection.state = mergeState(connection.state, fields, parseFields(former.presence));
  audience.renew(connection, permit);
  audience.send(connection, { kind: "renewed", expiresIn: audience.expiresIn(connection) });
}
