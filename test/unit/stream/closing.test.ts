import { describe, expect, it } from "vitest";
import { closing, operate } from "../../../src/stream/closing.ts";
import { ManualSource } from "../../support/manual-source.ts";

describe("[I7] closing", () => {
  it("[I7] returns the source once when the scope ends normally", async () => {
    const source = new ManualSource<number>();
    source.end();
    {
      await using iterator = closing(source);
      await iterator.next();
    }
    expect(source.returned).toBe(1);
  });

  it("[I7] returns the source when the consumer throws", async () => {
    const source = new ManualSource<number>();
    source.push(1);
    const consume = async (): Promise<void> => {
      await using iterator = closing(source);
      await iterator.next();
      throw new Error("consumer");
    };
    await expect(consume()).rejects.toThrow("consumer");
    expect(source.returned).toBe(1);
  });

  it("[I7] returns the source when the source itself throws, which `for await` does not", async () => {
    const source = new ManualSource<number>();
    const consume = async (): Promise<void> => {
      await using iterator = closing(source);
      const pending = iterator.next();
      source.fail(new Error("source"));
      await pending;
    };
    await expect(consume()).rejects.toThrow("source");
    expect(source.returned).toBe(1);
  });

  it("[I7] returns the source once, however often it is disposed", async () => {
    const source = new ManualSource<number>();
    const iterator = closing(source);
    await iterator[Symbol.asyncDispose]();
    await iterator[Symbol.asyncDispose]();
    expect(source.returned).toBe(1);
  });
});

describe("[I7] operate", () => {
  const copy = (source: AsyncIterable<number>): AsyncIterableIterator<number> =>
    operate(source, async function* (input) {
      await using iterator = input;
      for (let item = await iterator.next(); item.done !== true; item = await iterator.next()) {
        yield item.value;
      }
    });

  it("[I7] returns the source when it is returned before it was ever started", async () => {
    const source = new ManualSource<number>();
    await copy(copy(source)).return?.();
    expect(source.returned).toBe(1);
    expect(source.pulls).toBe(0);
  });

  it("[I7] returns the source when the consumer breaks out early", async () => {
    const source = new ManualSource<number>();
    source.push(1);
    source.push(2);
    for await (const item of copy(source)) {
      expect(item).toBe(1);
      break;
    }
    expect(source.returned).toBe(1);
  });
});
