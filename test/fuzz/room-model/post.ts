/** Owns what is true about direct messages: each reaches its member once. Refuses to know the frames. */
import { deepStrictEqual, ok } from "node:assert/strict";
import type { Said } from "./truth.ts";

export class Post {
  /** Confirmed by the room since it last lost everything, with the receiver. */
  readonly #confirmed = new Map<string, string>();
  readonly #contents = new Map<string, Said>();
  /** Ids that any device of the receiver has seen. */
  readonly #arrived = new Set<string>();
  /** Ids that a device has seen since it last forgot everything. */
  readonly #seen = new Map<string, Set<string>>();

  confirm(said: Said, to: string): void {
    this.#confirmed.set(said.id, to);
    this.#compare(said);
  }

  receive({ name }: { readonly name: string }, said: Said): void {
    this.#compare(said);
    const seen = this.#seen.get(name) ?? new Set();
    this.#seen.set(name, seen);
    ok(!seen.has(said.id), `${name} got the direct message ${said.id} twice`);
    seen.add(said.id);
    this.#arrived.add(said.id);
  }

  /** A device forgot what it had. */
  forget(name: string): void {
    this.#seen.delete(name);
  }

  /** The storage is gone: what was promised about it no longer holds. */
  wipe(): void {
    this.#confirmed.clear();
    this.#arrived.clear();
    this.#seen.clear();
  }

  /** Everything confirmed for a member has arrived. */
  assertDelivered(member: string): void {
    for (const [id, to] of this.#confirmed) {
      ok(to !== member || this.#arrived.has(id), `${id} was confirmed and never reached ${to}`);
    }
  }

  #compare(said: Said): void {
    const known = this.#contents.get(said.id);
    if (known === undefined) this.#contents.set(said.id, said);
    else deepStrictEqual(said, known);
  }
}
