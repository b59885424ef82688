/** Owns what is known of a message in the queue. Refuses to move it. */
import type { DirectFrame, PublishFrame, Raw } from "../../protocol/frames.ts";
import type { Context } from "../context.ts";
import type { ClientError } from "../errors.ts";
import type { Room, RoomReceipt } from "../room/types.ts";
import type { OutboxMessage } from "./types.ts";

/** What a message is to be. */
export interface Draft {
  readonly id: string;
  readonly to: string | undefined;
  readonly event: string;
  readonly payload: Raw;
}

/** A message in the queue. */
export interface Entry {
  readonly message: OutboxMessage;
  /** Whether it is on its way on the connection of now. */
  isSent: boolean;
  /** Who waits for it here; undefined for what another tab or a former page sends. */
  readonly settle:
    | {
        readonly resolve: (receipt: RoomReceipt) => void;
        readonly reject: (error: ClientError) => void;
      }
    | undefined;
}

/** What a queue needs of its room. */
export interface SenderParts {
  readonly context: Pick<Context, "clock" | "tokens">;
  /** Names the queue in storage. */
  readonly box: string;
  readonly room: Pick<Room, "member" | "join">;
  /** What messages go out by. */
  readonly line: { send(frame: PublishFrame | DirectFrame): void };
}
