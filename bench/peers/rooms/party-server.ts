/** Owns the peer made with PartyServer: its hibernating server, its router, its `broadcast`. */
import { type Connection, type WSMessage, Server, routePartykitRequest } from "partyserver";

export class Rooms extends Server {
  static override options = { hibernate: true };

  override onMessage(_connection: Connection, message: WSMessage): void {
    this.broadcast(message);
  }
}

export default {
  fetch: async (request, env) =>
    (await routePartykitRequest(request, env)) ?? new Response(null, { status: 404 }),
} satisfies ExportedHandler<{ readonly ROOMS: DurableObjectNamespace<Rooms> }>;
