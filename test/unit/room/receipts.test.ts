import { expect, test } from "vitest";
import { acceptConnection, type Connection } from "../../../durable-objects/delivery/connection.ts";
import { ControlChannel } from "../../../durable-objects/delivery/control-channel.ts";
import { Receipts } from "../../../durable-objects/room/receipts.ts";
import { FakeSocket } from "../../support/fake-socket.ts";
import { OPEN_PERMIT } from "../../../src/protocol/permit.ts";

function member(): { socket: FakeSocket; connection: Connection } {
  const socket = new FakeSocket();
  const facts = { id: "c1", door: "member", joinedAt: 0, permit: OPEN_PERMIT } as const;
  return { socket, connection: acceptConnection(socket, facts) };
}

test("[P32] each sender is told of its own messages, all in one frame, once", () => {
  const receipts = new Receipts(
    new ControlChannel({ drop: () => undefined, catchUp: () => undefined }),
  );
  const [ann, bob] = [member(), member()];
  receipts.add(ann.connection, { id: "a1", seq: 1 });
  receipts.add(bob.connection, { id: "b1", seq: 2 });
  receipts.add(ann.connection, { id: "a2", seq: 3 });
  expect(ann.socket.frames).toEqual([]);
  receipts.flush();
  receipts.flush();
  const published = [
    { id: "a1", seq: 1 },
    { id: "a2", seq: 3 },
  ];
  expect(ann.socket.frames).toEqual([{ kind: "published", published }]);
  expect(bob.socket.frames).toEqual([{ kind: "published", published: [{ id: "b1", seq: 2 }] }]);
});

test("[W4][I7] who is gone is told nothing, and takes nobody's receipt along", () => {
  const receipts = new Receipts(
    new ControlChannel({ drop: () => undefined, catchUp: () => undefined }),
  );
  const [ann, bob, cem] = [member(), member(), member()];
  for (const { connection } of [ann, bob, cem]) receipts.add(connection, { id: "x", seq: 1 });
  receipts.forget(ann.connection);
  bob.socket.close(1000, "");
  receipts.flush();
  expect([ann, bob, cem].map(({ socket }) => socket.frames.length)).toEqual([0, 0, 1]);
});
