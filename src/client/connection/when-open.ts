/** Owns waiting for a connection. Refuses to open it. */
import { ClientError } from "../errors.ts";
import type { ConnectionState, Observable } from "../state.ts";
import { isOpen } from "./machine.ts";

/** Resolves when the connection stands; rejects when it never will. */
export async function whenOpen(connection: Observable<ConnectionState>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const look = (): void => {
      const state = connection.get();
      if (state.kind === "closed") reject(new ClientError(state.because, state.message));
      else if (isOpen(state)) resolve();
      else return;
      stop();
    };
    const stop = connection.onChange(look);
    look();
  });
}
