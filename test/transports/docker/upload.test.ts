import { describe, expect, test } from "bun:test";

import { digestOf } from "../../../core/content/digest.ts";
import { Failure } from "../../../core/failure.ts";
import type {
  ImageDestination,
  OutgoingBlob,
  StoredBlob,
} from "../../../core/image/destination.ts";
import type { Retry } from "../../../core/retry.ts";
import { docker } from "../../../transports/docker/reference.ts";
import { chunked } from "../../support/chunks.ts";
import { dockerContext, type DockerWish } from "../../support/docker-context.ts";
import { openEndedBlob, outgoingBlob } from "../../support/outgoing.ts";
import { randomBytes } from "../../support/random.ts";
import {
  type RegistryOptions,
  type RegistryServer,
  type SeenRequest,
  startRegistry,
} from "../../support/registry-server.ts";

const bytes = randomBytes("upload", 100_000);
const digest = digestOf(bytes);

function open(registry: RegistryServer, wish: DockerWish = {}): Promise<ImageDestination> {
  return docker.parseReference(`//${registry.host}/a/b:1`).openDestination(dockerContext(wish));
}

/** Puts one blob into a registry, and looks at what is left there. */
async function put(
  registry: RegistryServer,
  blob: OutgoingBlob,
  wish: DockerWish = {},
): Promise<StoredBlob> {
  await using destination = await open(registry, wish);
  return await destination.putBlob(blob, "layer");
}

function expectArrived(registry: RegistryServer): void {
  expect(registry.repository("a/b").blobs.get(digest)).toEqual(Buffer.from(bytes));
  expect(registry.repository("a/b").uploads.size).toBe(0);
}

function expectNothing(registry: RegistryServer): void {
  expect(registry.repository("a/b").blobs.size).toBe(0);
  expect(registry.repository("a/b").uploads.size).toBe(0);
}

/** The methods of all requests behind the ping, such as `HEAD POST PATCH PUT`. */
function methods({ requests }: RegistryServer): string {
  return requests
    .slice(1)
    .map(({ method }) => method)
    .join(" ");
}

/** A registry that answers the nth request of a method in its own way. */
function registryThat(
  method: string,
  answer: (
    seen: SeenRequest,
    registry: RegistryServer,
    usual: () => Promise<Response>,
  ) => Response | Promise<Response>,
  { times = 1, ...rules }: { times?: number } & RegistryOptions = {},
): RegistryServer {
  let count = 0;
  const registry: RegistryServer = startRegistry({
    ...rules,
    intercept: (seen, usual) =>
      seen.method === method && count++ < times ? answer(seen, registry, usual) : usual(),
  });
  return registry;
}

function status(code: number, headers: Record<string, string> = {}) {
  return async ({ request }: SeenRequest) => {
    await request.arrayBuffer();
    return new Response(null, { status: code, headers });
  };
}

function refused(code: number, error: string) {
  return async ({ request }: SeenRequest) => {
    await request.arrayBuffer();
    return Response.json({ errors: [{ code: error, message: "no" }] }, { status: code });
  };
}

