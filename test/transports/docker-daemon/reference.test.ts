import { describe, expect, test } from "bun:test";
import { spelled } from "../../../core/image/name.ts";
import { dockerDaemon } from "../../../transports/docker-daemon/reference.ts";
import { failureOf } from "../../support/failure-of.ts";
import { transportContext } from "../../support/transport-context.ts";

const hex = "b5e01cb82e0bdabbbdc4607c45a8378ee21a461b1b884d301c2b4034ab895be6";

describe("docker-daemon: names", () => {
  test.each([
    ["busybox:1", "busybox:1", "docker.io/library/busybox:1", "docker.io/library/busybox:1"],
    ["docker.io/library/busybox:1", "busybox:1", "docker.io/library/busybox:1", undefined],
    [`a/b@sha256:${hex}`, undefined, `docker.io/a/b@sha256:${hex}`, undefined],
    ["localhost:5000/a:t", "localhost:5000/a:t", "localhost:5000/a:t", undefined],
    [`sha256:${hex}`, undefined, undefined, ""],
  ])("%s", (text, canonical, docker, identity) => {
    const name = dockerDaemon.parseReference(text);
    expect(spelled(name)).toBe(`docker-daemon:${canonical ?? text}`);
    expect(name.docker).toBe(docker);
    expect(name.policyIdentity).toBe(identity ?? docker ?? "");
    expect(dockerDaemon.parseReference(name.text).text).toBe(name.text);
    expect(name.deleteImage).toBeUndefined();
  });

  test.each([
    ["", "invalid reference format"],
    [hex, `invalid repository name (${hex}), cannot specify 64-byte hexadecimal strings`],
    ["UP:1", "invalid reference format: repository name must be lowercase"],
    ["a/b", "docker-daemon: reference a/b has neither a tag nor a digest"],
    ["docker.io/library/a", "docker-daemon: reference a has neither a tag nor a digest"],
    [
      `a:1@sha256:${hex}`,
      "docker-daemon: references with both a tag and digest are currently not supported",
    ],
    [
      "sha256:abc",
      "Invalid docker-daemon: reference sha256:abc: The sha256 repository name is reserved for (non-shortened) digest references",
    ],
    [
      `sha512:${hex}${hex}`,
      `Invalid docker-daemon: reference sha512:${hex}${hex}: only digest algorithm sha256 accepted`,
    ],
  ])("%p is none", (text, message) => {
    const failure = failureOf(() => dockerDaemon.parseReference(text));
    expect(failure).toMatchObject({ code: "usage", message });
  });

  test("an image by name is known to the policy as in its registry, one by ID is not", () => {
    expect(dockerDaemon.parseReference("quay.io/a/b:1").policyNamespaces).toEqual([
      "quay.io/a/b",
      "quay.io/a",
      "quay.io",
      "*.io",
    ]);
    expect(dockerDaemon.parseReference(`sha256:${hex}`).policyNamespaces).toEqual([]);
  });

  test("a digest is no scope, everything else may be", () => {
    for (const scope of ["", "quay.io/a", "a", "*.x"]) dockerDaemon.checkPolicyScope(scope);
    const failure = failureOf(() => dockerDaemon.checkPolicyScope(`sha256:${hex}`));
    expect(failure).toMatchObject({
      code: "config",
      message: `docker-daemon: can not use algo:digest value sha256:${hex} as a namespace`,
    });
  });

  test.each([`sha256:${hex}`, `a/b@sha256:${hex}`])("%s is no destination", async (text) => {
    const name = dockerDaemon.parseReference(text);
    const failure: unknown = await name.openDestination(transportContext()).catch((e) => e);
    expect(failure).toMatchObject({
      code: "usage",
      message: `Invalid destination docker-daemon:${text}: a destination must be a name:tag`,
    });
  });
});
