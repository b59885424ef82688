/**
 * Owns the bytes of a server's frames and of the entries in a log. An entry is encoded once, when its
 * message is accepted; what is stored, replayed and sent to everyone is that. Refuses to decode payloads.
 */
import {
  arrayHeader,
  concat,
  encodeAround,
  encodeField,
  encodeList,
  encodeMapWith,
} from "./bytes.ts";
import {
  type Entry,
  FRAME,
  type MailEntry,
  type PresentMember,
  type Raw,
  type ServerFrame,
  type WelcomeFrame,
} from "./frames.ts";
import { FieldWriter } from "./writer.ts";

const writer = new FieldWriter();

/** An entry's bytes, of which a stored row and a deliver frame are made by concatenation. */
export function encodeEntry({ sender, at, event, payload, id }: Entry<Raw>): Uint8Array {
  return writer.begin(5).text(sender).count(at).text(event).raw(payload).text(id).end();
}

/** A direct message's bytes, of which mail frames are made by concatenation. */
export function encodeMailEntry(entry: MailEntry<Raw>): Uint8Array {
  const { mail, sender, at, event, payload, id } = entry;
  return writer.begin(6).count(mail).text(sender).count(at).text(event).raw(payload).text(id).end();
}

/** A deliver frame of `count` entries whose bytes are `entries`, the first of which has seq `first`. */
export function encodeDeliver(first: number, count: number, entries: Uint8Array): Uint8Array {
  return writer.begin(3).count(FRAME.deliver).count(first).array(count).raw(entries).end();
}

/** A frame of the newest entries of their keys, whose bytes are `entries`. */
export function encodeLatest(seqs: readonly number[], entries: Uint8Array): Uint8Array {
  return encodeAround([FRAME.latest, seqs], concat([arrayHeader(seqs.length), entries]));
}

/** A mail frame of `count` direct messages whose bytes are `entries`. */
export function encodeMail(count: number, entries: Uint8Array): Uint8Array {
  return writer.begin(2).count(FRAME.mail).array(count).raw(entries).end();
}

/** The WebSocket message for a frame. */
export function encodeServerFrame(frame: ServerFrame<Raw>): Uint8Array {
  switch (frame.kind) {
    case "welcome":
      return encodeWelcome(frame);
    case "deliver":
      return encodeAround(
        [FRAME.deliver, frame.first],
        encodeList(frame.entries.map((entry) => encodeEntry(entry))),
      );
    case "mail":
      return encodeAround(
        [FRAME.mail],
        encodeList(frame.entries.map((entry) => encodeMailEntry(entry))),
      );
    case "published":
      return encodeField([FRAME.published, frame.published.map(({ id, seq }) => [id, seq])]);
    case "error":
      return encodeField([FRAME.error, frame.id, frame.code, frame.message, frame.retryAfterMs]);
    case "presenceDiff":
      return encodeAround([FRAME.presenceDiff, frame.count], encodeMembers(frame.here), [
        frame.gone,
        frame.scope,
      ]);
    case "gap":
      return encodeField([FRAME.gap, frame.reason, frame.from, frame.to]);
    case "end":
      return encodeField([FRAME.end, frame.outcome, frame.data]);
    case "renewed":
      return encodeField([FRAME.renewed, frame.expiresIn]);
    case "latest":
      return encodeLatest(frame.seqs, concat(frame.entries.map((entry) => encodeEntry(entry))));
  }
}

function encodeWelcome(frame: WelcomeFrame<Raw>): Uint8Array {
  const { count, members, complete } = frame.presence;
  const presence = encodeMapWith({ count, complete }, { members: encodeMembers(members) });
  const welcome = encodeMapWith(
    {
      member: frame.member,
      connection: frame.connection,
      epoch: frame.epoch,
      head: frame.head,
      heartbeat: frame.heartbeat,
      credit: [frame.credit.messages, frame.credit.bytes],
      limits: frame.limits,
      contentType: frame.contentType,
      expiresIn: frame.expiresIn,
    },
    { presence },
  );
  return encodeAround([FRAME.welcome], welcome);
}

function encodeMembers(members: readonly PresentMember<Raw>[]): Uint8Array {
  return encodeList(members.map(({ member, state }) => encodeAround([member], state)));
}
