/**
 * Owns what `sluice/client` exports: one client for topics, rooms and answers. Each surface can also
 * be had alone, from `sluice/client/topic`, `sluice/client/room` and `sluice/client/chat`.
 */
export { createClient } from "./client.ts";
export { ClientError } from "./errors.ts";
export type { Client } from "./types.ts";
export type { ClientOptions, Clock, TokenFunction } from "./options.ts";
export type { ConnectedTab, ConnectionState, Observable, Unsubscribe } from "./state.ts";
export type { SharedSurface } from "./share.ts";
export { memoryOutbox } from "./outbox/memory.ts";
export { type Pace, paced, type Paced } from "./paced.ts";
export type { Gap, Invalid, Readable } from "./items.ts";
export type {
  AnyEvents,
  EventName,
  EventsOf,
  SchemaIssue,
  SchemaMap,
  StandardResult,
  StandardSchema,
} from "./schema.ts";
export type {
  TopicEnd,
  TopicItem,
  TopicMessage,
  TopicOptions,
  TopicReceipt,
  Topic,
} from "./topic/types.ts";
export type {
  DirectMessage,
  HistoryMessage,
  HistoryPage,
  Member,
  MessageOf,
  OutboxOptions,
  Presence,
  Room,
  RoomItem,
  RoomMessage,
  RoomOptions,
  RoomReceipt,
  SendOptions,
} from "./room/types.ts";
export type { Outbox, OutboxMessage, OutboxStorage } from "./outbox/types.ts";
export type {
  Answer,
  ChatDelta,
  ChatEnd,
  ChatMessage,
  ChatOptions,
  ChatRequest,
  ChatToolCall,
  ChatUsage,
  ResumeOptions,
  WholeAnswer,
} from "./chat/types.ts";
export type { Attempt, Failure, Link, LinkObserver, Transport } from "./transport.ts";
export type { TopicEvent, TopicResume, TopicTaken, TopicTransport } from "./topic/transport.ts";
export type { RoomCommand, RoomEvent, RoomResume, RoomTransport } from "./room/transport.ts";
export type { ClientFrame, HelloFrame, ServerFrame } from "../protocol/frames.ts";
