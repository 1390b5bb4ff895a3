// Tunnel: a way through a proxy by CONNECT or SOCKS, with bounded memory.

import {
  type ClientRequest,
  type ClientRequestArgs,
  Agent as PlainAgent,
  type IncomingMessage,
  request as requestPlain,
} from "node:http";
import { Agent as SecureAgent, request as requestSecure } from "node:https";
import { connect as connectTcp, isIP, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls, type SecureVersion } from "node:tls";
import { Failure } from "./failure.ts";
import { shown } from "./foreign-text.ts";
import type { RawRequest, RawResponse } from "./http-exchange.ts";
import { wireFailure } from "./http-failure.ts";
import { isSocks } from "./http-proxy.ts";
import { closedByProxy, event, readSome } from "./http-socket.ts";
import { openSocks } from "./http-socks.ts";
import { systemAuthorities, type TlsMaterial } from "./http-tls.ts";
import { limits } from "./limits.ts";

/** What is believed of, and shown to, the two who may speak TLS. */
export interface TunnelTls {
  readonly server: TlsMaterial;
  readonly proxy: TlsMaterial;
}

/** Connections to servers by way of one proxy. */
export class Tunnel {
  readonly #plain: PlainAgent;
  readonly #secure: SecureAgent;

  /** `proxy` is of the kind http, https or SOCKS. */
  constructor(proxy: URL, tls: TunnelTls) {
    const dialer = { proxy, tls };
    this.#plain = new PlainTunnelAgent(dialer);
    this.#secure = new SecureTunnelAgent(dialer);
  }

  /** Sends a request and returns when the header of its answer is there. */
  async exchange(url: URL, { method, headers, body, signal }: RawRequest): Promise<RawResponse> {
    signal.throwIfAborted();
    const answered = Promise.withResolvers<IncomingMessage>();
    const outgoing =
      url.protocol === "https:"
        ? requestSecure(url, { method, headers, agent: this.#secure })
        : requestPlain(url, { method, headers, agent: this.#plain });
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
    this.#plain.destroy();
    this.#secure.destroy();
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

/** What a connection is made with. */
interface Dialer {
  readonly proxy: URL;
  readonly tls: TunnelTls;
}

type Connected = (error: Error | null, socket: Duplex) => void;

class PlainTunnelAgent extends PlainAgent {
  readonly #dialer: Dialer;

  constructor(dialer: Dialer) {
    super({ keepAlive: true });
    this.#dialer = dialer;
  }

  override createConnection(target: ClientRequestArgs, connected?: Connected): undefined {
    report(connectBy(this.#dialer, targetOf(target, 80)), connected);
  }
}

class SecureTunnelAgent extends SecureAgent {
  readonly #dialer: Dialer;

  constructor(dialer: Dialer) {
    super({ keepAlive: true });
    this.#dialer = dialer;
  }

  override createConnection(target: ClientRequestArgs, connected?: Connected): undefined {
    report(connectSecurely(this.#dialer, targetOf(target, 443)), connected);
  }
}

/** Where a tunnel is to end. */
interface Target {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

function targetOf({ host, port }: ClientRequestArgs, usualPort: number): Target {
  return { host: (host ?? "").replace(/^\[|\]$/g, ""), port: Number(port ?? usualPort) };
}

function report(connecting: Promise<Socket>, connected: Connected | undefined): void {
  connecting.then(
    (socket) => connected?.(null, socket),
    (error: Error) => connected?.(error, new Socket()),
  );
}

async function connectSecurely(dialer: Dialer, target: Target): Promise<Socket> {
  const socket = await connectBy(dialer, target);
  try {
    const secure = connectTls({ socket, ...secureTo(target.host, dialer.tls.server) });
    await event(secure, "secureConnect");
    return secure;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Returns a connection to `target`, on which nothing has been said yet. */
async function connectBy({ proxy, tls }: Dialer, target: Target): Promise<Socket> {
  const socket = await connectProxy(proxy, tls.proxy);
  try {
    await (isSocks(proxy) ? openSocks(socket, target, proxy) : openTunnel(socket, target, proxy));
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function connectProxy(proxy: URL, tls: TlsMaterial): Promise<Socket> {
  const host = proxy.hostname.replace(/^\[|\]$/g, "");
  try {
    if (proxy.protocol !== "https:") {
      const socket = connectTcp({ host, port: Number(proxy.port || 80) });
      await event(socket, "connect");
      return socket;
    }
    const socket = connectTls({ port: Number(proxy.port || 443), ...secureTo(host, tls) });
    await event(socket, "secureConnect");
    return socket;
  } catch (error) {
    const { code, message } = await wireFailure(error, { url: proxy });
    throw new Failure(code, `proxyconnect tcp: ${message}`, { cause: error });
  }
}

function secureTo(host: string, { minVersion, maxVersion, ...tls }: TlsMaterial) {
  return {
    host,
    ...(isIP(host) === 0 && { servername: host }),
    ...tls,
    ca: tls.ca ?? systemAuthorities(),
    ...(minVersion !== undefined && { minVersion: versionName(minVersion) }),
    ...(maxVersion !== undefined && { maxVersion: versionName(maxVersion) }),
  };
}

const versionNames: Readonly<Record<number, SecureVersion>> = {
  0x301: "TLSv1",
  0x302: "TLSv1.1",
  0x303: "TLSv1.2",
  0x304: "TLSv1.3",
};

function versionName(version: number): SecureVersion {
  const name = versionNames[version];
  if (name === undefined) throw new Failure("bug", `no version of TLS: ${version}`);
  return name;
}

/** Asks the proxy for a way to the target, and returns when it has answered that there is one. */
async function openTunnel(socket: Socket, { host, port }: Target, proxy: URL): Promise<void> {
  const target = `${host.includes(":") ? `[${host}]` : host}:${port}`;
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
    answer = Buffer.concat([answer, await readSome(socket)]);
    const end = answer.indexOf("\r\n\r\n");
    if (end >= 0) {
      const rest = answer.subarray(end + 4);
      if (rest.length > 0) socket.unshift(rest);
      return answer.toString("latin1", 0, answer.indexOf("\r\n"));
    }
    if (answer.length > limits.proxyHeaderBytes) throw closedByProxy();
  }
}
