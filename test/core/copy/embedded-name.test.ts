import { describe, expect, test } from "bun:test";

import { manifestTypes } from "../../../core/content/media-types.ts";
import { checkEmbeddedName, embeddedNameOf } from "../../../core/copy/embedded-name.ts";
import type { ImageName } from "../../../core/image/name.ts";
import { failureOf } from "../../support/failure-of.ts";
import { imageFrom, ociSample, schema1Sample } from "../../support/sample-manifests.ts";

const digest = `sha256:${"0".repeat(64)}`;

function named(docker: string | undefined, traits = {}) {
  const name: ImageName = {
    transport: "docker",
    text: `//${docker}`,
    policyIdentity: "",
    policyNamespaces: [],
    ...(docker !== undefined && { docker }),
  };
  return { name, traits };
}

describe("embeddedNameOf", () => {
  test.each([
    ["docker.io/library/x:1", { name: "library/x", tag: "1" }],
    ["localhost:5000/a/b", { name: "a/b", tag: "" }],
    [`example.com/a@${digest}`, { name: "a", tag: "" }],
    [undefined, undefined],
  ])("of %s is without the host", (docker, expected) => {
    expect(embeddedNameOf(named(docker))).toEqual(expected);
  });

  test("does not matter where a destination does not mind", () => {
    const place = named("docker.io/library/x:1", { ignoresEmbeddedNames: true });
    expect(embeddedNameOf(place)).toBeUndefined();
  });
});

describe("checkEmbeddedName", () => {
  const old = imageFrom(manifestTypes.schema1, schema1Sample());
  const later = imageFrom(manifestTypes.oci, ociSample());
  const frozenBecause = "Instructed to preserve digests";

  test.each([
    ["the same name", old, "example.com/some/name:latest", frozenBecause],
    ["a manifest that may change", old, "example.com/other:1", undefined],
    ["a place without such names", old, undefined, frozenBecause],
    ["a manifest that says no name", later, "example.com/other:1", frozenBecause],
  ])("has nothing against %s", (_, manifest, docker, why) => {
    expect(() => checkEmbeddedName(manifest, named(docker), why)).not.toThrow();
  });

  test.each([
    ["example.com/some/name:other", "some/name:other"],
    ["example.com/other:latest", "other:latest"],
    [`example.com/some/name@${digest}`, "some/name without a tag"],
  ])("refuses to write to %s what says that it is something else", (docker, called) => {
    expect(failureOf(() => checkEmbeddedName(old, named(docker), frozenBecause))).toMatchObject({
      code: "unsupported",
      message: `Copying a schema1 image with an embedded Docker reference to docker://${docker} (Docker reference ${docker}) would change the manifest, which we cannot do: "Instructed to preserve digests": it calls itself some/name:latest, and would have to be ${called}`,
    });
  });
});
