// WireServer: answers written byte by byte, for bodies that no well-behaved server sends.

import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

/** A request without a body, as it came. */
export interface WireRequest {
  /** Method and target, such as `GET /v2/`. */
  readonly line: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** An answer, and what happens to the connection after it. */
export interface WireAnswer {
  /** Status line and headers, without `HTTP/1.1` and without line ends. */
  readonly head: readonly string[];
  readonly body?: Uint8Array;
  /** Absent: the connection stays open. */
  readonly then?: "close" | "reset";
}

/** A running server. Dispose it to end it. */
export interface WireServer extends AsyncDisposable {
  readonly host: string;
  /** Every request so far. */
  readonly requests: readonly WireRequest[];
}

/** Starts a server on a free loopback port; `/v2/` itself is answered with 200. */
export async function startWire(answer: (request: WireRequest) => WireAnswer): Promise<WireServer> {
  const requests: WireRequest[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    let received = "";
    socket.on("data", (chunk) => {
      // A TLS hello is answered by closing, or each plain test would wait for a handshake.
      if (received === "" && chunk[0] === 0x16) return void socket.destroy();
      received += chunk.toString("latin1");
      for (let end = received.indexOf("\r\n\r\n"); end >= 0; end = received.indexOf("\r\n\r\n")) {
        const request = parsed(received.slice(0, end));
        received = received.slice(end + 4);
        const ping = request.line === "GET /v2/";
        if (!ping) requests.push(request);
        send(socket, ping ? { head: ["200 OK", "Content-Length: 0"] } : answer(request));
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    requests,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

const settlingMs = 10;

function send(socket: Socket, { head, body, then }: WireAnswer): void {
  socket.write(`HTTP/1.1 ${head.join("\r\n")}\r\n\r\n`);
  socket.write(body ?? new Uint8Array(), () => {
    // What was written has to be read before the end arrives, or the runtime forgets it.
    if (then === "close") setTimeout(() => socket.end(), settlingMs);
    if (then === "reset") setTimeout(() => socket.resetAndDestroy(), settlingMs);
  });
}

function parsed(text: string): WireRequest {
  const [first = "", ...lines] = text.split("\r\n");
  const headers = lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return { line: first.replace(/ HTTP\/1\.1$/, ""), headers: Object.fromEntries(headers) };
}
