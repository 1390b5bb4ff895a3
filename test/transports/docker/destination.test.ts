import { describe, expect, test } from "bun:test";
import { pathToFileURL } from "node:url";

import { digestHex, digestOf } from "../../../core/content/digest.ts";
import { manifestTypes } from "../../../core/content/media-types.ts";
import type { ImageDestination } from "../../../core/image/destination.ts";
import { docker } from "../../../transports/docker/reference.ts";
import { dockerContext, type DockerWish } from "../../support/docker-context.ts";
import { outgoingBlob, outgoingManifest } from "../../support/outgoing.ts";
import {
  type RegistryOptions,
  type RegistryServer,
  startRegistry,
} from "../../support/registry-server.ts";
import { treeOf } from "../../support/trees.ts";
import { Workspace } from "../../support/workspace.ts";

const layer = new TextEncoder().encode("a layer of some length");
const wanted = {
  mediaType: "application/octet-stream",
  digest: digestOf(layer),
  size: layer.length,
};

const manifest = encoded({ schemaVersion: 2, mediaType: manifestTypes.oci, layers: [] });
const digest = digestOf(manifest);

function encoded(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function open(host: string, wish: DockerWish = {}, rest = "/a/b:1"): Promise<ImageDestination> {
  return docker.parseReference(`//${host}${rest}`).openDestination(dockerContext(wish));
}

/** Methods of all requests behind the ping. */
function methods({ requests }: RegistryServer): string {
  return requests
    .slice(1)
    .map(({ method }) => method)
    .join(" ");
}

function outgoing(bytes: Uint8Array = manifest) {
  return outgoingManifest({ bytes, mediaType: "" });
}

describe("openDestination", () => {
  test("asks nobody until there is something to write", async () => {
    await using registry = startRegistry();
    await using destination = await open(registry.host);
    expect(destination.traits).toMatchObject({
      layers: "compress",
      keepsForeignUrls: true,
      holdsLists: true,
      concurrent: true,
    });
    expect(destination.traits.manifestTypes).toEqual([
      manifestTypes.oci,
      manifestTypes.schema2,
      manifestTypes.ociIndex,
      manifestTypes.dockerList,
      manifestTypes.schema1Signed,
      manifestTypes.schema1,
    ]);
    expect(registry.lines).toEqual([]);
  });
});

describe("reuseBlob", () => {
  test("finds what the repository has", async () => {
    await using registry = startRegistry();
    registry.repository("a/b").addBlob(layer);
    await using destination = await open(registry.host);
    const { size: _, ...unsized } = wanted;
    for (const blob of [wanted, unsized]) {
      expect(await destination.reuseBlob(blob, "layer")).toEqual({
        digest: wanted.digest,
        size: layer.length,
        by: "presence",
      });
    }
  });

  test("C2: does not take a blob of another size for the one it wants", async () => {
    await using registry = startRegistry();
    registry.repository("a/b").addBlob(layer);
    await using destination = await open(registry.host);
    expect(await destination.reuseBlob({ ...wanted, size: 5 }, "layer")).toBeUndefined();
  });

  test("is the only look: what was not there is sent without another", async () => {
    await using registry = startRegistry();
    await using destination = await open(registry.host);
    expect(await destination.reuseBlob(wanted, "layer")).toBeUndefined();
    await destination.putBlob(await outgoingBlob(layer), "layer");
    expect(methods(registry)).toBe("HEAD POST PATCH PUT");
  });

  test("row 36: what was said to be there is really sent when it comes to that", async () => {
    await using registry = startRegistry();
    registry.repository("a/b").addBlob(layer);
    await using destination = await open(registry.host);
    await destination.reuseBlob(wanted, "layer");
    const stored = await destination.putBlob(await outgoingBlob(layer), "layer");
    expect(stored.by).toBe("sending");
    expect(methods(registry)).toBe("HEAD POST PATCH PUT");
  });
});

describe("mounting", () => {
  function neighbour(registry: RegistryServer, repository = "c/d") {
    return docker.parseReference(`//${registry.host}/${repository}:1`);
  }

  function registryWithLayer(options: RegistryOptions = {}): RegistryServer {
    const registry = startRegistry(options);
    registry.repository("c/d").addBlob(layer);
    return registry;
  }

  test("takes a blob from the repository that the image comes from", async () => {
    await using registry = registryWithLayer();
    await using destination = await open(registry.host, { origin: neighbour(registry) });
    expect(await destination.reuseBlob(wanted, "layer")).toEqual({
      digest: wanted.digest,
      size: layer.length,
      by: "mounting",
    });
    expect(registry.lines.slice(1)).toEqual([
      `HEAD /v2/a/b/blobs/${wanted.digest}`,
      `POST /v2/a/b/blobs/uploads/?from=c%2Fd&mount=${encodeURIComponent(wanted.digest)}`,
    ]);
    expect(registry.repository("a/b").blobs.has(wanted.digest)).toBe(true);
  });

  test("asks for the size where nobody told it", async () => {
    await using registry = registryWithLayer();
    await using destination = await open(registry.host, { origin: neighbour(registry) });
    const { size: _, ...unsized } = wanted;
    expect(await destination.reuseBlob(unsized, "layer")).toMatchObject({
      size: layer.length,
      by: "mounting",
    });
  });

  test("sends through the upload that the registry began instead", async () => {
    await using registry = registryWithLayer({ mounts: false });
    await using destination = await open(registry.host, { origin: neighbour(registry) });
    expect(await destination.reuseBlob(wanted, "layer")).toBeUndefined();
    await destination.putBlob(await outgoingBlob(layer), "layer");
    expect(methods(registry)).toBe("HEAD POST PATCH PUT");
  });

  test("cancels such an upload if nothing is sent", async () => {
    await using registry = registryWithLayer({ mounts: false });
    {
      await using destination = await open(registry.host, { origin: neighbour(registry) });
      await destination.reuseBlob(wanted, "layer");
      expect(registry.repository("a/b").uploads.size).toBe(1);
    }
    expect(registry.repository("a/b").uploads.size).toBe(0);
    expect(registry.lines.at(-1)).toStartWith("DELETE /v2/a/b/blobs/uploads/");
  });

  const auth = { kind: "bearer", username: "u", password: "p" } as const;
  const credentials = { kind: "basic", username: "u", password: "p" } as const;

  test("asks for leave to pull from the neighbour, for that alone", async () => {
    await using registry = registryWithLayer({ auth });
    const origin = neighbour(registry);
    await using destination = await open(registry.host, { origin, credentials });
    expect(await destination.reuseBlob(wanted, "layer")).toMatchObject({ by: "mounting" });
    const [own, extra] = registry.lines.filter((line) => line.startsWith("GET /token"));
    const scope = encodeURIComponent("repository:c/d:pull");
    expect(own).not.toContain(scope);
    expect(extra).toContain(scope);
  });

  test("is done without where that leave is denied", async () => {
    const denies = ["repository:c/d:pull"];
    await using registry = registryWithLayer({ auth: { ...auth, denies } });
    const origin = neighbour(registry);
    await using destination = await open(registry.host, { origin, credentials });
    expect(await destination.reuseBlob(wanted, "layer")).toBeUndefined();
    const stored = await destination.putBlob(await outgoingBlob(layer), "layer");
    expect(stored.by).toBe("sending");
  });

  test("goes on sending where the registry refuses to mount", async () => {
    await using registry = registryWithLayer({
      intercept: (seen, usual) =>
        seen.target.includes("mount=") ? new Response(null, { status: 403 }) : usual(),
    });
    await using destination = await open(registry.host, { origin: neighbour(registry) });
    expect(await destination.reuseBlob(wanted, "layer")).toBeUndefined();
    await destination.putBlob(await outgoingBlob(layer), "layer");
    expect(methods(registry)).toBe("HEAD POST POST PATCH PUT");
  });

  test.each([
    ["another registry", (_: RegistryServer) => docker.parseReference("//elsewhere.example/c/d:1")],
    ["the same repository", (registry: RegistryServer) => neighbour(registry, "a/b")],
    [
      "another transport",
      (registry: RegistryServer) => ({ ...neighbour(registry), transport: "dir" }),
    ],
  ])("is not tried with %s", async (_, originOf) => {
    await using registry = registryWithLayer();
    await using destination = await open(registry.host, { origin: originOf(registry) });
    await destination.reuseBlob(wanted, "layer");
    expect(methods(registry)).toBe("HEAD");
  });
});

describe("putManifest", () => {
  test("F5: the top level is what makes the tag, and nothing else does", async () => {
    await using registry = startRegistry();
    const { tags, manifests } = registry.repository("a/b");
    await using destination = await open(registry.host);
    await destination.putBlob(await outgoingBlob(layer), "layer");
    await destination.putManifest(await outgoing(), digest);
    expect([...manifests.keys()]).toEqual([digest]);
    expect(tags.size).toBe(0);
    await destination.putManifest(await outgoing());
    expect(tags.get("1")).toBe(digest);
    await destination.commit();
    const put = registry.requests.filter(({ target }) => target.includes("/manifests/"));
    expect(put.map(({ method, target }) => `${method} ${target}`)).toEqual([
      `PUT /v2/a/b/manifests/${digest}`,
      "PUT /v2/a/b/manifests/1",
    ]);
    expect(put[0]!.headers.get("content-type")).toBe(manifestTypes.oci);
  });

  test("gives an image whose digest was not known before the name of its digest", async () => {
    await using registry = startRegistry();
    await using destination = await open(registry.host, {}, "/a/b@@unknown-digest@@");
    await destination.putManifest(await outgoing());
    expect(registry.lines.at(-1)).toBe(`PUT /v2/a/b/manifests/${digest}`);
    expect(registry.repository("a/b").tags.size).toBe(0);
  });

  test.each([
    ["an instance", "/a/b:1", digestOf(layer)],
    ["a name by digest", `/a/b@${digestOf(layer)}`, undefined],
  ])("refuses bytes that are not those of the digest of %s", async (_, rest, instance) => {
    await using registry = startRegistry();
    await using destination = await open(registry.host, {}, rest);
    await expect(destination.putManifest(await outgoing(), instance)).rejects.toMatchObject({
      code: "corrupt",
      message: `Attempted to PutManifest using an explicitly specified digest ("${wanted.digest}") that didn't match the manifest's digest ("${digest}")`,
    });
    expect(registry.lines).toEqual([]);
  });
});

describe("putSignatures", () => {
  const of = { digest: digestOf(Buffer.from("manifest")) };
  const message = Uint8Array.of(0x90, 1);

  test("writes OpenPGP signatures beside the registry, where they are found again", async () => {
    using workspace = new Workspace();
    await using registry = startRegistry();
    const signatures = { lookaside: pathToFileURL(workspace.path).href };
    await using destination = await open(registry.host, { signatures });
    await destination.putSignatures([message], of);
    expect(treeOf(workspace.path)).toHaveProperty([
      `a/b@sha256=${digestHex(of.digest)}/signature-1`,
    ]);
    await destination.putSignatures([], of);
  });

  test("adds them to those that the registry keeps, if it does", async () => {
    await using registry = startRegistry({
      intercept: async ({ method, target }, usual) => {
        if (target.startsWith("/extensions/")) {
          return method === "PUT" ? new Response(null, { status: 201 }) : Response.json({});
        }
        const answer = await usual();
        answer.headers.set("X-Registry-Supports-Signatures", "1");
        return answer;
      },
    });
    await using destination = await open(registry.host);
    await destination.putSignatures([message], of);
    expect(registry.lines.at(-1)).toBe(`PUT /extensions/v2/a/b/signatures/${of.digest}`);
  });

  test("writes no signature of a form that is not kept here", async () => {
    await using registry = startRegistry();
    await using destination = await open(registry.host);
    const sigstore = Buffer.from("\0sigstore-json\n{}");
    await expect(destination.putSignatures([sigstore], of)).rejects.toMatchObject({
      code: "unsupported",
      message: destination.traits.refusedForms?.sigstore,
    });
  });
});

describe("F8", () => {
  test("after an abort nothing is begun any more", async () => {
    await using registry = startRegistry();
    const stop = new AbortController();
    await using destination = await open(registry.host, { signal: stop.signal });
    stop.abort();
    await expect(destination.reuseBlob(wanted, "layer")).rejects.toMatchObject({
      code: "canceled",
    });
    await expect(destination.putManifest(await outgoing())).rejects.toMatchObject({
      code: "canceled",
    });
    expect(registry.repository("a/b").manifests.size).toBe(0);
  });
});
