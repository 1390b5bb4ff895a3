import { describe, expect, test } from "bun:test";

import { digestOf } from "../../../core/content/digest.ts";
import { parseDockerName } from "../../../core/content/docker-name.ts";
import { manifestTypes } from "../../../core/content/media-types.ts";
import type { RawManifest } from "../../../core/image/source.ts";
import { limits } from "../../../core/limits.ts";
import { readManifest } from "../../../transports/docker/manifest.ts";
import { clientOf } from "../../support/registry-client.ts";
import { type RegistryOptions, startRegistry } from "../../support/registry-server.ts";
import { startWire } from "../../support/wire-server.ts";

const manifest = new TextEncoder().encode('{"schemaVersion":2,"layers":[]}');
const digest = digestOf(manifest);

function registryWithImage(options: RegistryOptions = {}) {
  const registry = startRegistry(options);
  registry.repository("a/b").addManifest(manifest, manifestTypes.oci, "1");
  return registry;
}

async function read(host: string, reference = "1"): Promise<RawManifest> {
  await using client = await clientOf(host);
  return await readManifest({ client, name: parseDockerName(`${host}/a/b`), reference });
}

describe("readManifest", () => {
  test.each([
    ["application/vnd.oci.image.manifest.v1+json", manifestTypes.oci],
    [`${manifestTypes.schema2}; charset=utf-8`, manifestTypes.schema2],
    ["Application/JSON", "application/json"],
    ["nothing to speak of", ""],
  ])("takes the content type %p for %p", async (header, mediaType) => {
    await using registry = registryWithImage({
      intercept: async (_, usual) => {
        const response = await usual();
        response.headers.set("content-type", header);
        return response;
      },
    });
    expect(await read(registry.host)).toEqual({ bytes: manifest, mediaType });
  });

  test("asks again where the body broke off", async () => {
    const head = ["200 OK", `Content-Length: ${manifest.length}`];
    await using server = await startWire(() =>
      server.requests.length === 1
        ? { head, body: manifest.subarray(5), then: "close" }
        : { head, body: manifest },
    );
    expect((await read(server.host)).bytes).toEqual(manifest);
    expect(server.requests).toHaveLength(2);
  });

  test("gives up where the body breaks off each time", async () => {
    const head = ["200 OK", `Content-Length: ${manifest.length}`];
    await using server = await startWire(() => ({
      head,
      body: manifest.subarray(5),
      then: "close",
    }));
    await expect(read(server.host)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/^reading manifest body 1 in /),
    });
    expect(server.requests).toHaveLength(limits.requestAttempts);
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
    await expect(read(registry.host)).rejects.toMatchObject({
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
    expect((await read(registry.host)).bytes).toEqual(manifest);
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
    expect((await read(registry.host, digest)).bytes).toEqual(manifest);
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
      expect((await read(registry.host)).bytes).toEqual(manifest);
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
    await expect(read(registry.host)).rejects.toMatchObject({
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
    await expect(read(registry.host)).rejects.toMatchObject({
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
    expect((await read(registry.host)).bytes).toEqual(manifest);
  });
});
