import { describe, expect, test } from "bun:test";
import { pathToFileURL } from "node:url";

import { digestHex, digestOf } from "../../../core/content/digest.ts";
import { parseDockerName } from "../../../core/content/docker-name.ts";
import { writeLookaside } from "../../../transports/docker/lookaside.ts";
import { treeOf } from "../../support/trees.ts";
import { Workspace } from "../../support/workspace.ts";
import { manifestTypes } from "../../../core/content/media-types.ts";
import { docker } from "../../../transports/docker/reference.ts";
import { dockerContext, type DockerWish } from "../../support/docker-context.ts";
import { type RegistryOptions, startRegistry } from "../../support/registry-server.ts";

const manifest = new TextEncoder().encode('{"schemaVersion":2}');
const digest = digestOf(manifest);

function registryWithImage(options: RegistryOptions = {}) {
  const registry = startRegistry(options);
  for (const tag of ["1", "same"]) {
    registry.repository("a/b").addManifest(manifest, manifestTypes.oci, tag);
  }
  return registry;
}

function remove(host: string, rest = ":1", wish: DockerWish = {}): Promise<void> {
  return docker.parseReference(`//${host}/a/b${rest}`).deleteImage!(dockerContext(wish));
}

describe("deleteImage", () => {
  test.each([":1", `@${digest}`])(
    "deletes the manifest behind %s, and every tag of it",
    async (rest) => {
      await using registry = registryWithImage();
      await remove(registry.host, rest);
      expect(registry.repository("a/b").manifests.size).toBe(0);
      expect(registry.repository("a/b").tags.size).toBe(0);
      expect(registry.lines).toEqual([
        "GET /v2/",
        `GET /v2/a/b/manifests/${rest.slice(1)}`,
        `DELETE /v2/a/b/manifests/${digest}`,
      ]);
    },
  );

  test("deletes the signatures beside the registry, too", async () => {
    using workspace = new Workspace();
    await using registry = registryWithImage();
    const signatures = { lookaside: pathToFileURL(workspace.path).href };
    const place = { name: parseDockerName(`${registry.host}/a/b:1`), storage: signatures };
    await writeLookaside({ ...place, digest }, [Uint8Array.of(0x90), Uint8Array.of(0x90)]);
    const other = digestOf(Buffer.from("other"));
    await writeLookaside({ ...place, digest: other }, [Uint8Array.of(0x90)]);
    await remove(registry.host, ":1", { signatures });
    const left = Object.keys(treeOf(workspace.path)).filter((path) => path.includes("signature"));
    expect(left).toEqual([`a/b@sha256=${digestHex(other)}/signature-1`]);
  });

  test("fails where those cannot be deleted, although the image is gone", async () => {
    await using registry = registryWithImage();
    const signatures = { lookaside: "https://sigs.example" };
    await expect(remove(registry.host, ":1", { signatures })).rejects.toMatchObject({
      code: "unsupported",
      message:
        "Writing directly to a https lookaside URL is not supported. Configure a lookaside-staging: location",
      hint: "the image is deleted, and its signatures are still there",
    });
    expect(registry.repository("a/b").manifests.size).toBe(0);
  });

  test("asks for leave to do everything in the repository", async () => {
    const auth = { kind: "bearer", username: "u", password: "p" } as const;
    await using registry = registryWithImage({ auth });
    await remove(registry.host, ":1", {
      credentials: { kind: "basic", username: "u", password: "p" },
    });
    expect(registry.lines[1]).toContain(encodeURIComponent("repository:a/b:*"));
  });

  test("says that there may be no such image, and that is no not-found", async () => {
    await using registry = registryWithImage();
    await expect(remove(registry.host, ":2")).rejects.toMatchObject({
      code: "refused",
      message: `Unable to delete ${registry.host}/a/b:2. Image may not exist or is not stored with a v2 Schema in a v2 registry`,
    });
  });

  test("says that the registry deletes nothing", async () => {
    await using registry = registryWithImage({ deletes: false });
    await expect(remove(registry.host)).rejects.toMatchObject({
      code: "refused",
      message: `deleting ${registry.host}/a/b:1: unsupported`,
    });
  });

  test("has succeeded where the first try did, unheard", async () => {
    let broken = false;
    await using registry = registryWithImage({
      intercept: async (seen, usual) => {
        const response = await usual();
        if (seen.method !== "DELETE" || broken) return response;
        broken = true;
        return new Response(null, { status: 502 });
      },
    });
    await remove(registry.host);
    expect(registry.lines.filter((line) => line.startsWith("DELETE"))).toHaveLength(2);
    expect(registry.repository("a/b").manifests.size).toBe(0);
  });

  test("believes no 404 of a registry that still has the image", async () => {
    await using registry = registryWithImage({
      intercept: (seen, usual) =>
        seen.method === "DELETE" ? new Response(null, { status: 404 }) : usual(),
    });
    await expect(remove(registry.host)).rejects.toMatchObject({
      message: `deleting ${registry.host}/a/b:1: StatusCode: 404, ""`,
    });
  });

  test("refuses a name whose digest is unknown", async () => {
    await expect(remove("q.io", "@@unknown-digest@@")).rejects.toMatchObject({ code: "usage" });
  });
});

