import type worker from "../../src/index.ts";
import type { RoomObject } from "../../durable-objects/room.ts";

declare global {
  namespace Cloudflare {
    interface GlobalProps {
      mainModule: { default: typeof worker };
    }
    interface Env {
      ROOMS: DurableObjectNamespace<RoomObject>;
    }
  }
}
