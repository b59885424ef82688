import { expect, it } from "vitest";
import { Spare } from "../../../src/routes/generation-spare.ts";

it("[P2][L4] one object waits at a time, and one answer has it", async () => {
  const spare = new Spare();
  const woken: string[] = [];
  const wake = async (name: string): Promise<void> => {
    woken.push(name);
  };
  expect(spare.take()).toBeUndefined();
  await spare.keep("a", wake);
  await spare.keep("b", wake);
  expect(woken).toEqual(["a"]);
  expect(spare.take()).toBe("a");
  expect(spare.take()).toBeUndefined();
  await spare.keep("c", wake);
  expect(spare.take()).toBe("c");
});

it("[L4] an object that does not wake is as good as a new one", async () => {
  const spare = new Spare();
  await expect(spare.keep("a", () => Promise.reject(new Error("overloaded")))).rejects.toThrow();
  expect(spare.take()).toBe("a");
});

it("[P2][L4] an object whose answer was refused waits for the next one, and never two of them", async () => {
  const spare = new Spare();
  const woken: string[] = [];
  const wake = async (name: string): Promise<void> => {
    woken.push(name);
  };
  await spare.keep("a", wake);
  spare.putBack(spare.take() ?? "");
  await spare.keep("b", wake);
  expect([spare.take(), woken]).toEqual(["a", ["a"]]);
  await spare.keep("c", wake);
  spare.putBack("a");
  expect([spare.take(), spare.take()]).toEqual(["c", undefined]);
});
