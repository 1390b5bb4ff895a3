// CountingProxy: passes bytes on to a server, and counts the connections.

import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";

/** A running proxy. Dispose it to end it, and all that goes through it. */
export interface CountingProxy extends AsyncDisposable {
  /** Such as `127.0.0.1:4711`. */
  readonly host: string;
  /** How many connections were made so far. */
  readonly connections: number;
}

/** Starts a proxy to `host`, which listens on a loopback address. */
export async function startCountingProxy(host: string): Promise<CountingProxy> {
  const [address = "", port = ""] = host.split(":");
  const sockets = new Set<Socket>();
  let connections = 0;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    connections += 1;
    const upstream = connect(Number(port), address);
    keep(client);
    keep(upstream);
    client.pipe(upstream).pipe(client);
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
    [Symbol.asyncDispose]: () => close(server, sockets),
  };
}

function close(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });
}
