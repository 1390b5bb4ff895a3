import { describe, expect, test } from "bun:test";

import { docker } from "../../../transports/docker/reference.ts";
import { dockerContext } from "../../support/docker-context.ts";
import { startRegistry } from "../../support/registry-server.ts";
import { rejection } from "../../support/rejection.ts";

const manifest = new TextEncoder().encode("{}");

function glance(host: string, as: "source" | "destination") {
  return docker.parseReference(`//${host}/a/b:1`).glance?.(dockerContext(), as);
}

describe.each(["source", "destination"] as const)("glance at a %s", (as) => {
  test("costs one request that is no pull", async () => {
    await using registry = startRegistry();
    const digest = registry
      .repository("a/b")
      .addManifest(manifest, "application/vnd.oci.image.manifest.v1+json", "1");
    expect(await glance(registry.host, as)).toEqual({ digest, perhapsSigned: false });
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
  [{ lookaside: "file:///" }, true],
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
