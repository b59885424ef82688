/** Owns an object's lines in the platform's log. Refuses to write what anybody else wrote (I9). */
import type { SluiceError } from "../../src/protocol/errors.ts";

/** What a line says that it is about. */
export type ObjectKind =
  | "room"
  | "room-replica"
  | "topic"
  | "generation"
  | "generation-index"
  | "job";

/** Writes unexpected errors of an object of this kind. */
export function reporterFor(object: ObjectKind): (error: SluiceError) => void {
  return ({ code, cause }) => {
    // oxlint-disable-next-line no-console -- the platform's log is the console
    console.log(
      JSON.stringify({
        level: "error",
        code,
        object,
        cause: cause instanceof Error ? cause.name : typeof cause,
      }),
    );
  };
}

/** Writes that an object wakes to a configuration that is refused, and why. */
export function reportRefused({ code, detail }: SluiceError, object: ObjectKind): void {
  // oxlint-disable-next-line no-console -- the platform's log is the console
  console.log(JSON.stringify({ level: "error", code, detail, object }));
}
