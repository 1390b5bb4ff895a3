// Sockets: waiting for what a proxy says before its tunnel opens.

import type { Socket } from "node:net";
import { Failure } from "./failure.ts";

/** Waits for one event of a socket. Fails with its error, or if it is closed instead. */
export function event(socket: Socket, name: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const closed = () => reject(closedByProxy());
  socket.once(name, resolve).once("error", reject).once("close", closed);
  return promise.finally(() => {
    socket.off(name, resolve).off("error", reject).off("close", closed);
  });
}

/** Returns what has come, which is at least one byte. Fails if the proxy ends the connection instead. */
export async function readSome(socket: Socket): Promise<Buffer> {
  for (;;) {
    const chunk: unknown = socket.read();
    if (Buffer.isBuffer(chunk)) return chunk;
    await event(socket, "readable");
    if (socket.readableEnded || socket.destroyed) throw closedByProxy();
  }
}

/** Returns the next bytes, exactly so many, and leaves what comes behind them in the socket. */
export async function readExactly(socket: Socket, length: number): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  while (bytes.length < length) bytes = Buffer.concat([bytes, await readSome(socket)]);
  if (bytes.length > length) socket.unshift(bytes.subarray(length));
  return bytes.subarray(0, length);
}

/** Says that the proxy would not go on. */
export function closedByProxy(): Failure {
  return new Failure("unavailable", "proxyconnect tcp: the proxy closed the connection");
}
