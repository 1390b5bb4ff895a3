import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

import { collect } from "../../../core/blob/collect.ts";
import { digestHex, digestOf } from "../../../core/content/digest.ts";
import { manifestTypes } from "../../../core/content/media-types.ts";
import type { ImageSource } from "../../../core/image/source.ts";
import { Candidate } from "../../../core/trust/gate.ts";
import { docker } from "../../../transports/docker/reference.ts";
import { dockerContext, type DockerWish } from "../../support/docker-context.ts";
import { type RegistryOptions, startRegistry } from "../../support/registry-server.ts";
import { someManifest } from "../../support/some-manifest.ts";
import { Workspace } from "../../support/workspace.ts";

const manifest = new TextEncoder().encode('{"schemaVersion":2,"layers":[]}');
const digest = digestOf(manifest);

function registryWithImage(options: RegistryOptions = {}) {
  const registry = startRegistry(options);
  registry.repository("a/b").addManifest(manifest, manifestTypes.oci, "1");
  return registry;
}

function open(host: string, wish: DockerWish = {}, tag = ":1"): Promise<ImageSource> {
  return docker.parseReference(`//${host}/a/b${tag}`).openSource(dockerContext(wish));
}

describe("openSource", () => {
  test("reads the manifest once, as stored, with the type that the registry reports", async () => {
    await using registry = registryWithImage();
    await using source = await open(registry.host);
    for (let times = 0; times < 2; times++) {
      const { bytes, mediaType } = await source.readManifest();
      expect(bytes).toEqual(manifest);
      expect(mediaType).toBe(manifestTypes.oci);
    }
    expect(registry.lines).toEqual(["GET /v2/", "GET /v2/a/b/manifests/1"]);
    expect(registry.requests[1]!.headers.get("accept")).toBe(
      [
        manifestTypes.oci,
        manifestTypes.schema2,
        manifestTypes.schema1Signed,
        manifestTypes.schema1,
        manifestTypes.dockerList,
        manifestTypes.ociIndex,
      ].join(", "),
    );
  });

  test("reads the images of a list by their digests", async () => {
    await using registry = registryWithImage();
    await using source = await open(registry.host);
    expect((await source.readManifest(digest)).bytes).toEqual(manifest);
    expect(registry.lines.at(-1)).toBe(`GET /v2/a/b/manifests/${digest}`);
  });

  test("finds signatures by the digest they are about, where administrators keep them", async () => {
    using workspace = new Workspace();
    await using registry = registryWithImage();
    const signatures = { lookaside: pathToFileURL(workspace.path).href };
    await using source = await open(registry.host, { signatures });
    expect(await source.readSignatures({ digest })).toEqual([]);
    mkdirSync(workspace.at(`a/b@sha256=${digestHex(digest)}`), { recursive: true });
    writeFileSync(workspace.at(`a/b@sha256=${digestHex(digest)}`, "signature-1"), "one");
    expect(await source.readSignatures({ digest })).toEqual([new Uint8Array(Buffer.from("one"))]);
    expect(await source.readSignatures(someManifest)).toEqual([]);
  });

  test("finds signatures that the registry keeps itself, and looks nowhere else", async () => {
    const content = Buffer.from("one").toString("base64");
    await using registry = registryWithImage({
      intercept: async ({ target }, usual) => {
        if (target.startsWith("/extensions/")) {
          return Response.json({ signatures: [{ schemaVersion: 2, type: "atomic", content }] });
        }
        const answer = await usual();
        answer.headers.set("X-Registry-Supports-Signatures", "1");
        return answer;
      },
    });
    const signatures = { lookaside: "ftp://never.asked" };
    await using source = await open(registry.host, { signatures });
    expect(await source.readSignatures({ digest })).toEqual([Buffer.from("one")]);
  });

  test("G3: finds the signatures of what was read, though the tag has moved on", async () => {
    using workspace = new Workspace();
    let asked = 0;
    await using registry = registryWithImage({
      intercept: async ({ target }, usual) => {
        const moved = target.endsWith("/manifests/1") && asked++ > 0;
        return moved ? new Response("{}") : usual();
      },
    });
    const signatures = { lookaside: pathToFileURL(workspace.path).href };
    mkdirSync(workspace.at(`a/b@sha256=${digestHex(digest)}`), { recursive: true });
    writeFileSync(workspace.at(`a/b@sha256=${digestHex(digest)}`, "signature-1"), "one");
    const candidate = new Candidate(await open(registry.host, { signatures }));
    expect(await candidate.signatures()).toHaveLength(1);
    expect((await candidate.manifest()).bytes).toEqual(manifest);
    expect(asked).toBe(1);
  });

  test("fails with not-found where there is no such image", async () => {
    await using registry = registryWithImage();
    await expect(open(registry.host, {}, ":2")).rejects.toMatchObject({
      code: "not-found",
      message: `reading manifest 2 in ${registry.host}/a/b: manifest unknown`,
    });
  });

  test("says so where there is no registry", async () => {
    const registry = startRegistry();
    await registry[Symbol.asyncDispose]();
    await expect(open(registry.host)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(
        new RegExp(`^pinging container registry ${registry.host}: Get "http://`),
      ),
    });
  });

  test("says no for a name whose digest is unknown", async () => {
    await expect(open("q.io", {}, "@@unknown-digest@@")).rejects.toMatchObject({
      code: "usage",
      message:
        'reading images from docker: reference "//q.io/a/b@@unknown-digest@@" without a tag or digest is not supported',
    });
  });
});

describe("openBlob", () => {
  const layer = new TextEncoder().encode("a layer");
  const foreign = {
    mediaType: "application/octet-stream",
    digest: digestOf(layer),
    size: layer.length,
    urls: ["http://127.0.0.1:9/layer?signature=secret", "https://elsewhere.example/layer"],
  };

  test("C7: reads a foreign layer from the registry, and follows no address of it", async () => {
    await using registry = registryWithImage();
    registry.repository("a/b").addBlob(layer);
    await using source = await open(registry.host);
    expect(await collect(await source.openBlob(foreign), 100)).toEqual(layer);
  });

  test("C7: says in plain words that a foreign layer is not downloaded", async () => {
    let followed = 0;
    await using elsewhere = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () => {
        followed++;
        return new Response(layer);
      },
    });
    await using registry = registryWithImage();
    await using source = await open(registry.host);
    const urls = [`${elsewhere.url}x?signature=secret`, "not an address"];
    await expect(source.openBlob({ ...foreign, urls })).rejects.toMatchObject({
      code: "unsupported",
      message: `Layer ${foreign.digest} is not in the registry but elsewhere (${elsewhere.url.host}, an unreadable address), and foreign layers are not downloaded: fetching blob: blob unknown to registry`,
    });
    expect(followed).toBe(0);
  });

  test("says what is missing where an ordinary layer is not there", async () => {
    await using registry = registryWithImage();
    await using source = await open(registry.host);
    const { urls: _, ...ordinary } = foreign;
    await expect(source.openBlob(ordinary)).rejects.toMatchObject({
      code: "refused",
      message: "fetching blob: blob unknown to registry",
    });
  });
});
