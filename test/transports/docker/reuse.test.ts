import { describe, expect, test } from "bun:test";

import type { BlobFact, BlobInfo } from "../../../core/cache/blob-info.ts";
import { candidatesIn } from "../../../core/cache/candidates.ts";
import { MemoryRecords } from "../../../core/cache/memory.ts";
import { type Digest, digestOf } from "../../../core/content/digest.ts";
import { parseDockerName } from "../../../core/content/docker-name.ts";
import type { StandIns } from "../../../core/image/destination.ts";
import { docker } from "../../../transports/docker/reference.ts";
import { sighting } from "../../../transports/docker/sightings.ts";
import { dockerContext, type DockerWish } from "../../support/docker-context.ts";
import { outgoingBlob } from "../../support/outgoing.ts";
import {
  type RegistryOptions,
  type RegistryServer,
  startRegistry,
} from "../../support/registry-server.ts";

const layer = new TextEncoder().encode("a layer");
const other = new TextEncoder().encode("the same layer, packed");
const wanted = { mediaType: "x", digest: digestOf(layer), size: layer.length };
const content = digestOf(new TextEncoder().encode("content"));
const anyForm: StandIns = { forms: ["gzip", "none"], content: async () => content };

/** What is known of blobs, for this test only. */
function infoOf(...facts: BlobFact[]): BlobInfo & { readonly noted: BlobFact[] } {
  const records = new MemoryRecords();
  records.keep(facts.map((fact, timeMs) => ({ fact, timeMs })));
  const noted: BlobFact[] = [];
  return {
    noted,
    note: (fact) => void noted.push(fact),
    candidates: async (wish) => candidatesIn([records], wish),
  };
}

const sameContent: BlobFact[] = [
  { kind: "content", digest: wanted.digest, uncompressed: content },
  { kind: "content", digest: digestOf(other), uncompressed: content },
  { kind: "compression", digest: digestOf(other), compression: "gzip" },
];

function seenIn(registry: RegistryServer, repository: string, digest: Digest = wanted.digest) {
  return sighting(parseDockerName(`${registry.host}/${repository}`), digest);
}

function open(registry: RegistryServer, blobInfo: BlobInfo, wish: DockerWish = {}) {
  const context = dockerContext(wish);
  const { settings } = context;
  return docker.parseReference(`//${registry.host}/a/b:1`).openDestination({
    ...context,
    settings: { ...settings, docker: { ...settings.docker, blobInfo } },
  });
}

function probed(registry: RegistryServer, blobInfo: BlobInfo) {
  const context = dockerContext();
  const settings = { ...context.settings, docker: { ...context.settings.docker, blobInfo } };
  return docker.parseReference(`//${registry.host}/a/b:2`).openProbe?.({ ...context, settings });
}

async function reuse(
  registry: RegistryServer,
  blobInfo: BlobInfo,
  { standIns, ...wish }: DockerWish & { standIns?: StandIns } = {},
) {
  await using destination = await open(registry, blobInfo, wish);
  return await destination.reuseBlob(wanted, "layer", standIns);
}

function registryWith(
  blobs: readonly (readonly [repository: string, bytes: Uint8Array])[],
  options: RegistryOptions = {},
): RegistryServer {
  const registry = startRegistry(options);
  for (const [repository, bytes] of blobs) registry.repository(repository).addBlob(bytes);
  return registry;
}

/** Requests behind the ping, as `METHOD repository`. */
function steps(registry: RegistryServer): string[] {
  return registry.lines
    .slice(1)
    .map((line) => line.replace(/^(\w+) \/v2\/(.*?)\/blobs.*/, "$1 $2"));
}

