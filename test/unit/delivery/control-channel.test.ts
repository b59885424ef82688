import { expect, test } from "vitest";
import { acceptConnection, type Connection } from "../../../durable-objects/delivery/connection.ts";
import { ControlChannel } from "../../../durable-objects/delivery/control-channel.ts";
import { CONTROL_LIMIT_BYTES, CONTROL_WINDOW_BYTES } from "../../../src/protocol/limits.ts";
import { FakeSocket } from "../../support/fake-socket.ts";
import { OPEN_PERMIT } from "../../../src/protocol/permit.ts";

function setUp(): {
  socket: FakeSocket;
  connection: Connection;
  control: ControlChannel;
  dropped: Connection[];
  caughtUp: readonly string[];
} {
  const socket = new FakeSocket();
  const facts = { id: "c1", door: "member", joinedAt: 0, permit: OPEN_PERMIT } as const;
  const dropped: Connection[] = [];
  const caughtUp: string[] = [];
  const control = new ControlChannel({
    drop: (connection) => dropped.push(connection),
    catchUp: ({ id }) => {
      caughtUp.push(`${id} after ${socket.sent.length}`);
    },
  });
  return { socket, connection: acceptConnection(socket, facts), control, dropped, caughtUp };
}

const HALF = new Uint8Array(CONTROL_WINDOW_BYTES / 2);

test("[I5] what may be left out is left out beyond the window, until the client acknowledges", () => {
  const { socket, connection, control, dropped } = setUp();
  expect([1, 2, 3].map(() => control.offer(connection, HALF))).toEqual([true, true, false]);
  expect(socket.sent).toHaveLength(2);
  connection.controlBytes = 0;
  expect(control.offer(connection, HALF)).toBe(true);
  expect(dropped).toEqual([]);
});

test("[I5][B3] who takes nothing of what has to be sent is dropped at the limit", () => {
  const { socket, connection, control, dropped } = setUp();
  const frames = CONTROL_LIMIT_BYTES / HALF.length;
  for (let n = 0; n < frames; n += 1) control.send(connection, HALF);
  expect(dropped).toEqual([]);
  control.send(connection, new Uint8Array(1));
  expect(dropped).toEqual([connection]);
  expect(socket.sent).toHaveLength(frames + 1);
});

test("[I3] whoever is sent something has been sent what was on its way before", () => {
  const { connection, control, caughtUp } = setUp();
  control.send(connection, HALF);
  control.offer(connection, HALF);
  expect(caughtUp).toEqual(["c1 after 0", "c1 after 1"]);
});

test("[W4] whoever was ended by what was on its way is sent nothing more", () => {
  const { socket, connection } = setUp();
  const control = new ControlChannel({
    drop: () => undefined,
    catchUp: (one) => {
      one.phase = { kind: "ended" };
    },
  });
  expect(control.offer(connection, HALF)).toBe(false);
  control.send(connection, HALF);
  expect([socket.sent.length, connection.controlBytes]).toEqual([0, 0]);
});

test("[W4] a socket that has ended throws at nobody", () => {
  const { socket, connection, control } = setUp();
  socket.close(1000, "");
  control.send(connection, HALF);
  control.offer(connection, HALF);
  expect(socket.sent).toEqual([]);
});
