import { describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";

import { docker } from "../../../transports/docker/reference.ts";
import { dockerContext } from "../../support/docker-context.ts";
import { startRegistry } from "../../support/registry-server.ts";
import { rejection } from "../../support/rejection.ts";
import { Workspace } from "../../support/workspace.ts";

const mediaType = "application/vnd.oci.image.manifest.v1+json";
const manifest = new TextEncoder().encode("{}");

function glance(host: string, as: "source" | "destination") {
  return docker.parseReference(`//${host}/a/b:1`).glance?.(dockerContext(), as);
}

describe.each(["source", "destination"] as const)("glance at a %s", (as) => {
  test("costs one request that is no pull", async () => {
    await using registry = startRegistry();
    const digest = registry.repository("a/b").addManifest(manifest, mediaType, "1");
    expect(await glance(registry.host, as)).toEqual({ digest, perhapsSigned: false, mediaType });
    expect(registry.lines).toEqual(["GET /v2/", "HEAD /v2/a/b/manifests/1"]);
  });

  test.each<[string, ResponseInit]>([
    ["there is nothing", { status: 404 }],
    ["it does not say", { status: 200 }],
    ["it says nonsense", { headers: { "docker-content-digest": "sha256:../x" } }],
    ["it does not let us look", { status: 403 }],
  ])("sees nothing where %s", async (_, answer) => {
    await using registry = startRegistry({
      intercept: (seen, usual) => (seen.method === "HEAD" ? new Response(null, answer) : usual()),
    });
    expect(await glance(registry.host, as)).toBeUndefined();
  });

  test("fails where the registry cannot be reached", async () => {
    const failure = await rejection(Promise.resolve(glance("127.0.0.1:1", as)));
    expect(failure.code).toBe("unavailable");
  });
});

test("glance at a destination asks with the rights that writing needs, for one token", async () => {
  await using registry = startRegistry({ auth: { kind: "bearer" } });
  registry
    .repository("a/b")
    .addManifest(manifest, "application/vnd.oci.image.manifest.v1+json", "1");
  expect(await glance(registry.host, "destination")).toBeDefined();
  expect(registry.lines.filter((line) => line.includes("/token"))).toEqual([
    expect.stringContaining("pull%2Cpush"),
  ]);
});

test.each([
  [{ sigstoreAttachments: true }, true],
  [{ lookaside: "https://signatures.example.com" }, true],
  [{ lookaside: "file:///no/such/directory" }, false],
  [{}, false],
])("glance tells that there may be signatures, where %j", async (signatures, expected) => {
  await using registry = startRegistry();
  registry
    .repository("a/b")
    .addManifest(manifest, "application/vnd.oci.image.manifest.v1+json", "1");
  const reference = docker.parseReference(`//${registry.host}/a/b:1`);
  const found = await reference.glance?.(dockerContext({ signatures }), "source");
  expect(found?.perhapsSigned).toBe(expected);
});

test("glance looks for files of signatures: of an image for its own, of a list for those of its images", async () => {
  using workspace = new Workspace();
  await using registry = startRegistry();
  const lookaside = `file://${workspace.path}`;
  const perhapsSigned = async (type: string): Promise<boolean | undefined> => {
    registry.repository("a/b").addManifest(manifest, type, "1");
    const reference = docker.parseReference(`//${registry.host}/a/b:1`);
    const found = await reference.glance?.(dockerContext({ signatures: { lookaside } }), "source");
    return found?.perhapsSigned;
  };
  const index = "application/vnd.oci.image.index.v1+json";
  expect(await perhapsSigned(index)).toBe(false);
  mkdirSync(workspace.at(`a/b@sha256=${"0".repeat(64)}`), { recursive: true });
  expect(await perhapsSigned(mediaType)).toBe(false);
  expect(await perhapsSigned(index)).toBe(true);
});

test("glance expects signatures of a registry that keeps them itself", async () => {
  await using registry = startRegistry({
    intercept: async (_, usual) => {
      const answer = await usual();
      answer.headers.set("x-registry-supports-signatures", "1");
      return answer;
    },
  });
  registry.repository("a/b").addManifest(manifest, mediaType, "1");
  expect((await glance(registry.host, "source"))?.perhapsSigned).toBe(true);
});
