import { describe, expect, test } from "bun:test";

import { digestOf, parseDigest } from "../../../core/content/digest.ts";
import { parseDockerName } from "../../../core/content/docker-name.ts";
import { manifestTypes } from "../../../core/content/media-types.ts";
import type { Referrer } from "../../../core/image/source.ts";
import { connect } from "../../../transports/docker/connection.ts";
import { docker } from "../../../transports/docker/reference.ts";
import { addReferrers } from "../../../transports/docker/new-referrers.ts";
import { readReferrers } from "../../../transports/docker/referrers.ts";
import { referrersTag } from "../../../transports/shared/referrers.ts";
import { addBundles, bundleOf, bundleType, referrerOf } from "../../support/bundles.ts";
import { dockerContext } from "../../support/docker-context.ts";
import { addSample } from "../../support/push.ts";
import {
  type RegistryOptions,
  type RegistryServer,
  startRegistry,
} from "../../support/registry-server.ts";
import { rejection } from "../../support/rejection.ts";
import { sampleImage } from "../../support/sample-images.ts";

const image = sampleImage({ layers: [], format: "oci" });
const digest = parseDigest(image.manifest.digest);
const subject = { digest: image.manifest.digest, size: image.manifest.bytes.length };
const tag = referrersTag(digest);
const log = { debug() {}, info() {}, warn() {} };
const { signal } = new AbortController();

function referrer(bundle = bundleOf()): Referrer {
  const config = new TextEncoder().encode("{}");
  const bytes = referrerOf(subject, bundle);
  const blob = (mediaType: string, content: Uint8Array) => ({
    mediaType,
    digest: digestOf(content),
    bytes: content,
  });
  return {
    manifest: blob(manifestTypes.oci, bytes),
    artifactType: bundleType,
    blobs: [blob(bundleType, bundle), blob("application/vnd.oci.empty.v1+json", config)],
  };
}

const [one, two] = [referrer(), referrer()];

async function add(registry: RegistryServer, ...referrers: readonly Referrer[]): Promise<void> {
  const name = parseDockerName(`${registry.host}/a/b:1`);
  await using client = await connect(name, "pull,push", dockerContext());
  await addReferrers({ client, name, digest, log, signal }, referrers);
}

async function found(registry: RegistryServer): Promise<readonly string[]> {
  const name = parseDockerName(`${registry.host}/a/b:1`);
  await using client = await connect(name, "pull", dockerContext());
  const read = await readReferrers({ client, name, digest, artifactType: bundleType });
  return read.map(({ bytes }) => digestOf(bytes));
}

function start(options: RegistryOptions = {}): RegistryServer {
  const registry = startRegistry(options);
  addSample(registry.repository("a/b"), "1", image);
  return registry;
}

function tagged(registry: RegistryServer): { manifests: readonly Record<string, unknown>[] } {
  const raw = registry.repository("a/b").manifest(tag);
  return JSON.parse(new TextDecoder().decode(raw?.bytes)) as ReturnType<typeof tagged>;
}

const putDirectly = (registry: RegistryServer, ...referrers: readonly Referrer[]) => {
  const manifests = referrers.map(({ manifest }) => ({
    mediaType: manifest.mediaType,
    digest: registry.repository("a/b").addManifest(manifest.bytes, manifest.mediaType),
    size: manifest.bytes.length,
  }));
  const list = { schemaVersion: 2, mediaType: manifestTypes.ociIndex, manifests };
  const bytes = new TextEncoder().encode(JSON.stringify(list));
  registry.repository("a/b").addManifest(bytes, manifestTypes.ociIndex, tag);
};

describe("addReferrers", () => {
  test.each([true, false])("adds what readers find, each once; listed by it: %s", async (lists) => {
    await using registry = start({ referrers: lists });
    await add(registry, one);
    await add(registry, two, one);
    expect([...(await found(registry))].sort()).toEqual(
      [one.manifest.digest, two.manifest.digest].sort(),
    );
    expect(registry.repository("a/b").tags.has(tag)).toBe(!lists);
    registry.forget();
    await add(registry, one, two);
    expect(registry.lines.filter((line) => !line.startsWith("GET"))).toEqual([]);
  });

  test("says in the index what an entry is, and keeps what others say there", async () => {
    await using registry = start();
    const repository = registry.repository("a/b");
    addBundles(repository, image, [bundleOf()]);
    const before = tagged(registry);
    repository.addManifest(
      new TextEncoder().encode(JSON.stringify({ ...before, annotations: { a: "b" } })),
      manifestTypes.ociIndex,
      tag,
    );
    await add(registry, one);
    const { manifest } = one;
    expect(tagged(registry)).toEqual({
      ...before,
      annotations: { a: "b" },
      manifests: [
        ...before.manifests,
        {
          mediaType: manifestTypes.oci,
          digest: manifest.digest,
          size: manifest.bytes.length,
          annotations: {
            "dev.sigstore.bundle.content": "dsse-envelope",
            "dev.sigstore.bundle.predicateType": "https://sigstore.dev/cosign/sign/v1",
          },
          artifactType: bundleType,
        },
      ],
    } as never);
  });

  test("sends again what is listed and gone", async () => {
    await using registry = start();
    await add(registry, one);
    registry.repository("a/b").manifests.delete(one.manifest.digest);
    await add(registry, one);
    expect(await found(registry)).toEqual([one.manifest.digest]);
  });

  test.each([
    // The first look is for what is listed already.
    ["before it writes", "GET", 2],
    ["after it has written", "PUT", 1],
  ])("loses nothing to somebody who lists at the same time, %s", async (_, when, which) => {
    let seen = 0;
    await using registry = start({
      intercept: async ({ method, target }, usual) => {
        const answer = await usual();
        if (!target.endsWith(tag) || method !== when || ++seen !== which) return answer;
        putDirectly(registry, two);
        return answer;
      },
    });
    await add(registry, one);
    expect([...(await found(registry))].sort()).toEqual(
      [one.manifest.digest, two.manifest.digest].sort(),
    );
  });

  test("gives up where others change the index all the time", async () => {
    await using registry = start({
      intercept: async ({ method, target }, usual) => {
        const answer = await usual();
        if (method === "PUT" && target.endsWith(tag)) putDirectly(registry, two);
        return answer;
      },
    });
    const failure = await rejection(add(registry, one));
    expect(failure.message).toContain("all the time, and our entry is lost");
    expect(failure).toMatchObject({ code: "unavailable" });
  });

  test("leaves alone what is under the tag and no index", async () => {
    await using registry = start();
    const { bytes, mediaType } = image.manifest;
    registry.repository("a/b").addManifest(bytes, mediaType, tag);
    expect((await rejection(add(registry, one))).message).toContain("is no index but of type");
    expect(registry.repository("a/b").tags.get(tag)).toBe(digest);
  });
});

test.each([
  [{ sigstoreAttachments: true }, true],
  [{ sigstoreAttachments: false }, false],
  [{}, false],
])("registries offer and hold bundles as registries.d says: %j", async (signatures, expected) => {
  await using registry = start();
  const reference = docker.parseReference(`//${registry.host}/a/b:1`);
  const context = dockerContext({ signatures });
  await using source = await reference.openSource(context);
  registry.forget();
  expect(await source.offersBundles?.()).toBe(expected);
  expect(registry.lines).toEqual([]);
  await using destination = await reference.openDestination(context);
  expect(destination.traits.holdsBundles).toBe(expected);
  if (!expected) return;
  await destination.putReferrers?.([one], { digest });
  expect(await found(registry)).toEqual([one.manifest.digest]);
});