describe("reuseFromElsewhere", () => {
  test("mounts the blob from where it was seen, with one request", async () => {
    await using registry = registryWith([["c/d", layer]]);
    expect(await reuse(registry, infoOf(seenIn(registry, "c/d")))).toEqual({
      digest: wanted.digest,
      size: layer.length,
      by: "mounting",
    });
    expect(steps(registry)).toEqual(["HEAD a/b", "POST a/b"]);
  });

  test("looks before it asks for another mount, and uses the upload that was begun", async () => {
    await using registry = registryWith([["g/h", layer]]);
    const info = infoOf(seenIn(registry, "g/h"), seenIn(registry, "e/f"), seenIn(registry, "c/d"));
    const stored = await reuse(registry, info);
    expect(stored?.by).toBe("mounting");
    expect(steps(registry)).toEqual([
      "HEAD a/b",
      "POST a/b",
      "HEAD e/f",
      "HEAD g/h",
      "POST a/b",
      "DELETE a/b",
    ]);
    expect(registry.repository("a/b").uploads.size).toBe(0);
  });

  test("sends by the upload that the registry began, where nobody has the blob any more", async () => {
    await using registry = registryWith([]);
    await using destination = await open(registry, infoOf(seenIn(registry, "c/d")));
    expect(await destination.reuseBlob(wanted, "layer")).toBeUndefined();
    await destination.putBlob(await outgoingBlob(layer), "layer");
    expect(steps(registry)).toEqual(["HEAD a/b", "POST a/b", "PATCH a/b", "PUT a/b"]);
  });

  test("does not look where it has looked, nor in another registry", async () => {
    await using registry = registryWith([]);
    const elsewhere = sighting(parseDockerName("other.example/c/d"), wanted.digest);
    const info = infoOf(seenIn(registry, "a/b"), elsewhere);
    expect(await reuse(registry, info)).toBeUndefined();
    expect(steps(registry)).toEqual(["HEAD a/b"]);
  });

  test.each([
    ["the same repository", "a/b", "presence", ["HEAD a/b", "HEAD a/b"]],
    ["another repository", "c/d", "mounting", ["HEAD a/b", "HEAD c/d", "POST a/b"]],
  ] as const)("takes the same content in other bytes from %s", async (_, place, by, expected) => {
    await using registry = registryWith([[place, other]]);
    const info = infoOf(...sameContent, seenIn(registry, place, digestOf(other)));
    expect(await reuse(registry, info, { standIns: anyForm })).toEqual({
      digest: digestOf(other),
      size: other.length,
      by,
      compression: "gzip",
    });
    expect(steps(registry)).toEqual([...expected]);
  });

  test("looks here for the same content that nobody has seen anywhere", async () => {
    await using registry = registryWith([["a/b", other]]);
    const stored = await reuse(registry, infoOf(...sameContent), { standIns: anyForm });
    expect(stored).toMatchObject({ digest: digestOf(other), by: "presence" });
  });

  test("takes only the very bytes where no others will do", async () => {
    await using registry = registryWith([["a/b", other]]);
    expect(await reuse(registry, infoOf(...sameContent))).toBeUndefined();
    expect(steps(registry)).toEqual(["HEAD a/b"]);
  });

  test.each([
    ["names", digestOf(new Uint8Array(9))],
    ["would name, if it did", undefined],
  ])("C5: takes nothing that is not the content which the image's config %s", async (_, named) => {
    await using registry = registryWith([["a/b", other]]);
    const standIns = { ...anyForm, content: async () => named };
    expect(await reuse(registry, infoOf(...sameContent), { standIns })).toBeUndefined();
    expect(steps(registry)).toEqual(["HEAD a/b"]);
  });

  test("takes only what stands in where the blob itself would not do", async () => {
    await using registry = registryWith([
      ["a/b", layer],
      ["c/d", other],
    ]);
    const annotations = { some: "annotation" };
    const chunked: BlobFact = {
      kind: "chunked",
      digest: digestOf(other),
      annotations,
      uncompressed: content,
    };
    const info = infoOf(
      ...sameContent,
      { kind: "compression", digest: digestOf(other), compression: "zstd" },
      chunked,
      seenIn(registry, "a/b"),
      seenIn(registry, "c/d", digestOf(other)),
    );
    await using destination = await open(registry, info);
    const standIns: StandIns = { forms: ["zstd:chunked"], content: async () => content };
    expect(await destination.reuseStandIn?.(wanted, standIns)).toEqual({
      digest: digestOf(other),
      size: other.length,
      by: "mounting",
      compression: "zstd",
      annotations,
    });
    expect(steps(registry)).toEqual(["HEAD c/d", "POST a/b"]);
    await using probe = await probed(registry, info);
    expect(await probe?.findStandIn?.(wanted, standIns)).toMatchObject({
      by: "mounting",
      annotations,
    });
    const gzip: StandIns = { ...standIns, forms: ["gzip"] };
    expect(await destination.reuseStandIn?.(wanted, gzip)).toBeUndefined();
  });

  test("goes on where it may not look", async () => {
    const auth = { kind: "bearer", denies: ["repository:e/f:pull"] } as const;
    await using registry = registryWith([["c/d", other]], { auth });
    const info = infoOf(
      ...sameContent,
      seenIn(registry, "c/d", digestOf(other)),
      seenIn(registry, "e/f", digestOf(other)),
    );
    expect(await reuse(registry, info, { standIns: anyForm })).toMatchObject({ by: "mounting" });
  });

  test("notes where blobs are: found, mounted, sent and read", async () => {
    await using registry = registryWith([
      ["c/d", layer],
      ["a/b", other],
    ]);
    const info = infoOf(seenIn(registry, "c/d"));
    await using destination = await open(registry, info);
    await destination.reuseBlob(wanted, "layer");
    await destination.reuseBlob(
      { mediaType: "x", digest: digestOf(other), size: other.length },
      "layer",
    );
    const third = new TextEncoder().encode("third");
    await destination.putBlob(await outgoingBlob(third), "layer");
    expect(info.noted).toEqual([
      seenIn(registry, "a/b"),
      seenIn(registry, "a/b", digestOf(other)),
      seenIn(registry, "a/b", digestOf(third)),
    ]);
  });
});

