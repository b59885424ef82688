import { expect, test } from "vitest";
import {
  addPage,
  endLive,
  type Mark,
  merge,
  type Outstanding,
  outstandingBytes,
  restart,
  settle,
} from "../../../durable-objects/delivery/outstanding.ts";

/** A log of entries of ten bytes. */
const tenEach = (seq: number): Mark => ({ seq, total: 10 * seq });

function start(seq: number, total: number): Outstanding {
  const outstanding: Outstanding = { acked: 0, pages: [], base: { seq: 0, total: 0 } };
  restart(outstanding, { seq, total });
  return outstanding;
}

test("[I5] what is sent live counts by the log's total, also what was trimmed since", () => {
  const member = start(5, 500);
  expect(outstandingBytes(member, 500)).toBe(0);
  expect(outstandingBytes(member, 740)).toBe(240);
});

test("[I5] pages count by their own bytes, and stretches sent live between them by the log's", () => {
  const member = start(0, 0);
  addPage(member, { seq: 10, total: 900 }, 30);
  endLive(member, { seq: 12, total: 1_000 });
  addPage(member, { seq: 20, total: 5_000 }, 7);
  expect(outstandingBytes(member, 5_050)).toBe(30 + 100 + 7 + 50);
});

test("[I5] an ack takes away what lies before it, and of a page in its middle a part", () => {
  const member = start(0, 0);
  addPage(member, { seq: 10, total: 100 }, 100);
  addPage(member, { seq: 20, total: 200 }, 60);
  settle(member, 5, tenEach);
  expect(outstandingBytes(member, 200)).toBe(50 + 60);
  settle(member, 6, tenEach);
  expect(outstandingBytes(member, 200)).toBe(40 + 60);
  settle(member, 10, tenEach);
  expect(outstandingBytes(member, 200)).toBe(60);
  settle(member, 15, tenEach);
  expect(outstandingBytes(member, 230)).toBe(30 + 30);
  settle(member, 21, tenEach);
  expect(member.pages).toEqual([]);
  expect(outstandingBytes(member, 230)).toBe(20);
});

test("[I1][I5] in a sleep all pages become one, which later acks take away by parts", () => {
  const member = start(0, 0);
  addPage(member, { seq: 2, total: 20 }, 20);
  addPage(member, { seq: 10, total: 100 }, 80);
  member.pages = merge(member);
  expect(outstandingBytes(member, 130)).toBe(130);
  settle(member, 5, tenEach);
  expect(outstandingBytes(member, 130)).toBe(50 + 30);
  settle(member, 10, tenEach);
  expect(merge(member)).toEqual([]);
});

test("[I5] an ack inside a stretch that was sent live leaves what the log knows to be left", () => {
  const member = start(0, 0);
  endLive(member, { seq: 10, total: 1_000 });
  addPage(member, { seq: 20, total: 1_100 }, 100);
  settle(member, 9, (seq) => ({ seq, total: 100 }));
  expect(outstandingBytes(member, 1_100)).toBe(900 + 100);
});

test("[I4][I5] where the log forgot the sizes, an ack takes away in proportion", () => {
  const member = start(0, 0);
  endLive(member, { seq: 10, total: 1_000 });
  addPage(member, { seq: 20, total: 1_100 }, 100);
  member.pages = merge(member);
  settle(member, 5, (seq, floor) => ({ seq, total: floor.total + (1_100 - floor.total) / 4 }));
  expect(outstandingBytes(member, 1_100)).toBe(825);
});
