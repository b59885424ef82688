import { expect, test } from "vitest";
import type { FakeSocket } from "../support/fake-socket.ts";
import { FanOutScene as Scene } from "../support/fan-out-scene.ts";
import { note } from "../support/note.ts";
import { chooseSeed, SeededRandom } from "../support/seeded-random.ts";

const ROUNDS = 200;

test("[I5] nobody is sent more than its credit allows, nor less, whoever comes, goes and acknowledges", () => {
  const first = chooseSeed();
  note(`seeds ${first} to ${first + ROUNDS - 1}`);
  for (let seed = first; seed < first + ROUNDS; seed += 1) {
    const random = new SeededRandom(seed);
    const scene = new Scene();
    const members: ReturnType<Scene["join"]>[] = [];
    const gone: { readonly socket: FakeSocket; readonly sent: number }[] = [];
    /** Bytes of each entry; a flush has one. */
    const sizes: number[] = [];
    for (let step = 0; step < 120; step += 1) {
      const one = members[random.between(0, members.length - 1)];
      const chance = random.next();
      if (chance < 0.1) {
        members.push(
          scene.join({ messages: random.between(1, 20), bytes: random.between(50, 2_000) }),
        );
      } else if (chance < 0.13 && one !== undefined) {
        members.splice(members.indexOf(one), 1);
        scene.fanOut.remove(one.connection);
        gone.push({ socket: one.socket, sent: one.socket.sent.length });
      } else if (chance < 0.45 && one !== undefined) {
        scene.fanOut.acknowledge(one.connection, random.between(0, scene.tail));
      } else {
        const before = scene.tail;
        const expected = members.map(({ socket, connection: { phase, acked, credit } }) => {
          const outstanding = sizes.slice(acked).reduce((sum, bytes) => sum + bytes, 0);
          const may = before - acked < credit.messages && outstanding < credit.bytes;
          return socket.sent.length + (phase.kind === "live" && may ? 1 : 0);
        });
        sizes.push(random.between(10, 200));
        scene.flush(1, sizes.at(-1));
        const sent = members.map(({ socket }) => socket.sent.length);
        expect(sent, `SEED=${seed}, step ${step}`).toEqual(expected);
      }
    }
    for (const { socket, sent } of gone) expect(socket.sent, `SEED=${seed}`).toHaveLength(sent);
  }
});
