/** The Worker's entry: the object classes, and the app with the platform's own time, chance and network. */
import { createApp } from "./app.ts";
import { selectUpstreams } from "./llm/select-upstreams.ts";
import { systemClock } from "./stream/clock.ts";

export { GenerationObject } from "../durable-objects/generation.ts";
export { GenerationIndexObject } from "../durable-objects/generation-index.ts";
export { JobObject } from "../durable-objects/job.ts";
export { QuotaObject } from "../durable-objects/quota.ts";
export { RoomObject } from "../durable-objects/room.ts";
export { RoomReplicaObject } from "../durable-objects/room-replica.ts";
export { TicketObject } from "../durable-objects/ticket.ts";
export { TopicObject } from "../durable-objects/topic.ts";

export default createApp({
  clock: systemClock,
  random: () => Math.random(),
  newId: () => crypto.randomUUID(),
  fetch: (address, init) => fetch(address, init),
  upstreams: (config) => selectUpstreams(config.upstreams, systemClock),
  log: (line) => {
    // oxlint-disable-next-line no-console -- the platform's log is the console
    console.log(JSON.stringify(line));
  },
});
