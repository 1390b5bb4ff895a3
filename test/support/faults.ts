// The faults that the faulty registry can play, by name; rows are those of the fault matrix.

import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";
import {
  blobAnswer,
  digest,
  type FaultyStore,
  json,
  manifestAnswer,
  rangeStart,
  refusal,
  type RequestKind,
  type SampleImage,
  type Understood,
} from "./faulty-store.ts";
import { type RawAnswer, type RawRequest, writeHead } from "./raw-http.ts";

/** Where the faulty registry listens. */
export interface FaultyHosts {
  /** Asks for nothing. */
  readonly open: string;
  /** Asks for a password. */
  readonly basic: string;
  /** Asks for a token of its own. */
  readonly bearer: string;
  /** Asks for a token that somebody else gives. */
  readonly foreignRealm: string;
  /** Says nothing to who speaks TLS; the others hang up. */
  readonly silentTls: string;
  /** Somebody else's origin: another port, and another address. Both hold what the registry holds. */
  readonly strangers: { readonly port: string; readonly address: string };
}

/** What a fault has to go by. */
export interface Stage extends Understood {
  readonly request: RawRequest;
  readonly store: FaultyStore;
  readonly image: SampleImage;
  readonly hosts: FaultyHosts;
  /** How often this kind of request for this reference came before; uploads count together. */
  readonly nth: number;
  readonly honest: () => Promise<RawAnswer>;
}

/** Instead of an answer: whatever is done to the connection. */
export type Deed = (socket: Socket) => Promise<void> | void;

/** Plays a fault; undefined where an honest answer does. */
type Play = (stage: Stage) => RawAnswer | Deed | undefined | Promise<RawAnswer | Deed | undefined>;

/** One way to go wrong. */
export interface Fault {
  readonly row: number;
  /** Which host of the registry shows it; absent: `open`. */
  readonly host?: keyof Omit<FaultyHosts, "strangers">;
  /** Whether the image lies there, to be read; otherwise it is a place to write to. */
  readonly holdsImage: boolean;
  readonly play: Play;
}

/** The names of all faults. */
export type FaultName = keyof typeof faults;

