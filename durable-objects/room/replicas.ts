/** Owns what a room asks of the replicas that follow its log, by the platform's names. Refuses to know what they do. */
import type { SluiceError } from "../../src/protocol/errors.ts";
import { systemClock } from "../../src/stream/clock.ts";
import type { Log } from "../log/log.ts";
import { unwrap } from "../platform/outcome.ts";
import type { Revoked } from "../platform/revocations.ts";
import { Followers } from "../replica/followers.ts";
import type { RoomReplicaObject } from "../room-replica.ts";

interface RoomReplicasOptions {
  readonly log: Log;
  readonly objects: DurableObjectNamespace<RoomReplicaObject>;
  /** Told that there is another time to look again. */
  readonly onPause: () => void;
  readonly report: (error: SluiceError) => void;
}

export class RoomReplicas {
  readonly followers: Followers;
  readonly #objects: DurableObjectNamespace<RoomReplicaObject>;

  constructor({ log, objects, onPause, report }: RoomReplicasOptions) {
    this.#objects = objects;
    this.followers = new Followers({
      log,
      clock: systemClock,
      random: () => Math.random(),
      push: async (name, push) => await objects.getByName(name).take(push),
      onPause,
      report,
    });
  }

  /** Figures of each that follows and answers. */
  async stats(): Promise<readonly Readonly<Record<string, number>>[]> {
    const asked = await Promise.allSettled(
      this.#all().map(async (replica) => {
        const { connections, live, lagging, outstandingBytes } = await replica.stats();
        return { connections, live, lagging, outstandingBytes };
      }),
    );
    return asked.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  }

  /**
   * Sends away whoever reads there with a token that counts no longer; resolves with how many they were.
   *
   * @throws what the platform throws when one cannot be asked: the caller has to try again.
   */
  async revoke(revoked: Revoked, lifetimeS: number): Promise<number> {
    const counts = await Promise.all(
      this.#all().map(async (replica) => unwrap(await replica.revoke(revoked, lifetimeS))),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  #all(): readonly DurableObjectStub<RoomReplicaObject>[] {
    return this.followers.names.map((name) => this.#objects.getByName(name));
  }
}
