import { expect, it } from "vitest";
import { Starts } from "../../../durable-objects/generation/starts.ts";

it("[L4] a viewer who is there first hears when his attempt has come to something, once", () => {
  const starts = new Starts();
  const heard: string[] = [];
  starts.wait("a", () => heard.push("a"));
  starts.wait("b", () => heard.push("b"));
  expect(starts.isOver("a")).toBe(false);
  starts.end("a");
  starts.end("a");
  expect(heard).toEqual(["a"]);
  expect([starts.isOver("a"), starts.isOver("b")]).toEqual([true, false]);
});

it("[L4] who comes after the end can see that there is nothing to wait for", () => {
  const starts = new Starts();
  expect(starts.isOver("a")).toBe(false);
  starts.end("a");
  expect(starts.isOver("a")).toBe(true);
});

it("[L4][I7] attempts that never come to anything are let go of, the oldest first", () => {
  const starts = new Starts();
  const heard: number[] = [];
  for (let i = 0; i < 70; i += 1) starts.wait(String(i), () => heard.push(i));
  expect(heard).toEqual([0, 1, 2, 3, 4, 5]);
  starts.end("69");
  expect(heard.at(-1)).toBe(69);
});