describe("findElsewhere", () => {
  const find = async (registry: RegistryServer, blobInfo: BlobInfo, standIns?: StandIns) => {
    const context = dockerContext();
    const docked = { ...context.settings.docker, blobInfo };
    const reference = docker.parseReference(`//${registry.host}/a/b:1`);
    const settings = { ...context.settings, docker: docked };
    await using probe = await reference.openProbe?.({ ...context, settings });
    return await probe?.findBlob(wanted, "layer", standIns);
  };

  test.each([
    ["the blob, wherever it was seen", undefined, layer, "mounting", {}],
    ["one of the same content", anyForm, other, "mounting", { compression: "gzip" }],
  ] as const)("finds %s, and mounts nothing", async (_, standIns, bytes, by, more) => {
    await using registry = startRegistry();
    registry.repository("c/d").addBlob(bytes);
    const digest = digestOf(bytes);
    const info = infoOf(...sameContent, seenIn(registry, "c/d", digest));
    const found = await find(registry, info, standIns);
    expect(found).toEqual({ digest, size: bytes.length, by, ...more });
    expect(info.noted).toEqual([]);
    expect(registry.requests.slice(1).every(({ method }) => method === "HEAD")).toBe(true);
    expect(registry.repository("a/b").blobs.size).toBe(0);
  });

  test("says of what the source lacks, because it was made on the way, what then happens", async () => {
    await using registry = registryWith([["c/d", layer]]);
    const info = infoOf(seenIn(registry, "c/d"));
    const origin = docker.parseReference(`//${registry.host}/from/here:1`);
    const context = dockerContext({ origin });
    const settings = {
      ...context.settings,
      docker: { ...context.settings.docker, blobInfo: info },
    };
    const reference = docker.parseReference(`//${registry.host}/a/b:1`);
    await using probe = await reference.openProbe?.({ ...context, settings });
    const said = await probe?.findBlob(wanted, "config");
    expect(said).toEqual(await reuse(registry, info, { origin }));
    expect(said).toBeUndefined();
  });

  test("finds nothing where what was seen is gone", async () => {
    await using registry = startRegistry();
    const info = infoOf(...sameContent, seenIn(registry, "c/d"));
    expect(await find(registry, info, anyForm)).toBeUndefined();
  });
});