describe("putBlob", () => {
  test("looks once, then sends in three requests", async () => {
    await using registry = startRegistry();
    expect(await put(registry, await outgoingBlob(bytes))).toEqual({
      digest,
      size: bytes.length,
      by: "sending",
    });
    expect(registry.lines).toEqual([
      "GET /v2/",
      `HEAD /v2/a/b/blobs/${digest}`,
      "POST /v2/a/b/blobs/uploads/",
      "PATCH /v2/a/b/blobs/uploads/upload-1?state=0",
      `PUT /v2/a/b/blobs/uploads/upload-1?state=100000&digest=${encodeURIComponent(digest)}`,
    ]);
    const [, , , patch, commit] = registry.requests;
    expect(patch!.headers.get("content-length")).toBe("100000");
    expect(patch!.headers.get("content-type")).toBe("application/octet-stream");
    expect(commit!.headers.get("content-length")).toBe("0");
    expectArrived(registry);
  });

  test("computes an open digest while it sends", async () => {
    await using registry = startRegistry();
    const stored = await put(registry, await openEndedBlob(bytes));
    expect(stored).toEqual({ digest, size: bytes.length, by: "sending" });
    expect(methods(registry)).toBe("POST PATCH PUT");
    expect(registry.requests[2]!.headers.get("content-length")).toBeNull();
    expectArrived(registry);
  });

  test("sends nothing that the registry has", async () => {
    await using registry = startRegistry();
    registry.repository("a/b").addBlob(bytes);
    const stored = await put(registry, await outgoingBlob(bytes));
    expect(stored).toEqual({ digest, size: bytes.length, by: "presence" });
    expect(methods(registry)).toBe("HEAD");
  });

  test("sends an empty blob", async () => {
    await using registry = startRegistry();
    const stored = await put(registry, await outgoingBlob(new Uint8Array()));
    expect(stored).toMatchObject({ size: 0, by: "sending" });
  });

  test.each([
    ["row 30: the start of an upload fails once", "POST", status(500)],
    [
      "row 31: the start of an upload is asked to wait once",
      "POST",
      status(429, { "Retry-After": "1" }),
    ],
  ])("goes on where %s", async (_, method, answer) => {
    await using registry = registryThat(method, answer);
    await put(registry, await outgoingBlob(bytes));
    expect(methods(registry)).toBe("HEAD POST POST PATCH PUT");
    expectArrived(registry);
  });

  test.each([500, 503, 429])(
    "row 32: begins anew where a PATCH is answered by %d once and nothing was kept",
    async (code) => {
      await using registry = registryThat("PATCH", status(code));
      await put(registry, await outgoingBlob(bytes));
      expect(methods(registry)).toBe("HEAD POST PATCH GET DELETE POST PATCH PUT");
      expectArrived(registry);
    },
  );

  test.each([
    ["a known digest", outgoingBlob, "60000-99999"],
    ["an open digest", openEndedBlob, null],
  ] as const)("row 32: continues where the registry stands, with %s", async (_, blob, range) => {
    await using registry = registryThat("PATCH", async ({ request }, { repository }) => {
      await request.arrayBuffer();
      const upload = repository("a/b").uploads.get("upload-1")!;
      upload.chunks.push(bytes.subarray(0, 60_000));
      upload.size = 60_000;
      return new Response(null, { status: 503 });
    });
    const stored = await put(registry, await blob(bytes));
    expect(stored).toEqual({ digest, size: bytes.length, by: "sending" });
    expect(methods(registry)).toMatch(/POST PATCH GET PATCH PUT$/);
    const again = registry.requests.at(-2)!;
    expect(again.target).toEndWith("upload-1?state=60000");
    expect(again.headers.get("content-range")).toBe(range);
    expectArrived(registry);
  });

  test("row 32: commits at once where the registry kept all of it", async () => {
    await using registry = registryThat("PATCH", async (_, __, usual) => {
      await usual();
      return new Response(null, { status: 502 });
    });
    await put(registry, await outgoingBlob(bytes));
    expect(methods(registry)).toBe("HEAD POST PATCH GET PUT");
    expectArrived(registry);
  });

  test("begins anew where what the registry kept is not what was sent", async () => {
    await using registry = registryThat("PATCH", async ({ request }, { repository }) => {
      await request.arrayBuffer();
      const upload = repository("a/b").uploads.get("upload-1")!;
      upload.chunks.push(new Uint8Array(60_000));
      upload.size = 60_000;
      return new Response(null, { status: 503 });
    });
    await put(registry, await outgoingBlob(bytes));
    expect(methods(registry)).toBe("HEAD POST PATCH GET PATCH PUT HEAD DELETE POST PATCH PUT");
    expectArrived(registry);
  });

  test.each([
    ["at the PATCH", "PATCH", refused(404, "BLOB_UPLOAD_UNKNOWN")],
    ["at the commit", "PUT", refused(404, "BLOB_UPLOAD_UNKNOWN")],
    ["by what it makes of the content", "PUT", refused(400, "DIGEST_INVALID")],
  ])("begins anew where the session is lost %s", async (_, method, answer) => {
    await using registry = registryThat(method, answer);
    await put(registry, await outgoingBlob(bytes));
    expect(methods(registry)).toEndWith("DELETE POST PATCH PUT");
    expectArrived(registry);
  });

  test("row 33: commits again where that failed once", async () => {
    await using registry = registryThat("PUT", status(500));
    const retries: Retry[] = [];
    await put(registry, await outgoingBlob(bytes), { retrying: (retry) => retries.push(retry) });
    expect(methods(registry)).toBe("HEAD POST PATCH PUT HEAD PUT");
    expect(retries).toEqual([
      { what: "upload", reason: expect.stringContaining("500"), waitMs: 500 },
    ]);
    expectArrived(registry);
  });

  test("row 33: finds a blob whose commit arrived without an answer", async () => {
    await using registry = registryThat("PUT", async (_, __, usual) => {
      await usual();
      return new Response(null, { status: 504 });
    });
    await put(registry, await outgoingBlob(bytes));
    expect(methods(registry)).toBe("HEAD POST PATCH PUT HEAD");
    expectArrived(registry);
  });

  test.each([
    ["a known digest", outgoingBlob],
    ["an open digest", openEndedBlob],
  ] as const)("sends %s in one piece to a registry without PATCH", async (_, blob) => {
    await using registry = startRegistry({ patches: false });
    const stored = await put(registry, await blob(bytes));
    expect(stored).toEqual({ digest, size: bytes.length, by: "sending" });
    expect(methods(registry)).toMatch(/POST PATCH DELETE POST PUT$/);
    expectArrived(registry);
  });

  test("gives up after four attempts, with the registry's words, and leaves no session", async () => {
    const pauses: number[] = [];
    await using registry = registryThat("PATCH", refused(503, "UNAVAILABLE"), { times: 100 });
    const sending = put(registry, await outgoingBlob(bytes), { paused: (ms) => pauses.push(ms) });
    await expect(sending).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/^uploading layer chunked: /),
    });
    expect(methods(registry).match(/PATCH/g)).toHaveLength(4);
    expect(pauses).toEqual([500, 1000, 2000]);
    expectNothing(registry);
  });

  test("says no at once where the registry refuses, and leaves no session", async () => {
    await using registry = registryThat("PATCH", refused(403, "DENIED"));
    await expect(put(registry, await outgoingBlob(bytes))).rejects.toMatchObject({
      code: "unauthorized",
      message: "uploading layer chunked: denied: no",
    });
    expect(methods(registry)).toBe("HEAD POST PATCH DELETE");
    expectNothing(registry);
  });

  test("O2: says where a commit was refused, without what the address gives away", async () => {
    await using registry = registryThat("PUT", refused(403, "DENIED"));
    await expect(put(registry, await outgoingBlob(bytes))).rejects.toMatchObject({
      code: "unauthorized",
      message: `uploading layer to ${registry.origin}/v2/a/b/blobs/uploads/upload-1?state=***&digest=***: denied: no`,
    });
    expectNothing(registry);
  });

  test("says what is missing where the registry names no session", async () => {
    await using registry = registryThat("POST", status(202));
    await expect(put(registry, await outgoingBlob(bytes))).rejects.toMatchObject({
      code: "refused",
      message: `determining upload URL: ${registry.host} sent no Location`,
    });
  });

  test("says that an upload cannot begin", async () => {
    await using registry = registryThat("POST", refused(405, "UNSUPPORTED"));
    await expect(put(registry, await outgoingBlob(bytes))).rejects.toMatchObject({
      message: `initiating layer upload to /v2/a/b/blobs/uploads/ in ${registry.host}: unsupported: no`,
    });
  });

  test("says that looking for a blob failed", async () => {
    await using registry = registryThat("HEAD", status(403));
    await expect(put(registry, await outgoingBlob(bytes))).rejects.toMatchObject({
      message: expect.stringMatching(
        new RegExp(`^checking whether a blob ${digest} exists in ${registry.host}/a/b: `),
      ),
    });
  });

  test("refuses a registry that keeps the blob under another digest", async () => {
    const other = digestOf(new Uint8Array(1));
    await using registry = registryThat("PUT", status(201, { "Docker-Content-Digest": other }));
    await expect(put(registry, await outgoingBlob(bytes))).rejects.toMatchObject({
      code: "corrupt",
      message: `${registry.host} keeps blob ${digest} under another digest, ${other}`,
    });
  });

  test("keeps what a registry put into its addresses, as it is spelled there", async () => {
    const state = "_state=a%2Fb+c%3D%3D&x=(1)";
    await using registry = registryThat("PATCH", async (seen, _, usual) => {
      const response = await usual();
      const path = seen.target.split("?")[0];
      response.headers.set("location", `${registry.origin}${path}?${state}`);
      return response;
    });
    await put(registry, await outgoingBlob(bytes));
    expect(registry.lines.at(-1)).toEndWith(`?${state}&digest=${encodeURIComponent(digest)}`);
  });

  describe("in pieces", () => {
    /** The sizes that the pieces had. */
    const sizes = ({ requests }: RegistryServer) =>
      requests
        .filter(({ method }) => method === "PATCH")
        .map(({ headers }) => Number(headers.get("content-length")));

    const ranges = ({ requests }: RegistryServer) =>
      requests
        .filter(({ method }) => method === "PATCH")
        .map(({ headers }) => headers.get("content-range"));

    test.each([
      ["a known digest", outgoingBlob],
      ["an open digest", openEndedBlob],
    ] as const)("of the size that is wished for, with %s", async (_, blob) => {
      await using registry = startRegistry({ strictPieces: true });
      const stored = await put(registry, await blob(bytes), { uploadChunkBytes: 40_000 });
      expect(stored).toEqual({ digest, size: bytes.length, by: "sending" });
      expect(methods(registry)).toMatch(/POST PATCH PATCH PATCH PUT$/);
      expect(ranges(registry)).toEqual(["0-39999", "40000-79999", "80000-99999"]);
      expect(sizes(registry)).toEqual([40_000, 40_000, 20_000]);
      expectArrived(registry);
    });

    test.each([50_000, 100_000, 100_001])(
      "where they fit by %d, without an empty one",
      async (size) => {
        await using registry = startRegistry({ strictPieces: true });
        await put(registry, await openEndedBlob(bytes), { uploadChunkBytes: size });
        expect(sizes(registry)).toEqual(size === 50_000 ? [50_000, 50_000] : [100_000]);
        expectArrived(registry);
      },
    );

    test("sends an empty blob", async () => {
      await using registry = startRegistry();
      const wish = { uploadChunkBytes: 10 };
      expect(await put(registry, await openEndedBlob(new Uint8Array()), wish)).toMatchObject({
        size: 0,
      });
      expect(await put(registry, await outgoingBlob(new Uint8Array()), wish)).toMatchObject({
        size: 0,
      });
    });

    test.each([
      ["a known digest", outgoingBlob],
      ["an open digest", openEndedBlob],
    ] as const)("once a request was too large, with %s", async (_, blob) => {
      await using registry = startRegistry({ requestBytes: 70_000 });
      await put(registry, await blob(bytes));
      expect(sizes(registry).slice(-2)).toEqual([65_536, 34_464]);
      expectArrived(registry);
    });

    test("knows the size that worked when the next blob comes", async () => {
      await using registry = startRegistry({ requestBytes: 70_000 });
      await using destination = await open(registry);
      await destination.putBlob(await outgoingBlob(bytes), "layer");
      registry.forget();
      await destination.putBlob(await outgoingBlob(bytes.toReversed()), "layer");
      expect(sizes(registry)).toEqual([65_536, 34_464]);
    });

    test("says so where no size is small enough, and leaves no session", async () => {
      await using registry = startRegistry({ requestBytes: 1000 });
      await expect(put(registry, await outgoingBlob(bytes))).rejects.toMatchObject({
        code: "refused",
        message: expect.stringContaining(
          `${registry.host} takes no request of 65536 bytes, and no smaller one makes sense`,
        ),
        hint: "a proxy before the registry may be what limits the size of requests",
      });
      expectNothing(registry);
    });

    test("of the size that the registry asks for at least", async () => {
      await using registry = startRegistry({ leastPieceBytes: 60_000 });
      await put(registry, await outgoingBlob(bytes), { uploadChunkBytes: 10_000 });
      expect(sizes(registry)).toEqual([60_000, 40_000]);
      expectArrived(registry);
    });

    test("asks where it stands after a 416, and goes on there", async () => {
      let count = 0;
      await using registry = startRegistry({
        strictPieces: true,
        intercept: async (seen, usual) => {
          if (seen.method !== "PATCH" || ++count !== 2) return usual();
          // The piece arrives, and the answer says that it should not have.
          await usual();
          return new Response(null, { status: 416 });
        },
      });
      await put(registry, await outgoingBlob(bytes), { uploadChunkBytes: 40_000 });
      expect(methods(registry)).toBe("HEAD POST PATCH PATCH GET PATCH PUT");
      expect(ranges(registry)).toEqual(["0-39999", "40000-79999", "80000-99999"]);
      expectArrived(registry);
    });

    test("goes on where the registry kept less of a piece than it was sent", async () => {
      const registry: RegistryServer = startRegistry({
        intercept: async (seen, usual) => {
          const response = await usual();
          const upload = registry.repository("a/b").uploads.get("upload-1");
          if (seen.method !== "PATCH" || upload?.size !== 40_000) return response;
          upload.chunks.splice(0, Infinity, bytes.slice(0, 30_000));
          upload.size = 30_000;
          response.headers.set("range", "0-29999");
          return response;
        },
      });
      await using _ = registry;
      await put(registry, await outgoingBlob(bytes), { uploadChunkBytes: 40_000 });
      expect(ranges(registry)).toEqual(["0-39999", "30000-69999", "70000-99999"]);
      expectArrived(registry);
    });

    test("row 32: goes on after a piece broke", async () => {
      let count = 0;
      await using registry = startRegistry({
        intercept: async (seen, usual) => {
          if (seen.method !== "PATCH" || ++count !== 2) return usual();
          await seen.request.arrayBuffer();
          return new Response(null, { status: 503 });
        },
      });
      await put(registry, await outgoingBlob(bytes), { uploadChunkBytes: 40_000 });
      expect(methods(registry)).toBe("HEAD POST PATCH PATCH GET PATCH PATCH PUT");
      expectArrived(registry);
    });

    test("C2: publishes nothing where the content is changed", async () => {
      await using registry = startRegistry();
      const wrong = bytes.with(99_999, bytes[99_999]! ^ 1);
      const blob = await outgoingBlob(bytes, () => chunked(wrong, 10_000));
      await expect(put(registry, blob, { uploadChunkBytes: 40_000 })).rejects.toMatchObject({
        code: "corrupt",
      });
      expectNothing(registry);
    });
  });

  describe("C2: publishes nothing", () => {
    test.each([
      ["is changed", bytes.with(99_999, bytes[99_999]! ^ 1), /^Digest did not match/],
      ["is too short", bytes.subarray(1), /ended after 99999 of 100000 bytes$/],
      ["is too long", new Uint8Array([...bytes, 0]), /is longer than its 100000 bytes$/],
    ])("where the content %s", async (_, wrong, message) => {
      await using registry = startRegistry();
      const blob = await outgoingBlob(bytes, () => chunked(wrong, 10_000));
      await expect(put(registry, blob)).rejects.toMatchObject({
        code: "corrupt",
        message: expect.stringMatching(message),
      });
      expect(methods(registry)).toBe("HEAD POST PATCH DELETE");
      expectNothing(registry);
    });
  });

  test("passes a failure of the source on as it is, and heals nothing", async () => {
    await using registry = startRegistry();
    const broken = async function* () {
      yield bytes.subarray(0, 50_000);
      throw new Failure("unavailable", "the source is gone");
    };
    await expect(put(registry, await outgoingBlob(bytes, broken))).rejects.toMatchObject({
      code: "unavailable",
      message: "the source is gone",
    });
    expect(methods(registry)).toBe("HEAD POST PATCH DELETE");
    expectNothing(registry);
  });

  test("F8: cancels its session when it is aborted", async () => {
    await using registry = startRegistry();
    const stop = new AbortController();
    const endless = async function* () {
      yield bytes.subarray(0, 50_000);
      stop.abort();
      await new Promise(() => {});
    };
    await using destination = await open(registry, { signal: stop.signal });
    const blob = await outgoingBlob(bytes, endless);
    await expect(destination.putBlob(blob, "layer")).rejects.toMatchObject({ code: "canceled" });
    expect(registry.lines.at(-1)).toStartWith("DELETE /v2/a/b/blobs/uploads/upload-1");
    expectNothing(registry);
  });

  test("fetches another token where one ends in the middle", async () => {
    const auth = { kind: "bearer", username: "u", password: "p" } as const;
    const registry: RegistryServer = startRegistry({
      auth,
      intercept: (seen, usual) => {
        if (seen.method === "PATCH" && !ended) {
          ended = true;
          registry.endTokens();
        }
        return usual();
      },
    });
    await using _ = registry;
    let ended = false;
    const credentials = { kind: "basic", username: "u", password: "p" } as const;
    await put(registry, await outgoingBlob(bytes), { credentials });
    expect(registry.lines.filter((line) => line.startsWith("GET /token"))).toHaveLength(2);
    expectArrived(registry);
  });
});

