import { describe, expect, test } from "bun:test";

import type { Json } from "../../../core/json.ts";
import { lintPolicy } from "../../../core/trust/policy-lint.ts";
import { parsePolicy } from "../../../core/trust/policy.ts";
import { judgingDate, testKey } from "../../support/openpgp.ts";

const accept = { type: "insecureAcceptAnything" };
const reject = { type: "reject" };
const links: Readonly<Record<string, string>> = { "/link": "/real", "/real": "/real" };

async function lint(policy: Json): Promise<readonly string[]> {
  const parsed = parsePolicy(Buffer.from(JSON.stringify(policy)), {});
  const findings = await lintPolicy(parsed, {
    transports: ["docker", "dir", "oci", "containers-storage"],
    now: judgingDate,
    realPath: (path) => links[path],
  });
  return findings.map(({ severity, where, message }) => `${severity} ${where}: ${message}`);
}

const scoped = (transport: string, scope: string, requirement: Json = reject) =>
  lint({ default: [reject], transports: { [transport]: { [scope]: [requirement] } } });

describe("lintPolicy", () => {
  test("has nothing to say of a policy that is clear", async () => {
    expect(
      await lint({
        default: [reject],
        transports: {
          docker: {
            "": [reject],
            "quay.io": [reject],
            "*.example.com": [reject],
            "localhost:5000/a": [reject],
            "docker.io/library/busybox": [reject],
            "docker.io/library/busybox:1": [reject],
            [`quay.io/a/b@sha256:${"0".repeat(64)}`]: [reject],
          },
          dir: { "": [accept], "/real": [accept], "/nowhere": [reject] },
          atomic: { "": [reject] },
          ostree: { "": [reject] },
        },
      }),
    ).toEqual([]);
  });

  test.each([
    ["https://quay.io", "scopes are names, write the host without a scheme"],
    ["docker://quay.io/a", "scopes are names, write the host without a scheme"],
    ["quay.io/", "leave out the slash at its end"],
    ["busybox", "names begin with their registry, as in docker.io/library/busybox"],
    ["library/busybox", "names begin with their registry, as in docker.io/library/busybox"],
    ["docker.io/busybox:1", "its images go by docker.io/library/busybox:1"],
    ["index.docker.io/library/busybox:1", "its images go by docker.io/library/busybox:1"],
    ["quay.io/UPPER", "invalid reference format: repository name must be lowercase"],
    [`quay.io/a:1@sha256:${"0".repeat(64)}`, "names have a tag or a digest, not both"],
    ["*.example.com/a", "a wildcard is *. and the end of a host, without a port or path"],
    ["*.example.com:5000", "a wildcard is *. and the end of a host, without a port or path"],
    ["quay.io/*", "a wildcard is *. and the end of a host, without a port or path"],
    ["*", "a wildcard is *. and the end of a host, without a port or path"],
  ])("finds that no image of a registry has the scope %p", async (scope, why) => {
    expect(await scoped("docker", scope)).toEqual([
      `error transports.docker["${scope}"]: no image has this scope: ${why}`,
    ]);
  });

  test("finds that images behind a link go by another scope", async () => {
    expect(await scoped("dir", "/link")).toEqual([
      'error transports.dir["/link"]: no image has this scope: /link is a link, and its images go by /real',
    ]);
  });

  test.each<[string, Json, readonly string[]]>([
    [
      "in the default",
      { default: [accept] },
      ["warning default: accepts every image that no scope is for"],
    ],
    [
      "for all registries",
      { default: [reject], transports: { docker: { "": [accept] } } },
      ['warning transports.docker[""]: accepts every image of every registry'],
    ],
    [
      "for one registry",
      { default: [reject], transports: { docker: { "quay.io": [accept] } } },
      ['warning transports.docker["quay.io"]: accepts every image there'],
    ],
    [
      "beside something that counts",
      { default: [reject, accept] },
      ["warning default: insecureAcceptAnything changes nothing beside other requirements"],
    ],
  ])("finds holes %s", async (_, policy, expected) => {
    expect(await lint(policy)).toEqual([...expected]);
  });

  test("finds misspelled transports, and those that it does not know", async () => {
    expect(await scoped("dokcer", "")).toEqual([
      'error transports.dokcer: there is no transport "dokcer", did you mean "docker"?',
    ]);
    expect(await scoped("carrier-pigeon", "")).toEqual([
      'warning transports.carrier-pigeon: there is no transport "carrier-pigeon"',
    ]);
  });

  test("looks at the keys that requirements want", async () => {
    const missing = { type: "signedBy", keyType: "GPGKeys", keyPath: "/proc/no-key" };
    expect(await lint({ default: [missing] })).toEqual([
      "error default: signedBy: open /proc/no-key: no such file or directory",
    ]);
    const key = await testKey({ keyExpirationTime: 45 * 24 * 3600 });
    const keyData = Buffer.from(key.ring).toString("base64");
    expect(await lint({ default: [{ type: "signedBy", keyType: "GPGKeys", keyData }] })).toEqual([
      `error default: signedBy: key ${key.fingerprint} has expired on 2024-02-15`,
    ]);
  });
});
