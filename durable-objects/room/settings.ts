/**
 * Owns what the operator may set for rooms: retention, rates, policies, by class of room. Refuses to
 * know what is done with them. Limits that are not settings are in protocol/limits.
 */
import * as v from "valibot";
import { DAY_MS } from "../../src/protocol/limits.ts";
import {
  anObject,
  expecting,
  fields,
  json,
  positive,
  readVariables,
} from "../../src/protocol/variables.ts";
import type { Rate } from "../delivery/token-bucket.ts";
import type { AudienceSettings } from "../delivery/audience.ts";
import type { Retention } from "../log/retention.ts";

/** How the rooms of one class behave. */
export interface RoomSettings extends AudienceSettings {
  readonly retention: Retention;
  /** Messages, and bytes of payload, that one member may publish, over all its connections. */
  readonly messageRate: Rate;
  readonly byteRate: Rate;
  /** Objects beside the room's own over which the readers of its event stream spread; 0: its own serves them. */
  readonly replicas: number;
}

/** Replicas of one room at most: each is told of every message by the room itself. */
const MAX_REPLICAS = 64;

/** Each class names only what differs from these defaults; `default` is for rooms of no other class. */
const classSchema = fields({
  /** Messages kept: what a member can have missed and still get. */
  maxMessages: v.optional(positive, 10_000),
  /** Bytes kept. */
  maxBytes: v.optional(positive, 64 * 1024 * 1024),
  /** Milliseconds a message is kept. */
  maxAgeMs: v.optional(positive, 7 * DAY_MS),
  laggards: v.optional(v.picklist(["replay", "disconnect"]), "replay"),
  patienceMs: v.optional(positive, 60_000),
  /** Fast typing, cursor movements and games fit; a loop gone wild does not. */
  messagesPerSecond: v.optional(positive, 50),
  bytesPerSecond: v.optional(positive, 256 * 1024),
  /** A room of ten thousand is back within twenty seconds of a deploy. */
  joinsPerSecond: v.optional(positive, 500),
  /** Below the platform's 32,768 sockets an object. */
  maxConnections: v.optional(v.pipe(positive, v.maxValue(32_000)), 20_000),
  /** None: a room of some thousand is served by one object. */
  replicas: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_REPLICAS)), 0),
});

const className = v.pipe(
  v.string(),
  expecting(
    (name) => /^[A-Za-z0-9][A-Za-z0-9._~@-]{0,63}$/.test(name),
    "1 to 64 letters, digits, `.`, `_`, `~`, `@`, `-` as a class's name, a letter or digit first",
  ),
);

const variables = v.object({
  ROOM_CLASSES: json(v.pipe(anObject, v.record(className, classSchema))),
});

/** Seconds of a rate that may be used up at once. */
const MESSAGE_BURST_S = 4;
const BYTE_BURST_S = 8;
const JOIN_BURST_S = 4;
const FRAME_BURST_S = 4;

/** Frames of any kind a connection may send each second in a room of slow speakers. */
const MIN_FRAMES_PER_SECOND = 500;

/** The settings of each class that the operator named. */
export type RoomClasses = ReadonlyMap<string, v.InferOutput<typeof classSchema>>;

/**
 * Reads the classes.
 *
 * @throws SluiceError `misconfigured`, naming the variable, the setting, and never its value.
 */
export function readRoomClasses(env: Readonly<Record<string, unknown>>): RoomClasses {
  // Names of classes and settings are no secrets; a mistake is hard to find without them.
  const { ROOM_CLASSES: classes } = readVariables(variables, env, { names: true });
  return new Map(Object.entries(classes ?? {}));
}

/** The settings of a room: its class is what stands before the first `:` of its name. */
export function settingsFor(room: string, classes: RoomClasses = new Map()): RoomSettings {
  const [name = ""] = room.split(":", 1);
  const settings =
    (room.includes(":") ? classes.get(name) : undefined) ??
    classes.get("default") ??
    v.parse(classSchema, {});
  const rate = (perSecond: number, seconds: number): Rate => ({
    perSecond,
    burst: perSecond * seconds,
  });
  return {
    retention: {
      maxEntries: settings.maxMessages,
      maxBytes: settings.maxBytes,
      maxAgeMs: settings.maxAgeMs,
    },
    laggards: settings.laggards,
    patienceMs: settings.patienceMs,
    messageRate: rate(settings.messagesPerSecond, MESSAGE_BURST_S),
    byteRate: rate(settings.bytesPerSecond, BYTE_BURST_S),
    joinRate: rate(settings.joinsPerSecond, JOIN_BURST_S),
    maxConnections: settings.maxConnections,
    replicas: settings.replicas,
    // Each message may need an acknowledgement of what others say, and those of a busy room come on top.
    frameRate: rate(Math.max(MIN_FRAMES_PER_SECOND, 2 * settings.messagesPerSecond), FRAME_BURST_S),
  };
}

/** The settings of a room that does not know its own: nothing that it keeps is removed. */
export function settingsMeanwhile(): RoomSettings {
  return { ...settingsFor(""), retention: {} };
}
