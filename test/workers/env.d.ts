import type worker from "../../src/index.ts";
import type { RoomObject } from "../../durable-objects/room.ts";
import type { TopicObject } from "../../durable-objects/topic.ts";

declare global {
  namespace Cloudflare {
    interface GlobalProps {
      mainModule: { default: typeof worker };
    }
    interface Env {
      ROOMS: DurableObjectNamespace<RoomObject>;
      TOPICS: DurableObjectNamespace<TopicObject>;
    }
  }
}
