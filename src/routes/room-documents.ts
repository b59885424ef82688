/**
 * Owns the doors of a room's shared documents over HTTP: what is in one, a change that is too large for a message,
 * deleting. Refuses to know what a document says.
 */
import { Hono } from "hono";
import * as v from "valibot";
import { compact } from "../../durable-objects/document/compact.ts";
import { isUpdate, join } from "../../durable-objects/document/update.ts";
import { unwrap } from "../../durable-objects/platform/outcome.ts";
import { SluiceError } from "../protocol/errors.ts";
import { fromBase64, toBase64 } from "../protocol/json.ts";
import { isDocumentName } from "../protocol/documents.ts";
import { MAX_CHANGE_BYTES } from "../protocol/limits.ts";
import { formatPosition } from "../protocol/position.ts";
import type { AppContext, AppEnv } from "./app-env.ts";
import { formatWanted } from "./format-wanted.ts";
import { spendOn } from "./quota.ts";
import { parseBody, readBody } from "./read-json.ts";
import { bearingOf } from "./revocations.ts";
import { type RoomStub, roomOf, senderOf } from "./room-stub.ts";

const BINARY = "application/octet-stream";
const PATH = "/v1/rooms/:room/documents/:document";

const changeSchema = v.strictObject({ update: v.string() });

export function documentRoutes(): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get("/v1/rooms/:room/documents", async (c) => {
      const { name: room, stub } = roomOf(c, "history");
      const documents = unwrap(await stub.listDocuments(bearingOf(c)));
      return c.json({ room, documents }, 200, { "cache-control": "no-store" });
    })
    .get(PATH, async (c) => await read(c))
    .post(PATH, async (c) => await change(c))
    .delete(PATH, async (c) => {
      const { name, stub } = roomOf(c, "admin");
      const author = { sender: senderOf(c, name), id: c.var.deps.newId(), bearing: bearingOf(c) };
      if (unwrap(await stub.deleteDocument(nameIn(c), author))) return c.body(null, 204);
      throw new SluiceError("not_found", { detail: "There is no such document." });
    });
}

async function read(c: AppContext): Promise<Response> {
  const { name: room, stub } = roomOf(c, "history");
  const document = nameIn(c);
  const format = formatWanted(c, ["binary"]);
  const { version, parts, compaction } = unwrap(await stub.readDocument(document, bearingOf(c)));
  // To be asked for again each time, and answered shortly when nothing has changed.
  const headers = { etag: `W/"${version}"`, "cache-control": "private, no-cache", vary: "accept" };
  if (compaction !== undefined) {
    c.executionCtx.waitUntil(makeSmaller(c, stub, { document, upTo: compaction, parts }));
  }
  if (isKnown(c.req.header("if-none-match"), version)) return c.body(null, 304, headers);
  if (format === "json") {
    return c.json({ room, document, version, updates: parts.map(toBase64) }, 200, headers);
  }
  return c.body(join(parts).slice().buffer, 200, { ...headers, "content-type": BINARY });
}

/** Whether one of the versions that the client has is this one (RFC 9110 §13.1.2). */
function isKnown(header: string | undefined, version: string): boolean {
  const tags = (header ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes(`"${version}"`) || tags.includes("*");
}

/** What {@link makeSmaller} needs of what was read. */
interface Large {
  readonly document: string;
  readonly upTo: number;
  readonly parts: readonly Uint8Array[];
}

/** Here instead of in the object, because it takes as long as those who wrote have seen to. */
async function makeSmaller(
  c: AppContext,
  stub: RoomStub,
  { document, upTo, parts }: Large,
): Promise<void> {
  // After the answer has been given.
  await new Promise<void>((resolve) => {
    c.var.deps.clock.after(0, resolve);
  });
  // Of all that was said, also behind the mark: said twice, it is said once.
  const smaller = compact(parts);
  if (smaller !== undefined) await stub.compactDocument(document, upTo, smaller);
}

async function change(c: AppContext): Promise<Response> {
  const { name: room, stub } = roomOf(c, "publish");
  const document = nameIn(c);
  const update = await readUpdate(c);
  const author = { sender: senderOf(c, room), id: c.var.deps.newId(), bearing: bearingOf(c) };
  const position = await spendOn(c, { publishes: 1 }, async () =>
    unwrap(await stub.changeDocument(document, update, author)),
  );
  return c.json({ room, document, position: formatPosition(position) }, 201);
}

/**
 * The body is the update, or JSON that holds it.
 *
 * @throws SluiceError what {@link readBody} throws, `invalid_json`, `invalid_request`, `bad_payload`.
 */
async function readUpdate(c: AppContext): Promise<Uint8Array> {
  const body = await readBody(c);
  const type = c.req.header("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  const update = type === BINARY ? body : updateIn(parseBody(body));
  if (update.byteLength > MAX_CHANGE_BYTES) {
    const detail = `A change may have ${MAX_CHANGE_BYTES} bytes at most.`;
    throw new SluiceError("body_too_large", { detail });
  }
  // Not in the object, which others wait for.
  if (isUpdate(update)) return update;
  throw new SluiceError("bad_payload", { detail: "It is no Yjs update.", param: "update" });
}

/** @throws SluiceError `invalid_request`. */
function updateIn(body: unknown): Uint8Array {
  const parsed = v.safeParse(changeSchema, body);
  const update = parsed.success ? fromBase64(parsed.output.update) : undefined;
  if (update !== undefined) return update;
  throw new SluiceError("invalid_request", {
    detail: `Expected {update}, in base64, or the update itself as ${BINARY}.`,
    param: "update",
  });
}

/** @throws SluiceError `bad_name`. */
function nameIn(c: AppContext): string {
  const name = c.req.param("document") ?? "";
  if (isDocumentName(name)) return name;
  throw new SluiceError("bad_name", { param: "document" });
}
