// Raw HTTP: requests read and answers written by hand, since a well-behaved server cannot lie.

import { createServer, type Server, type Socket } from "node:net";

/** One request, as far as its header. */
export interface RawRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly target: string;
  readonly headers: Headers;
  /** Reads the body, decoded from its chunks. */
  body(): Promise<Buffer>;
}

/** What is answered. A length is added unless the headers say something about it. */
export interface RawAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

/** Answers a request: with an answer, or by doing as it likes with the socket. */
export type RawHandler = (
  request: RawRequest,
  socket: Socket,
) => Promise<RawAnswer | ((socket: Socket) => Promise<void> | void)>;

/** A listening server. Dispose it to end it and all its connections. */
export interface RawServer extends AsyncDisposable {
  readonly port: number;
}

/** How a server meets somebody who speaks TLS to it. */
export type TlsManners = "hang up" | "stay silent";

/** Starts a server on a loopback address. Port 0 is any that is free. */
export async function startRawServer(options: {
  readonly handler: RawHandler;
  readonly address?: string;
  readonly port?: number;
  readonly onTls?: TlsManners;
}): Promise<RawServer> {
  const { handler, address = "127.0.0.1", port = 0, onTls = "hang up" } = options;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
    void converse(new RawConnection(socket, onTls), handler);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, address, resolve);
  });
  return {
    port: portOf(server),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Writes an answer, whole. */
export function writeAnswer(socket: Socket, answer: RawAnswer, headOnly = false): void {
  const body = Buffer.from(answer.body ?? "");
  writeHead(socket, { "Content-Length": String(body.length), ...answer.headers }, answer.status);
  if (!headOnly) socket.write(body);
}

/** Writes the status line and the headers of an answer. */
export function writeHead(
  socket: Socket,
  headers: Readonly<Record<string, string>>,
  status = 200,
): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${status} ${reasons[status] ?? "Odd"}\r\n${lines.join("")}\r\n`);
}

const reasons: Readonly<Record<number, string>> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  206: "Partial Content",
  307: "Temporary Redirect",
  401: "Unauthorized",
  404: "Not Found",
  408: "Request Timeout",
  416: "Range Not Satisfiable",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

async function converse(connection: RawConnection, handler: RawHandler): Promise<void> {
  const { socket } = connection;
  for (;;) {
    const request = await connection.readHead();
    if (request === undefined || socket.destroyed) return;
    const answer = await handler(request, socket);
    if (socket.destroyed) return;
    if (typeof answer === "function") await answer(socket);
    else {
      await request.body();
      writeAnswer(socket, answer, request.method === "HEAD");
    }
  }
}

class RawConnection {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => {};

  constructor(socket: Socket, onTls: TlsManners) {
    this.socket = socket;
    let first = true;
    let ignoring = false;
    socket.on("data", (chunk: Buffer) => {
      if (first && chunk[0] === 0x16) {
        if (onTls === "hang up") socket.destroy();
        ignoring = true;
      }
      first = false;
      if (ignoring) return;
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    socket.on("close", () => {
      this.#ended = true;
      this.#wake();
    });
  }

  async readHead(): Promise<RawRequest | undefined> {
    const head = await this.#readTo("\r\n\r\n");
    if (head === undefined) return undefined;
    const [line = "", ...lines] = head.split("\r\n");
    const [method = "", target = ""] = line.split(" ");
    const headers = new Headers();
    for (const each of lines) {
      const colon = each.indexOf(":");
      headers.append(each.slice(0, colon), each.slice(colon + 1).trim());
    }
    let body: Promise<Buffer> | undefined;
    return { method, target, headers, body: () => (body ??= this.#readBody(headers)) };
  }

  async #readBody(headers: Headers): Promise<Buffer> {
    if (headers.get("transfer-encoding") !== "chunked") {
      return this.#read(Number(headers.get("content-length") ?? 0));
    }
    const chunks: Buffer[] = [];
    for (;;) {
      const size = parseInt((await this.#readTo("\r\n")) ?? "0", 16);
      chunks.push(await this.#read(size));
      await this.#readTo("\r\n");
      if (size === 0) return Buffer.concat(chunks);
    }
  }

  async #readTo(mark: string): Promise<string | undefined> {
    for (;;) {
      const end = this.#received.indexOf(mark);
      if (end >= 0) return (await this.#read(end + mark.length)).toString("latin1", 0, end);
      if (this.#ended) return undefined;
      await this.#more();
    }
  }

  /** Gives less only if the connection has ended. */
  async #read(size: number): Promise<Buffer> {
    while (this.#received.length < size && !this.#ended) await this.#more();
    const bytes = this.#received.subarray(0, size);
    this.#received = this.#received.subarray(size);
    return bytes;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
