// Tunnel proxy: a proxy whose tunnels all end at one loopback port.

import { connect, createServer, type Socket } from "node:net";

/** A running proxy. Dispose it to end it and its tunnels. */
export interface TunnelProxy extends AsyncDisposable {
  readonly port: number;
  /** What it was asked for, header and all. */
  readonly asked: readonly string[];
}

/** Starts a proxy that leads to `target`, whatever it is asked for. */
export async function startTunnelProxy(target: number): Promise<TunnelProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const proxy = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", (data) => {
      asked.push(data.toString());
      const upstream = connect(target, "127.0.0.1");
      sockets.add(upstream);
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      socket.pipe(upstream).pipe(socket);
      upstream.on("error", () => socket.destroy());
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = proxy.address();
  return {
    port: typeof address === "object" ? (address?.port ?? 0) : 0,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}
