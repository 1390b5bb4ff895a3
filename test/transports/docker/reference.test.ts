import { describe, expect, test } from "bun:test";

import { docker } from "../../../transports/docker/reference.ts";
import { failureOf } from "../../support/failure-of.ts";
import { transportContext } from "../../support/transport-context.ts";

const digest = `sha256:${"a".repeat(64)}`;

describe("docker.parseReference", () => {
  test.each([
    ["//busybox", "//busybox:latest", "docker.io/library/busybox:latest"],
    ["//index.docker.io/busybox:1", "//busybox:1", "docker.io/library/busybox:1"],
    ["//foo/bar", "//foo/bar:latest", "docker.io/foo/bar:latest"],
    ["//quay.io/a/b:1", "//quay.io/a/b:1", "quay.io/a/b:1"],
    [`//quay.io/a/b@${digest}`, `//quay.io/a/b@${digest}`, `quay.io/a/b@${digest}`],
    ["//localhost:5000/x", "//localhost:5000/x:latest", "localhost:5000/x:latest"],
    ["//q.io/a@@unknown-digest@@", "//q.io/a@@unknown-digest@@", "q.io/a"],
  ])("takes %s for %s", (text, spelled, full) => {
    const reference = docker.parseReference(text);
    expect(reference).toMatchObject({ transport: "docker", text: spelled, docker: full });
    expect(reference.policyIdentity).toBe(full);
    expect(docker.parseReference(reference.text).text).toBe(spelled);
  });

  test("tells the digest that the user pinned", () => {
    expect(docker.parseReference(`//a.b/c@${digest}`).digest as string).toBe(digest);
    expect(docker.parseReference("//a.b/c:1")).not.toHaveProperty("digest");
  });

  test("lists the wider policy scopes, narrowest first", () => {
    const { policyNamespaces } = docker.parseReference("//a.b.example.com:5000/x/y:1");
    expect(policyNamespaces).toEqual([
      "a.b.example.com:5000/x/y",
      "a.b.example.com:5000/x",
      "a.b.example.com:5000",
      "*.b.example.com",
      "*.example.com",
      "*.com",
    ]);
  });

  test.each([
    ["busybox", "docker: image reference busybox does not start with //"],
    ["/busybox", "docker: image reference /busybox does not start with //"],
    ["", "docker: image reference  does not start with //"],
    ["//", "invalid reference format"],
    ["//Busybox", "invalid reference format: repository name must be lowercase"],
    [
      `//busybox:1@${digest}`,
      "Docker references with both a tag and digest are currently not supported",
    ],
    [
      "//busybox:1@@unknown-digest@@",
      'docker: image reference "docker.io/library/busybox:1@@unknown-digest@@" has unknown digest set but it contains either a tag or digest',
    ],
    ["//busybox@sha256:abc", "invalid reference format"],
    [`//busybox@sha256:${"A".repeat(64)}`, "invalid checksum digest format"],
    ["//busybox@sha256:../../../../../../../../../../x", "invalid reference format"],
  ])("C1: refuses %p in the original's words", (text, message) => {
    expect(failureOf(() => docker.parseReference(text))).toMatchObject({ code: "usage", message });
  });
});

describe("docker.listTags", () => {
  test.each([
    ["busybox", "docker: image reference docker:busybox does not start with docker://"],
    ["//busybox:1", "No tag or digest allowed in reference"],
    [`//busybox@${digest}`, "No tag or digest allowed in reference"],
    ["//busybox@@unknown-digest@@", "invalid reference format"],
  ])("refuses %p before anything is asked", async (text, message) => {
    // In this context no registry can be reached.
    const listing = docker.listTags!(text, transportContext());
    await expect(listing).rejects.toMatchObject({ code: "usage", message });
  });
});

describe("docker.checkPolicyScope", () => {
  test.each(["docker.io", "*.example.com", "a.b:5000/x/y:1", "anything at all"])(
    "takes %p",
    (scope) => {
      docker.checkPolicyScope(scope);
    },
  );
});
