// WireServer: answers written byte by byte, for bodies that no well-behaved server sends.

import type { Socket } from "node:net";

import { startRawServer } from "./raw-http.ts";

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
  /** Every request so far, but for the ping. */
  readonly requests: readonly WireRequest[];
}

/** Starts a server on a free loopback port; `/v2/` itself is answered with 200. */
export async function startWire(answer: (request: WireRequest) => WireAnswer): Promise<WireServer> {
  const requests: WireRequest[] = [];
  const server = await startRawServer({
    handler: async ({ method, target, headers }) => {
      if (target === "/v2/") return { status: 200 };
      const request = { line: `${method} ${target}`, headers: Object.fromEntries(headers) };
      requests.push(request);
      return (socket) => send(socket, answer(request));
    },
  });
  return {
    host: `127.0.0.1:${server.port}`,
    requests,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function send(socket: Socket, { head, body, then }: WireAnswer): Promise<void> {
  socket.write(`HTTP/1.1 ${head.join("\r\n")}\r\n\r\n`);
  if (body !== undefined) socket.write(body);
  if (then === undefined) return;
  // What was written has to be read before the end arrives, or the runtime forgets it.
  await Bun.sleep(settlingMs);
  if (then === "close") socket.end();
  else socket.resetAndDestroy();
}

const settlingMs = 10;
