/**
 * Owns the peer made with Socket.IO on Node: what comes from a member is emitted to its room.
 *
 * Prints its port once it listens.
 */
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http, { transports: ["websocket"], serveClient: false });
io.on("connection", (socket) => {
  const { room } = socket.handshake.query;
  if (typeof room !== "string") return;
  void socket.join(room);
  socket.on("m", (text: string) => {
    io.to(room).emit("m", text);
  });
});
http.listen(0, "127.0.0.1", 4096, () => {
  const address = http.address();
  if (typeof address === "object" && address !== null) console.log(address.port);
});