/** Every fault by name. */
export const faults = {
  none: reading(0, () => undefined),
  "cut-half": reading(1, layer(first(cutHalf("FIN")))),
  "cut-half-rst": reading(1, layer(first(cutHalf("RST")))),
  "cut-chunk": reading(1, layer(first(cutInChunk))),
  "cut-every-2mib": reading(2, layer(cutAfter(2 * 1024 * 1024))),
  "cut-six-times": reading(3, layer(times(6, cutAfter(10_000)))),
  "cut-no-range": reading(
    4,
    layer((stage) => (stage.nth === 0 ? cutHalf("FIN")(stage) : whole(stage))),
  ),
  "cut-wrong-range": reading(
    5,
    layer((stage) => {
      if (stage.nth === 0) return cutHalf("FIN")(stage);
      if (stage.nth > 1) return undefined;
      const { layer } = stage.image;
      const start = (rangeStart(stage.request) ?? 0) + 1;
      const range = `bytes ${start}-${layer.length - 1}/${layer.length}`;
      return { status: 206, headers: { "Content-Range": range }, body: layer.subarray(start) };
    }),
  ),
  "flip-always": reading(6, layer(flipped)),
  "flip-once": reading(7, layer(first(flipped))),
  short: reading(
    8,
    layer(({ image }) => ({ status: 200, body: image.layer.subarray(0, -10) })),
  ),
  "short-closed": reading(8, layer(shortAndClosed)),
  longer: reading(
    8,
    layer(({ image }) => ({
      status: 200,
      body: Buffer.concat([image.layer, Buffer.from("more")]),
    })),
  ),
  "html-blob": reading(
    9,
    layer(() => portal),
  ),
  "html-manifest": reading(
    9,
    on("manifest-read", () => portal),
  ),
  "blob-500": reading(10, layer(once(500))),
  "manifest-500": reading(10, on("manifest-read", once(500))),
  "blob-502": reading(11, layer(once(502))),
  "blob-503": reading(11, layer(once(503))),
  "manifest-504": reading(11, on("manifest-read", once(504))),
  "blob-408": reading(12, layer(once(408))),
  "wait-seconds": reading(13, layer(first(() => tooMany("1")))),
  "wait-date": reading(13, layer(first(() => tooManyUntil(1)))),
  "wait-long": reading(
    14,
    layer(() => tooMany("3600")),
  ),
  "wait-forever": reading(
    15,
    layer(() => tooMany()),
  ),
  "reset-first": reading(16, layer(first(() => reset))),
  "close-first": reading(16, layer(first(() => close))),
  "silent-before-headers": reading(
    17,
    layer(() => silence),
  ),
  "silent-after-headers": reading(17, layer(silentAfter(0))),
  "silent-after-half": reading(17, layer(silentAfter(0.5))),
  "silent-once": reading(17, layer(first(silentAfter(0.5)))),
  drip: reading(17, layer(drip)),
  "redirect-loop": reading(
    18,
    layer(({ request }) => redirect(request.target)),
  ),
  "redirect-port": reading(
    19,
    layer(({ hosts, request }) => redirect(`http://${hosts.strangers.port}${request.target}`)),
    "bearer",
  ),
  "redirect-port-basic": reading(
    19,
    layer(({ hosts, request }) => redirect(`http://${hosts.strangers.port}${request.target}`)),
    "basic",
  ),
  "redirect-address": reading(
    20,
    layer(({ hosts, request }) => redirect(`http://${hosts.strangers.address}${request.target}`)),
    "bearer",
  ),
  "realm-elsewhere": reading(21, () => undefined, "foreignRealm"),
  "token-ends-early": reading(22, () => undefined, "bearer"),
  "manifest-5mib": reading(
    23,
    manifest(({ image }) => Buffer.concat([image.manifest, Buffer.alloc(5 * 1024 * 1024, " ")])),
  ),
  "manifests-beside-layers": reading(
    24,
    manifest(({ image }) => json({ ...image.members(), manifests: [] })),
  ),
  "digest-traversal": reading(
    25,
    manifest(({ image }) => json(withLayer(image, { digest: `sha256:../../${"0".repeat(58)}` }))),
  ),
  "digest-upper": reading(
    25,
    manifest(({ image }) => json(withLayer(image, { digest: digest(image.layer).toUpperCase() }))),
  ),
  "size-wrong": reading(
    26,
    manifest(({ image }) => json(withLayer(image, { size: image.layer.length + 1 }))),
  ),
  "size-negative": reading(
    26,
    manifest(({ image }) => json(withLayer(image, { size: -1 }))),
  ),
  "digest-header-wrong": reading(
    27,
    on("manifest-read", ({ image }) =>
      manifestAnswer(image.manifest, digest(Buffer.from("other"))),
    ),
  ),
  "error-escapes": reading(
    28,
    on("manifest-read", () =>
      refusal(404, "NAME_UNKNOWN", "a\u001b[2Jb\r\nlevel=info msg=ok\u202ec"),
    ),
  ),
  "gzip-encoded": reading(
    29,
    layer((stage) => {
      const body = gzipSync(stage.image.layer, { level: 1 });
      return { ...blobAnswer(stage.request, body), headers: { "Content-Encoding": "gzip" } };
    }),
  ),
  "upload-start-500": writing(30, on("upload-start", once(500))),
  "upload-start-429": writing(
    31,
    on(
      "upload-start",
      first(() => tooMany("1")),
    ),
  ),
  "patch-500": writing(32, on("upload-part", once(500))),
  "patch-503": writing(32, on("upload-part", once(503))),
  "patch-reset": writing(
    32,
    on(
      "upload-part",
      first(() => resetMidway),
    ),
  ),
  "commit-500": writing(33, on("upload-end", once(500))),
  /** The blob has arrived all the same. */
  "commit-500-kept": writing(
    33,
    on("upload-end", async ({ nth, honest }) => {
      if (nth > 0) return undefined;
      await honest();
      return plain(500);
    }),
  ),
  "put-500": writing(34, on("manifest-write", once(500))),
  "put-503": writing(34, on("manifest-write", once(503))),
  "put-429": writing(
    35,
    on(
      "manifest-write",
      first(() => tooMany("1")),
    ),
  ),
  "claims-blobs": writing(
    36,
    on("blob-head", ({ image, reference, store, nth }) => {
      const claimed = [image.layer, image.config].find((blob) => digest(blob) === reference);
      return nth === 0 && claimed !== undefined && !store.blobs.has(reference)
        ? { status: 200, headers: { "Content-Length": String(claimed.length) } }
        : undefined;
    }),
  ),
  "put-digest-wrong": writing(
    37,
    on("manifest-write", async ({ honest }) => {
      const answer = await honest();
      const other = { "Docker-Content-Digest": digest(Buffer.from("other")) };
      return answer.status === 201 ? { ...answer, headers: other } : answer;
    }),
  ),
  "silent-tls": reading(42, () => undefined, "silentTls"),
} as const satisfies Readonly<Record<string, Fault>>;

function reading(row: number, play: Play, host: Fault["host"] = "open"): Fault {
  return { row, host, holdsImage: true, play };
}

function writing(row: number, play: Play): Fault {
  return { row, holdsImage: false, play };
}

function first(play: Play): Play {
  return times(1, play);
}

function times(count: number, play: Play): Play {
  return (stage) => (stage.nth < count ? play(stage) : undefined);
}

function on(kind: RequestKind, play: Play): Play {
  return (stage) => (stage.kind === kind ? play(stage) : undefined);
}

/** Concerns the reading of the layer alone. */
function layer(play: Play): Play {
  return on("blob-read", (stage) =>
    stage.reference === digest(stage.image.layer) ? play(stage) : undefined,
  );
}

