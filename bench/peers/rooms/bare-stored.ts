/** Owns the least it can cost to keep messages: a bare object that writes a row before it sends. */
import { DurableObject } from "cloudflare:workers";

export class StoringRoom extends DurableObject {
  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    ctx.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS messages (seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL)",
    );
  }

  override fetch(): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  override webSocketMessage(_socket: WebSocket, message: string | ArrayBuffer): void {
    this.ctx.storage.sql.exec("INSERT INTO messages (bytes) VALUES (?)", message).toArray();
    for (const member of this.ctx.getWebSockets()) member.send(message);
  }
}

export default {
  fetch: (request, env) => env.ROOMS.getByName(new URL(request.url).pathname).fetch(request),
} satisfies ExportedHandler<{ readonly ROOMS: DurableObjectNamespace<StoringRoom> }>;
