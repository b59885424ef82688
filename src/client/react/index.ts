"use client";
/**
 * Owns the door to React: what `sluice/react` exports. Nothing happens at import or on a server; a
 * component's connection begins when it is mounted and ends when it is gone.
 */
export { SluiceProvider, useClient } from "./provider.ts";
export { type AnswerSnapshot, type AnswerView, useAnswer } from "./use-answer.ts";
export {
  type RoomActions,
  type RoomSnapshot,
  type RoomView,
  usePresence,
  useRoom,
  type UseRoomOptions,
} from "./use-room.ts";
export { type TopicSnapshot, type TopicView, useTopic, type UseTopicOptions } from "./use-topic.ts";
