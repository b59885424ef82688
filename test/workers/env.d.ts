import type worker from "../../src/index.ts";
import type { GenerationIndexObject } from "../../durable-objects/generation-index.ts";
import type { GenerationObject } from "../../durable-objects/generation.ts";
import type { JobObject } from "../../durable-objects/job.ts";
import type { QuotaObject } from "../../durable-objects/quota.ts";
import type { RoomObject } from "../../durable-objects/room.ts";
import type { RoomReplicaObject } from "../../durable-objects/room-replica.ts";
import type { TicketObject } from "../../durable-objects/ticket.ts";
import type { TopicObject } from "../../durable-objects/topic.ts";

declare global {
  namespace Cloudflare {
    interface GlobalProps {
      mainModule: { default: typeof worker };
    }
    interface Env {
      GENERATIONS: DurableObjectNamespace<GenerationObject>;
      GENERATION_INDEX: DurableObjectNamespace<GenerationIndexObject>;
      JOBS: DurableObjectNamespace<JobObject>;
      QUOTAS: DurableObjectNamespace<QuotaObject>;
      ROOMS: DurableObjectNamespace<RoomObject>;
      ROOM_REPLICAS: DurableObjectNamespace<RoomReplicaObject>;
      TICKETS: DurableObjectNamespace<TicketObject>;
      TOPICS: DurableObjectNamespace<TopicObject>;
    }
  }
}
