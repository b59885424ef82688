import { expect, test } from "vitest";
import {
  addPage,
  endLive,
  merge,
  type Outstanding,
  outstandingBytes,
  restart,
  settle,
} from "../../../durable-objects/delivery/outstanding.ts";

/** A log of entries of ten bytes that forgot what they were. */
const forgotten = (): undefined => undefined;

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
  addPage(member, { seq: 10, total: 900 }, { bytes: 30, isSparse: false });
  endLive(member, { seq: 12, total: 1_000 });
  addPage(member, { seq: 20, total: 5_000 }, { bytes: 7, isSparse: false });
  expect(outstandingBytes(member, 5_050)).toBe(30 + 100 + 7 + 50);
});

test("[I5] an ack takes away what lies before it, and of a page in its middle a part", () => {
  const member = start(0, 0);
  addPage(member, { seq: 10, total: 100 }, { bytes: 100, isSparse: false });
  addPage(member, { seq: 20, total: 200 }, { bytes: 60, isSparse: false });
  settle(member, { seq: 5, total: 50 }, forgotten);
  expect(outstandingBytes(member, 200)).toBe(50 + 60);
  settle(member, { seq: 6, total: 60 }, forgotten);
  expect(outstandingBytes(member, 200)).toBe(40 + 60);
  settle(member, { seq: 10, total: 100 }, forgotten);
  expect(outstandingBytes(member, 200)).toBe(60);
  settle(member, { seq: 15, total: 150 }, forgotten);
  expect(outstandingBytes(member, 230)).toBe(30 + 30);
  settle(member, { seq: 21, total: 210 }, forgotten);
  expect(member.pages).toEqual([]);
  expect(outstandingBytes(member, 230)).toBe(20);
});

test("[I1][I5] in a sleep all pages become one, which later acks take away by parts", () => {
  const member = start(0, 0);
  addPage(member, { seq: 2, total: 20 }, { bytes: 20, isSparse: false });
  addPage(member, { seq: 10, total: 100 }, { bytes: 80, isSparse: false });
  member.pages = merge(member);
  expect(outstandingBytes(member, 130)).toBe(130);
  settle(member, { seq: 5, total: 50 }, forgotten);
  expect(outstandingBytes(member, 130)).toBe(50 + 30);
  settle(member, { seq: 10, total: 100 }, forgotten);
  expect(merge(member)).toEqual([]);
});

test("[I5] an ack inside a page leaves what the log knows to be left, and no more than was sent", () => {
  const member = start(0, 0);
  endLive(member, { seq: 10, total: 1_000 });
  addPage(member, { seq: 20, total: 1_100 }, { bytes: 100, isSparse: false });
  settle(member, { seq: 5, total: 500 }, () => 900);
  expect(outstandingBytes(member, 1_100)).toBe(900 + 100);
  settle(member, { seq: 8, total: 800 }, () => 950);
  expect(outstandingBytes(member, 1_100)).toBe(900 + 100);
});

test("[B3][I5] an ack inside a page of newest values leaves a part of what was sent", () => {
  const member = start(0, 0);
  addPage(member, { seq: 1_000, total: 90_000 }, { bytes: 100, isSparse: true });
  endLive(member, { seq: 1_010, total: 90_100 });
  member.pages = merge(member);
  settle(member, { seq: 505, total: 45_000 }, () => 45_000);
  expect(outstandingBytes(member, 90_100)).toBe(100);
});
