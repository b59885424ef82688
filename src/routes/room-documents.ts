/**
 * Owns the doors of a room's shared documents over HTTP: what is in one, a change that is too large for a message,
 * deleting. Refuses to know what a document says.
 */
import { Hono } from "hono";
import * as v from "valibot";
import { unwrap } from "../../durable-objects/platform/outcome.ts";
import { SluiceError } from "../protocol/errors.ts";
import { fromBase64, toBase64 } from "../protocol/json.ts";
import { isDocumentName } from "../protocol/documents.ts";
import { formatPosition } from "../protocol/position.ts";
import type { AppContext, AppEnv } from "./app-env.ts";
import { formatWanted } from "./format-wanted.ts";
import { spendOn } from "./quota.ts";
import { parseBody, readBody } from "./read-json.ts";
import { bearingOf } from "./revocations.ts";
import { roomOf, senderOf } from "./room-stub.ts";

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
  const { version, state } = unwrap(await stub.readDocument(document, bearingOf(c)));
  // To be asked for again each time, and answered shortly when nothing has changed.
  const headers = { etag: `W/"${version}"`, "cache-control": "private, no-cache", vary: "accept" };
  if (c.req.header("if-none-match") === headers.etag) return c.body(null, 304, headers);
  if (format === "json") {
    return c.json({ room, document, version, update: toBase64(state) }, 200, headers);
  }
  return c.body(state.slice().buffer, 200, { ...headers, "content-type": BINARY });
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
 * @throws SluiceError what {@link readBody} throws, `invalid_json`, `invalid_request`.
 */
async function readUpdate(c: AppContext): Promise<Uint8Array> {
  const body = await readBody(c);
  const type = c.req.header("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (type === BINARY) return body;
  const parsed = v.safeParse(changeSchema, parseBody(body));
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
