// SOCKS proxy: one of version 5 whose ways all end at one loopback port.

import { connect, createServer, type Socket } from "node:net";

/** What a proxy is to do. */
export interface SocksWish {
  /** The loopback port at which all ways end. */
  readonly target: number;
  /** Asked for; absent: everybody is let in. */
  readonly login?: { readonly username: string; readonly password: string };
  /** What is answered to the wish for a way; absent: yes. */
  readonly reply?: number;
}

/** A running proxy. Dispose it to end it and its connections. */
export interface SocksProxy extends AsyncDisposable {
  readonly port: number;
  /** Where it was asked to lead, such as `name registry.test:443`. */
  readonly asked: readonly string[];
}

/** Starts a proxy. */
export async function startSocksProxy(wish: SocksWish): Promise<SocksProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    void serve(socket, wish, { asked, sockets });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" ? (address?.port ?? 0) : 0,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

async function serve(
  socket: Socket,
  { target, login, reply = 0 }: SocksWish,
  { asked, sockets }: { asked: string[]; sockets: Set<Socket> },
): Promise<void> {
  const next = reader(socket);
  const [, methods = 0] = await next(2);
  const offered = [...(await next(methods))];
  const method = login === undefined ? 0 : 2;
  if (!offered.includes(method)) return void socket.end(Uint8Array.of(5, 0xff));
  socket.write(Uint8Array.of(5, method));
  if (login !== undefined) {
    const [, length = 0] = await next(2);
    const username = (await next(length)).toString();
    const [rest = 0] = await next(1);
    const password = (await next(rest)).toString();
    const known = username === login.username && password === login.password;
    if (!known) return void socket.end(Uint8Array.of(1, 1));
    socket.write(Uint8Array.of(1, 0));
  }
  const [, , , kind] = await next(4);
  const host = await hostOf(kind ?? 0, next);
  asked.push(`${host}:${(await next(2)).readUInt16BE()}`);
  // The answer names the proxy's own end by name, which is the odd one of the three ways.
  const answer = Uint8Array.of(5, reply, 0, 3, 2, 104, 105, 0, 0);
  if (reply !== 0) return void socket.end(answer);
  const upstream = connect(target, "127.0.0.1");
  sockets.add(upstream);
  upstream.on("error", () => socket.destroy());
  socket.write(answer);
  socket.pipe(upstream).pipe(socket);
}

async function hostOf(kind: number, next: Reader): Promise<string> {
  if (kind === 1) return `ipv4 ${[...(await next(4))].join(".")}`;
  if (kind === 4) return `ipv6 ${(await next(16)).toHex()}`;
  const [length = 0] = await next(1);
  return `name ${(await next(length)).toString()}`;
}

type Reader = (length: number) => Promise<Buffer>;

function reader(socket: Socket): Reader {
  return async (length) => {
    for (;;) {
      const chunk: unknown = length === 0 ? Buffer.alloc(0) : socket.read(length);
      if (Buffer.isBuffer(chunk)) return chunk;
      await new Promise<void>((resolve) => socket.once("readable", resolve));
    }
  };
}