/** Serves another manifest, under whatever name it is asked for. */
function manifest(of: (stage: Stage) => Buffer): Play {
  return on("manifest-read", (stage) => manifestAnswer(of(stage)));
}

function once(status: number): Play {
  return first(() => plain(status));
}

function plain(status: number): RawAnswer {
  return { status, headers: { "Content-Type": "text/plain" }, body: "trouble\n" };
}

const portal: RawAnswer = {
  status: 200,
  headers: { "Content-Type": "text/html; charset=utf-8" },
  body: "<!doctype html><title>Welcome to this network</title>",
};

function tooMany(retryAfter?: string): RawAnswer {
  const refused = refusal(429, "TOOMANYREQUESTS");
  if (retryAfter === undefined) return refused;
  return { ...refused, headers: { ...refused.headers, "Retry-After": retryAfter } };
}

function tooManyUntil(seconds: number): RawAnswer {
  const now = Date.now();
  const at = new Date(now + seconds * 1000).toUTCString();
  const answer = tooMany(at);
  return { ...answer, headers: { ...answer.headers, Date: new Date(now).toUTCString() } };
}

function redirect(location: string): RawAnswer {
  return { status: 307, headers: { Location: location } };
}

function whole({ image }: Stage): RawAnswer {
  return { status: 200, body: image.layer };
}

function flipped({ image, request }: Stage): RawAnswer {
  const bytes = Buffer.from(image.layer);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  return blobAnswer(request, bytes);
}

function withLayer(image: SampleImage, changed: { digest?: string; size?: number }): unknown {
  const members = image.members();
  return { ...members, layers: members.layers.map((each) => ({ ...each, ...changed })) };
}

const close: Deed = (socket) => {
  socket.destroy();
};
const reset: Deed = (socket) => {
  socket.resetAndDestroy();
};
/** Keeps the connection open and says nothing more, until the other side gives up. */
const silence: Deed = (socket) => new Promise((resolve) => socket.once("close", () => resolve()));

function cutHalf(how: "FIN" | "RST"): Play {
  return ({ image }) =>
    async (socket) => {
      writeHead(socket, { "Content-Length": String(image.layer.length) });
      await write(socket, image.layer.subarray(0, image.layer.length >> 1));
      await cut(socket, how);
    };
}

/** Gives what is asked for, but no more than some bytes of it. */
function cutAfter(bytes: number): Play {
  return ({ image, request }) => {
    const { status, headers, body = "" } = blobAnswer(request, image.layer);
    return async (socket) => {
      writeHead(socket, { ...headers, "Content-Length": String(body.length) }, status);
      await write(socket, Buffer.from(body).subarray(0, bytes));
      if (body.length > bytes) await cut(socket, "FIN");
    };
  };
}

function cutInChunk({ image }: Stage): Deed {
  return async (socket) => {
    writeHead(socket, { "Transfer-Encoding": "chunked" });
    await write(socket, Buffer.from(`${image.layer.length.toString(16)}\r\n`));
    await write(socket, image.layer.subarray(0, image.layer.length >> 1));
    await cut(socket, "FIN");
  };
}

function shortAndClosed({ image, request }: Stage): Deed {
  const { status, headers, body = "" } = blobAnswer(request, image.layer.subarray(0, -10));
  return async (socket) => {
    writeHead(socket, { ...headers, "Content-Length": String(body.length + 10) }, status);
    await write(socket, Buffer.from(body));
    await cut(socket, "FIN");
  };
}

function silentAfter(share: number): Play {
  return ({ image }) =>
    async (socket) => {
      writeHead(socket, { "Content-Length": String(image.layer.length) });
      await write(socket, image.layer.subarray(0, Math.floor(image.layer.length * share)));
      await silence(socket);
    };
}

function drip({ image }: Stage): Deed {
  return async (socket) => {
    writeHead(socket, { "Content-Length": String(image.layer.length) });
    for (const byte of image.layer) {
      if (socket.destroyed) return;
      socket.write(Uint8Array.of(byte));
      await Bun.sleep(1000);
    }
  };
}

/** Takes some of what is sent, and breaks off. */
const resetMidway: Deed = async (socket) => {
  await Bun.sleep(20);
  socket.resetAndDestroy();
};

async function write(socket: Socket, bytes: Uint8Array): Promise<void> {
  if (bytes.length === 0 || socket.write(bytes)) return;
  await new Promise<void>((resolve) => {
    socket.once("drain", () => resolve()).once("close", () => resolve());
  });
}

async function cut(socket: Socket, how: "FIN" | "RST"): Promise<void> {
  // What has been sent must not be lost with the connection: the kernel forgets it after a reset, and
  // this runtime where it learns of bytes and end at once.
  await Bun.sleep(100);
  if (how === "FIN") return socket.destroySoon();
  socket.resetAndDestroy();
}
