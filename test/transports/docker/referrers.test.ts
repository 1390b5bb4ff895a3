import { describe, expect, test } from "bun:test";

import { parseDigest } from "../../../core/content/digest.ts";
import { parseDockerName } from "../../../core/content/docker-name.ts";
import { connect } from "../../../transports/docker/connection.ts";
import { readReferrers } from "../../../transports/docker/referrers.ts";
import { docker } from "../../../transports/docker/reference.ts";
import { addBundles, bundleOf, bundleType, referrerOf } from "../../support/bundles.ts";
import { dockerContext } from "../../support/docker-context.ts";
import {
  type RegistryOptions,
  type RegistryServer,
  startRegistry,
} from "../../support/registry-server.ts";
import { rejection } from "../../support/rejection.ts";
import { sampleImage } from "../../support/sample-images.ts";

const image = sampleImage({ layers: [], format: "oci" });
const digest = parseDigest(image.manifest.digest);
const bundle = bundleOf();
const subject = { digest: image.manifest.digest, size: image.manifest.bytes.length };
const expected = referrerOf(subject, bundle);

async function found(registry: RegistryServer): Promise<readonly Uint8Array[]> {
  const name = parseDockerName(`${registry.host}/a/b:1`);
  await using client = await connect(name, "pull", dockerContext());
  const referrers = await readReferrers({ client, name, digest, artifactType: bundleType });
  return referrers.map(({ bytes }) => bytes);
}

/** Answers for the list of referrers. */
const listing = (answer: (target: string) => Response): RegistryOptions => ({
  intercept: async ({ target }, usual) =>
    target.includes("/referrers/") ? answer(target) : usual(),
});

function indexOf(...manifests: readonly object[]): object {
  return {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests,
  };
}

const entry = {
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  digest: `sha256:${Bun.CryptoHasher.hash("sha256", expected, "hex")}`,
  size: expected.length,
  artifactType: bundleType,
};

describe("readReferrers", () => {
  test.each([400, 404, 405, 501])(
    "looks under the tag where the registry answers %d",
    async (status) => {
      await using registry = startRegistry(listing(() => new Response("", { status })));
      addBundles(registry.repository("a/b"), image, [bundle]);
      expect(await found(registry)).toEqual([expected]);
    },
  );

  test("asks the registry, page by page, and looks nowhere else then", async () => {
    const pages = listing((target) =>
      target.includes("page=2")
        ? Response.json(indexOf({ ...entry, artifactType: "text/plain" }))
        : Response.json(indexOf(entry), {
            headers: { link: '</v2/a/b/referrers/x?page=2>; rel="next"' },
          }),
    );
    await using registry = startRegistry(pages);
    addBundles(registry.repository("a/b"), image, [bundle]);
    registry.repository("a/b").tags.delete(digest.replace(":", "-"));
    expect(await found(registry)).toEqual([expected]);
    const asked = registry.lines.find((line) => line.includes("/referrers/"));
    expect(asked).toContain(
      `/v2/a/b/referrers/${digest}?artifactType=application%2Fvnd.dev.sigstore`,
    );
  });

  test("finds none where there are none", async () => {
    await using registry = startRegistry(listing(() => new Response("", { status: 404 })));
    expect(await found(registry)).toEqual([]);
    await using other = startRegistry(listing(() => Response.json(indexOf())));
    expect(await found(other)).toEqual([]);
  });

  test.each<[string, RegistryOptions, string]>([
    [
      "a list that leads back to itself",
      listing((target) => Response.json(indexOf(), { headers: { link: `<${target}>` } })),
      "does not end",
    ],
    [
      "a list that leads elsewhere",
      listing(() => Response.json(indexOf(), { headers: { link: "<http://127.0.0.1:1/other>" } })),
      "outside of its interface",
    ],
    ["no access", listing(() => new Response("", { status: 403 })), "listing them"],
    ["no JSON", listing(() => new Response("hello")), "reading referrers"],
    [
      "one that is not there",
      listing(() => Response.json(indexOf({ ...entry, digest: `sha256:${"1".repeat(64)}` }))),
      "reading referrers",
    ],
    [
      "C1: a digest that is none",
      listing(() => Response.json(indexOf({ ...entry, digest: "sha256:../x" }))),
      "digest",
    ],
  ])("fails on %s", async (_, options, why) => {
    await using registry = startRegistry(options);
    addBundles(registry.repository("a/b"), image, [bundle]);
    expect((await rejection(found(registry))).message).toContain(why);
  });
});

test("the docker source reads referrers", async () => {
  await using registry = startRegistry(listing(() => new Response("", { status: 404 })));
  addBundles(registry.repository("a/b"), image, [bundle]);
  const reference = docker.parseReference(`//${registry.host}/a/b:1`);
  await using source = await reference.openSource(dockerContext());
  expect(await source.readReferrers?.(digest, bundleType)).toHaveLength(1);
});