describe("deleteTag", () => {
  function untag(host: string, rest = ":1"): Promise<void> {
    return docker.parseReference(`//${host}/a/b${rest}`).deleteTag!(dockerContext());
  }

  test("removes one tag, and keeps the image and its other tag", async () => {
    await using registry = registryWithImage();
    await untag(registry.host);
    expect([...registry.repository("a/b").tags.keys()]).toEqual(["same"]);
    expect(registry.repository("a/b").manifests.size).toBe(1);
    expect(registry.lines.at(-1)).toBe("DELETE /v2/a/b/manifests/1");
  });

  test.each<[string, RegistryOptions]>([
    ["takes a tag for a digest", { untags: false }],
    ["deletes nothing", { deletes: false }],
    [
      "says in a word that it cannot",
      {
        intercept: (seen, usual) =>
          seen.method === "DELETE"
            ? Response.json({ errors: [{ code: "UNSUPPORTED" }] }, { status: 403 })
            : usual(),
      },
    ],
    [
      "knows no such request",
      {
        intercept: (seen, usual) =>
          seen.method === "DELETE" ? new Response(null, { status: 404 }) : usual(),
      },
    ],
  ])("says so, and falls back to nothing, where the registry %s", async (_, options) => {
    await using registry = registryWithImage(options);
    await expect(untag(registry.host)).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringContaining(
        `${registry.host} cannot remove a tag and keep its image, nothing was deleted: `,
      ),
      hint: "without --tag-only, the image is deleted with all of its tags",
    });
    expect(registry.repository("a/b").tags.size).toBe(2);
    expect(registry.repository("a/b").manifests.size).toBe(1);
    expect(registry.lines.filter((line) => line.startsWith("DELETE"))).toEqual([
      "DELETE /v2/a/b/manifests/1",
    ]);
  });

  test("passes on that it may not", async () => {
    await using registry = registryWithImage({
      intercept: (seen, usual) =>
        seen.method === "DELETE"
          ? Response.json({ errors: [{ code: "DENIED" }] }, { status: 403 })
          : usual(),
    });
    await expect(untag(registry.host)).rejects.toMatchObject({ code: "unauthorized" });
  });

  test("has succeeded where the first try did, unheard", async () => {
    let broken = false;
    await using registry = registryWithImage({
      intercept: async (seen, usual) => {
        const response = await usual();
        if (seen.method !== "DELETE" || broken) return response;
        broken = true;
        return new Response(null, { status: 502 });
      },
    });
    await untag(registry.host);
    expect([...registry.repository("a/b").tags.keys()]).toEqual(["same"]);
  });

  test("says that there may be no such image", async () => {
    await using registry = registryWithImage();
    await expect(untag(registry.host, ":2")).rejects.toMatchObject({
      message: expect.stringContaining("Unable to delete"),
    });
  });

  test("refuses a name without a tag, and asks nobody", async () => {
    await using registry = registryWithImage();
    await expect(untag(registry.host, `@${digest}`)).rejects.toMatchObject({ code: "usage" });
    expect(registry.lines).toEqual([]);
  });
});

describe("planDeletion", () => {
  const plan = (host: string, rest = ":1", tagOnly = false) =>
    docker.parseReference(`//${host}/a/b${rest}`).planDeletion?.(dockerContext(), tagOnly);

  test("says which manifest goes, or which tag, and asks for nothing else", async () => {
    await using registry = registryWithImage();
    expect(await plan(registry.host)).toMatchObject({
      digest,
      removals: [{ kind: "manifest", name: digest }],
      notes: expect.arrayContaining([expect.stringContaining("every tag")]),
    });
    expect(await plan(registry.host, ":1", true)).toMatchObject({
      digest,
      removals: [{ kind: "tag", name: `${registry.host}/a/b:1` }],
    });
    expect(registry.requests.every(({ method }) => method === "GET")).toBe(true);
    expect(registry.repository("a/b").tags.size).toBe(2);
  });

  test.each([
    [":nothing", false, "refused"],
    [`@${digest}`, true, "usage"],
  ])("fails where deleting would: %s", async (rest, tagOnly, code) => {
    await using registry = registryWithImage();
    expect(plan(registry.host, rest, tagOnly)).rejects.toMatchObject({ code });
  });
});
