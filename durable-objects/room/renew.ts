/**
 * Owns what a new token changes for a connection that is open: how long it stays, what it may do, what
 * it shows. Refuses to know how tokens are read.
 */
import { CLOSE } from "../../src/protocol/close-codes.ts";
import { SluiceError, toSluiceError } from "../../src/protocol/errors.ts";
import { fatalFrame } from "../../src/protocol/frame-error.ts";
import type { Permit } from "../../src/protocol/permit.ts";
import type { Audience } from "../delivery/audience.ts";
import type { Connection } from "../delivery/connection.ts";
import { mergeState, parseFields } from "./merge-state.ts";

/** What taking a new token needs. */
export interface Renewal {
  readonly audience: Audience;
  /**
   * What a token for this room means; undefined where there are none.
   *
   * @throws SluiceError why it does not count.
   */
  readonly readToken?: ((token: string) => Promise<Permit>) | undefined;
}

/** Takes a new token for a connection; false when it was refused, of which the connection was told. */
export async function refresh(
  connection: Connection,
  token: string,
  { audience, readToken }: Renewal,
): Promise<boolean> {
  try {
    if (readToken === undefined) throw new SluiceError("unauthorized");
    const permit = await readToken(token);
    if (connection.phase.kind === "ended") return false;
    renew(connection, permit, audience);
    return true;
  } catch (thrown) {
    audience.refuse(connection, toSluiceError(thrown));
    return false;
  }
}

/**
 * Puts a permit in the place of a connection's own, which is told.
 *
 * @throws SluiceError when it is somebody else's, or FrameError when it does not open this room any more.
 */
function renew(connection: Connection, permit: Permit, audience: Audience): void {
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
}
