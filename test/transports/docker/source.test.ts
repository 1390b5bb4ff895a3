import { describe, expect, test } from "bun:test";

import { collect } from "../../../core/blob/collect.ts";
import { digestOf } from "../../../core/content/digest.ts";
import { manifestTypes } from "../../../core/content/media-types.ts";
import type { ImageSource } from "../../../core/image/source.ts";
import { limits } from "../../../core/limits.ts";
import { docker } from "../../../transports/docker/reference.ts";
import { dockerContext, type DockerWish } from "../../support/docker-context.ts";
import { type RegistryOptions, startRegistry } from "../../support/registry-server.ts";

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

  test("has no signatures", async () => {
    await using registry = registryWithImage();
    await using source = await open(registry.host);
    expect(await source.readSignatures()).toEqual([]);
  });

  test("fails with not-found where there is no such image", async () => {
    await using registry = registryWithImage();
    await expect(open(registry.host, {}, ":2")).rejects.toMatchObject({
      code: "not-found",
      message: `reading manifest 2 in ${registry.host}/a/b: manifest unknown`,
    });
  });

  test("says what was fetched where there is no registry", async () => {
    const registry = startRegistry();
    await registry[Symbol.asyncDispose]();
    await expect(open(registry.host)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(
        new RegExp(`^fetching manifest 1 in ${registry.host}/a/b: pinging container registry `),
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

  test("C3: refuses a manifest that contradicts the digest its registry names", async () => {
    const wrong = digestOf(new Uint8Array(1));
    await using registry = registryWithImage({
      intercept: async (seen, usual) => {
        const response = await usual();
        if (seen.target.includes("/manifests/"))
          response.headers.set("docker-content-digest", wrong);
        return response;
      },
    });
    await expect(open(registry.host)).rejects.toMatchObject({
      code: "corrupt",
      message: `reading manifest 1 in ${registry.host}/a/b: ${registry.host} says that it has digest ${wrong}, but what it sent has ${digest}`,
    });
    // Once more past the caches, then it is settled.
    const [first, second] = registry.requests.filter(({ target }) =>
      target.includes("/manifests/"),
    );
    expect(first!.headers.get("cache-control")).toBeNull();
    expect(second!.headers.get("cache-control")).toBe("no-cache");
  });

  test("C3: reads a manifest once more where only a cache was wrong", async () => {
    let changed = false;
    await using registry = registryWithImage({
      intercept: async (seen, usual) => {
        const response = await usual();
        if (changed || !seen.target.includes("/manifests/")) return response;
        changed = true;
        const body = `${await response.text()} `;
        return new Response(body, { headers: response.headers });
      },
    });
    await using source = await open(registry.host);
    expect((await source.readManifest()).bytes).toEqual(manifest);
    expect(changed).toBe(true);
  });

  test("C3: reads an image of a list once more where the bytes are not those of its digest", async () => {
    let served = 0;
    await using registry = registryWithImage({
      intercept: (seen, usual) => {
        if (!seen.target.endsWith(digest) || served++ > 0) return usual();
        return new Response("{}", { headers: { "Content-Type": manifestTypes.oci } });
      },
    });
    await using source = await open(registry.host);
    expect((await source.readManifest(digest)).bytes).toEqual(manifest);
    expect(registry.requests.at(-1)!.headers.get("cache-control")).toBe("no-cache");
  });

  test("C3: believes no header of an unknown algorithm, and none that is no digest", async () => {
    for (const header of ["md5:00", "sha256:../../x", ""]) {
      await using registry = registryWithImage({
        intercept: async (_, usual) => {
          const response = await usual();
          response.headers.set("docker-content-digest", header);
          return response;
        },
      });
      await using source = await open(registry.host);
      expect((await source.readManifest()).bytes).toEqual(manifest);
    }
  });

  test("P1: stops reading a manifest at the limit", async () => {
    let sent = 0;
    await using registry = startRegistry({
      intercept: (seen, usual) => {
        if (!seen.target.includes("/manifests/")) return usual();
        const chunk = new Uint8Array(64 * 1024);
        const body = new ReadableStream({
          pull(controller) {
            sent += chunk.length;
            controller.enqueue(chunk);
          },
        });
        return new Response(body, { headers: { "Content-Type": manifestTypes.oci } });
      },
    });
    await expect(open(registry.host)).rejects.toMatchObject({
      message: `reading manifest body 1 in ${registry.host}/a/b: exceeded maximum allowed size of ${limits.manifestBytes} bytes`,
    });
    expect(sent).toBeLessThan(4 * limits.manifestBytes);
  });

  test("names content type and host of a web page in place of a manifest", async () => {
    await using registry = startRegistry({
      intercept: (seen, usual) =>
        seen.target === "/v2/"
          ? usual()
          : new Response("<html>log in</html>", { headers: { "Content-Type": "text/html" } }),
    });
    await expect(open(registry.host)).rejects.toMatchObject({
      code: "refused",
      message: `reading manifest body 1 in ${registry.host}/a/b: ${registry.host} answered with a web page (content type "text/html") instead of the content`,
      hint: expect.stringContaining("a proxy or portal answered?"),
    });
  });

  test("N13: undoes a content encoding that nobody asked for", async () => {
    await using registry = registryWithImage({
      intercept: async (seen, usual) => {
        const response = await usual();
        if (!seen.target.includes("/manifests/")) return response;
        expect(seen.headers.get("accept-encoding")).toBe("identity");
        const body = Bun.gzipSync(new Uint8Array(await response.arrayBuffer()));
        response.headers.delete("content-length");
        response.headers.set("content-encoding", "gzip");
        return new Response(body, { headers: response.headers });
      },
    });
    await using source = await open(registry.host);
    expect((await source.readManifest()).bytes).toEqual(manifest);
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
