// Tunnel: https through a proxy's CONNECT, with bounded memory.

import type { ClientRequest, IncomingMessage } from "node:http";
import { Agent, request as requestHttps, type RequestOptions } from "node:https";
import { connect as connectTcp, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { Failure } from "./failure.ts";
import { shown } from "./foreign-text.ts";
import type { RawRequest, RawResponse } from "./http-exchange.ts";
import { wireFailure } from "./http-failure.ts";
import { systemAuthorities, type TlsMaterial } from "./http-tls.ts";
import { limits } from "./limits.ts";

/** Connections to https servers by way of one proxy. */
export class Tunnel {
  readonly #agent: TunnelAgent;

  /** `tls` is for the servers. The proxy itself is always checked, and shown no certificate of ours. */
  constructor(proxy: URL, tls: TlsMaterial) {
    this.#agent = new TunnelAgent(proxy, tls);
  }

  /** Sends a request and returns when the header of its answer is there. */
  async exchange(url: URL, { method, headers, body, signal }: RawRequest): Promise<RawResponse> {
    signal.throwIfAborted();
    const answered = Promise.withResolvers<IncomingMessage>();
    const outgoing = requestHttps(url, { method, headers, agent: this.#agent });
    outgoing.on("response", answered.resolve).on("error", answered.reject);
    const stop = () => {
      answered.reject(signal.reason);
      outgoing.destroy(signal.reason);
    };
    signal.addEventListener("abort", stop, { once: true });
    outgoing.on("close", () => signal.removeEventListener("abort", stop));
    sendBody(outgoing, body).catch((error: Error) => {
      answered.reject(error);
      outgoing.destroy(error);
    });
    return responseOf(await answered.promise);
  }

  /** Closes the connections that nobody uses. */
  close(): void {
    this.#agent.destroy();
  }
}

async function sendBody(
  outgoing: ClientRequest,
  body: AsyncIterable<Uint8Array> | undefined,
): Promise<void> {
  for await (const chunk of body ?? []) {
    if (outgoing.destroyed) return;
    if (!outgoing.write(chunk)) await drained(outgoing);
  }
  outgoing.end();
}

function drained(outgoing: ClientRequest): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  outgoing.once("drain", resolve).once("close", resolve);
  return promise.finally(() => outgoing.off("drain", resolve).off("close", resolve));
}

function responseOf(message: IncomingMessage): RawResponse {
  const headers = new Headers();
  for (let at = 0; at + 1 < message.rawHeaders.length; at += 2) {
    headers.append(message.rawHeaders[at] ?? "", message.rawHeaders[at + 1] ?? "");
  }
  const { statusCode = 0, statusMessage = "" } = message;
  return { status: statusCode, statusText: statusMessage, headers, bytes: message };
}

class TunnelAgent extends Agent {
  readonly #proxy: URL;
  readonly #tls: TlsMaterial;

  constructor(proxy: URL, tls: TlsMaterial) {
    super({ keepAlive: true });
    this.#proxy = proxy;
    this.#tls = tls;
  }

  override createConnection(
    target: RequestOptions,
    connected?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    const host = target.host ?? "";
    this.#connect(host, Number(target.port ?? 443)).then(
      (socket) => connected?.(null, socket),
      (error: Error) => connected?.(error, new Socket()),
    );
  }

  async #connect(host: string, port: number): Promise<Socket> {
    const socket = await connectProxy(this.#proxy);
    try {
      await openTunnel(socket, `${host.includes(":") ? `[${host}]` : host}:${port}`, this.#proxy);
      const secure = connectTls({
        socket,
        host,
        ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
        ...this.#tls,
        ca: this.#tls.ca ?? systemAuthorities(),
      });
      await event(secure, "secureConnect");
      return secure;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }
}

async function connectProxy(proxy: URL): Promise<Socket> {
  const host = proxy.hostname.replace(/^\[|\]$/g, "");
  try {
    if (proxy.protocol === "http:") {
      const socket = connectTcp({ host, port: Number(proxy.port || 80) });
      await event(socket, "connect");
      return socket;
    }
    const socket = connectTls({
      host,
      port: Number(proxy.port || 443),
      ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
      ca: systemAuthorities(),
      rejectUnauthorized: true,
    });
    await event(socket, "secureConnect");
    return socket;
  } catch (error) {
    const { code, message } = await wireFailure(error, { url: proxy });
    throw new Failure(code, `proxyconnect tcp: ${message}`, { cause: error });
  }
}

/** Asks the proxy for a way to `target`, and returns when it has answered that there is one. */
async function openTunnel(socket: Socket, target: string, proxy: URL): Promise<void> {
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${authorization(proxy)}\r\n`);
  const line = await answerTo(socket);
  const [, status, reason = ""] = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(line) ?? [];
  if (status?.startsWith("2") === true) return;
  const hint = status === "407" ? "write the proxy as http://USER:PASSWORD@HOST:PORT" : undefined;
  throw new Failure(
    status === undefined || status.startsWith("5") ? "unavailable" : "refused",
    `proxyconnect tcp: proxy ${proxy.host} answered ${shown(`${status ?? "nonsense"} ${reason}`)}`,
    { hint },
  );
}

function authorization({ username, password }: URL): string {
  if (username === "" && password === "") return "";
  const text = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Proxy-Authorization: Basic ${Buffer.from(text).toString("base64")}\r\n`;
}

/** Reads the proxy's answer up to the empty line, leaves the rest in the socket, returns its first line. */
async function answerTo(socket: Socket): Promise<string> {
  let answer = Buffer.alloc(0);
  for (;;) {
    const chunk: unknown = socket.read();
    if (!Buffer.isBuffer(chunk)) {
      await event(socket, "readable");
      if (socket.readableEnded || socket.destroyed) throw closedByProxy();
      continue;
    }
    answer = Buffer.concat([answer, chunk]);
    const end = answer.indexOf("\r\n\r\n");
    if (end >= 0) {
      const rest = answer.subarray(end + 4);
      if (rest.length > 0) socket.unshift(rest);
      return answer.toString("latin1", 0, answer.indexOf("\r\n"));
    }
    if (answer.length > limits.proxyHeaderBytes) throw closedByProxy();
  }
}

function closedByProxy(): Failure {
  return new Failure("unavailable", "proxyconnect tcp: the proxy closed the connection");
}

/** Waits for one event of a socket. Fails with its error, or if it is closed instead. */
function event(socket: Socket, name: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const closed = () => reject(closedByProxy());
  socket.once(name, resolve).once("error", reject).once("close", closed);
  return promise.finally(() => {
    socket.off(name, resolve).off("error", reject).off("close", closed);
  });
}