describe("uploading in the request that commits", () => {
  const wish = { wholeUploadBytes: bytes.length };

  test("saves a request", async () => {
    await using registry = startRegistry();
    expect(await put(registry, await outgoingBlob(bytes), wish)).toMatchObject({
      digest,
      by: "sending",
    });
    expectArrived(registry);
    expect(methods(registry)).toBe("HEAD POST PUT");
  });

  test("is for blobs of known digest that are small enough", async () => {
    await using registry = startRegistry();
    await put(registry, await outgoingBlob(bytes), { wholeUploadBytes: bytes.length - 1 });
    expect(methods(registry)).toBe("HEAD POST PATCH PUT");
    registry.forget();
    await put(registry, await openEndedBlob(randomBytes("other", 10)), wish);
    expect(methods(registry)).toContain("PATCH");
  });

  test("gives way where a registry wants to be sent a blob before", async () => {
    let refused = 0;
    await using registry = startRegistry({
      intercept: (seen, usual) => {
        const whole = seen.method === "PUT" && Number(seen.headers.get("content-length")) > 0;
        if (!whole || refused++ > 0) return usual();
        return Response.json({ errors: [{ code: "UNSUPPORTED" }] }, { status: 400 });
      },
    });
    await put(registry, await outgoingBlob(bytes), wish);
    expectArrived(registry);
    expect(methods(registry)).toStartWith("HEAD POST PUT");
    expect(methods(registry)).toEndWith("PATCH PUT");
  });

  test("is tried again where it fails of what may pass", async () => {
    let failed = 0;
    await using registry = startRegistry({
      intercept: (seen, usual) =>
        seen.method === "PUT" && failed++ === 0 ? new Response(null, { status: 503 }) : usual(),
    });
    await put(registry, await outgoingBlob(bytes), wish);
    expectArrived(registry);
  });
});
