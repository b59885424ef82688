/**
 * Owns the peer made with `ws` on Node: what comes from a member goes to everyone at the same path.
 *
 * Prints its port once it listens.
 */
import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";

const rooms = new Map<string, Set<WebSocket>>();
const http = createServer();
const sockets = new WebSocketServer({ server: http });
sockets.on("connection", (socket, { url = "/" }) => {
  const room = rooms.get(url) ?? new Set();
  rooms.set(url, room);
  room.add(socket);
  socket.on("message", (data, isBinary) => {
    for (const member of room) {
      if (member.readyState === WebSocket.OPEN) member.send(data, { binary: isBinary });
    }
  });
  socket.on("close", () => room.delete(socket));
  socket.on("error", () => {
    socket.terminate();
  });
});
http.listen(0, "127.0.0.1", 4096, () => {
  const address = http.address();
  if (typeof address === "object" && address !== null) console.log(address.port);
});
