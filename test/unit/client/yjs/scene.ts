/** Owns one program with a shared document, and a room whose other end is the test. Refuses to know what is tested. */
import * as Y from "yjs";
import { createClient, type RoomOptions } from "../../../../src/client/index.ts";
import { openDocument } from "../../../../src/client/yjs/index.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { FakeRoomServer } from "./fake-room-server.ts";

export const NAME = "notes";
/** Where the document is asked for. */
export const PATH = `/v1/rooms/r/documents/${NAME}`;

/** Nothing is open yet. */
export function scene(roomOptions: RoomOptions = {}) {
  const clock = new FakeClock();
  const server = new FakeRoomServer(clock);
  const options = server.options();
  const client = createClient(options);
  const room = client.room("r", { member: "ann", ...roomOptions });
  const doc = new Y.Doc();
  const open = () => openDocument(options, room, NAME, doc);
  const here = doc.getText("t");
  const there = server.doc(NAME).getText("t");
  /** Lets everything that takes no time happen. */
  const run = async (): Promise<void> => {
    await clock.advance(20);
  };
  return { clock, server, options, client, room, doc, open, here, there, run };
}

/** An update that somebody else makes of a document. */
export function changeOf(from: Y.Doc, change: (text: Y.Text) => void): Uint8Array {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(from));
  const before = Y.encodeStateVector(doc);
  change(doc.getText("t"));
  return Y.encodeStateAsUpdate(doc, before);
}

/** What a scene is. */
export type Scene = ReturnType<typeof scene>;
