import { expect, test } from "vitest";
import {
  acceptConnection,
  restoreConnection,
  saveConnection,
} from "../../../durable-objects/delivery/connection.ts";
import type { Raw } from "../../../src/protocol/frames.ts";
import {
  MAX_FIXED_PRESENCE_CHARS,
  MAX_PRESENCE_BYTES,
  MAX_SUBJECT_CHARS,
  MAX_TOKEN_ID_CHARS,
} from "../../../src/protocol/limits.ts";
import { CAPABILITIES } from "../../../src/protocol/capabilities.ts";
import { encodeValue } from "../../../src/protocol/value.ts";
import { FakeSocket, MAX_ATTACHMENT_BYTES } from "../../support/fake-socket.ts";
import { OPEN_PERMIT } from "../../../src/protocol/permit.ts";

const FACTS = { id: "c1", door: "member", joinedAt: 5, permit: OPEN_PERMIT } as const;

test("[I1] what must survive sleep comes back as it was", () => {
  const socket = new FakeSocket();
  const before = acceptConnection(socket, {
    ...FACTS,
    permit: { can: ["read"], subject: "ann", member: "ann", expiresAt: 9 },
  });
  expect(restoreConnection(socket)).toEqual(before);
  Object.assign(before, {
    member: "ann",
    phase: { kind: "lagging", cursor: 7, since: 9 },
    credit: { messages: 3, bytes: 4 },
    acked: 6,
    mailAcked: 1,
    mailSent: 2,
    presenceStale: true,
    state: encodeValue({ x: 1 }),
    shownAs: 8,
  });
  saveConnection(before);
  expect(restoreConnection(socket)).toEqual(before);
  before.phase = { kind: "live" };
  before.state = undefined;
  saveConnection(before);
  expect(restoreConnection(socket)).toEqual(before);
});

test("[I1][I5] a sleep makes one page of all that were sent, and forgets no byte", () => {
  const socket = new FakeSocket();
  const before = acceptConnection(socket, FACTS);
  before.pages = [
    { last: 4, bytes: 100, isSparse: true },
    { last: 9, bytes: 20, isSparse: false },
  ];
  before.base = { seq: 9, total: 5_000 };
  before.controlBytes = 1_000;
  saveConnection(before);
  expect(restoreConnection(socket)).toMatchObject({
    pages: [{ last: 9, bytes: 120, isSparse: true }],
    base: { seq: 9, total: 5_000 },
    controlBytes: 1_000,
  });
});

test("[I1] the largest connection fits into what the platform keeps", () => {
  const socket = new FakeSocket();
  const longest = "n".repeat(128);
  const largest = acceptConnection(socket, {
    id: crypto.randomUUID(),
    door: "member",
    joinedAt: Number.MAX_SAFE_INTEGER,
    permit: {
      can: CAPABILITIES,
      // Each such character takes six.
      subject: "€".repeat(MAX_SUBJECT_CHARS),
      tokenId: "t".repeat(MAX_TOKEN_ID_CHARS),
      issuedAt: Number.MAX_SAFE_INTEGER,
      expiresAt: Number.MAX_SAFE_INTEGER,
      member: longest,
      presence: `{"x":"${"y".repeat(MAX_FIXED_PRESENCE_CHARS - 8)}"}`,
    },
  });
  largest.member = longest;
  largest.phase = { kind: "lagging", cursor: 2 ** 53 - 1, since: 2 ** 53 - 1 };
  largest.credit = { messages: 2 ** 53 - 1, bytes: 2 ** 53 - 1 };
  largest.acked = 2 ** 53 - 1;
  largest.base = { seq: 2 ** 53 - 1, total: 2 ** 53 - 1 };
  largest.pages = [{ last: 2 ** 53 - 1, bytes: 2 ** 53 - 1, isSparse: true }];
  largest.mailAcked = 2 ** 53 - 1;
  largest.mailSent = 2 ** 53 - 1;
  largest.shownAs = 2 ** 53 - 1;
  // Not a view of a larger frame, which would be cloned as a whole.
  largest.state = new Uint8Array(MAX_PRESENCE_BYTES) as Raw;
  saveConnection(largest);
  expect(socket.attachmentBytes).toBeLessThan(MAX_ATTACHMENT_BYTES / 2);
  expect(restoreConnection(socket)).toEqual(largest);
});

test("[I1][W4] what is not ours is no connection", () => {
  const valid = new FakeSocket();
  acceptConnection(valid, FACTS);
  const parts = valid.deserializeAttachment() as readonly unknown[];
  const garbage: unknown[] = [
    undefined,
    null,
    0,
    "",
    "live",
    [],
    {},
    [1, ...parts.slice(1)],
    parts.slice(0, -1),
    parts.with(2, "admin"),
    parts.with(6, "dancing"),
    // A permit that says nothing, too much, or is none.
    parts.with(4, ""),
    parts.with(4, '{"can":["everything"]}'),
    parts.with(4, '{"can":["read"],"admin":true}'),
    parts.with(4, "{can}"),
    parts.with(9, [1]),
    ...parts.map((_, index) => parts.with(index, { strange: true })),
  ];
  for (const value of garbage) {
    const socket = new FakeSocket();
    socket.serializeAttachment(value);
    expect(restoreConnection(socket)).toBeUndefined();
  }
});
