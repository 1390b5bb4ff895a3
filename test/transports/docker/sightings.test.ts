import { describe, expect, test } from "bun:test";

import { digestOf } from "../../../core/content/digest.ts";
import { parseDockerName } from "../../../core/content/docker-name.ts";
import { repositoryAt, sighting } from "../../../transports/docker/sightings.ts";

const digest = digestOf(new Uint8Array(1));

describe("sighting", () => {
  test.each([
    ["busybox:1", "docker.io", "docker.io/library/busybox"],
    ["r.example:5000/a/b@" + digest, "r.example:5000", "r.example:5000/a/b"],
  ])("of a blob in %s, in the words of the original", (name, scope, location) => {
    expect(sighting(parseDockerName(name), digest)).toEqual({
      kind: "location",
      scope: { transport: "docker", scope },
      digest,
      location,
    });
  });
});

describe("repositoryAt", () => {
  test.each([
    ["r.example:5000/a/b", "r.example:5000", "a/b"],
    ["docker.io/library/busybox", "docker.io", "library/busybox"],
  ])("finds in %s of %s the repository %s", (location, host, repository) => {
    expect(repositoryAt(location, host)).toBe(repository);
  });

  // C1, C8: the cache is a file that others write.
  test.each([
    "",
    "r.example",
    "other/a/b",
    "r.example/../../x",
    "r.example/A/B",
    "r.example/a/b:1",
    `r.example/a@${digest}`,
    "r.example/a b",
    "r.example/a?x=1",
    "r.example/a\n/b",
  ])("C8: finds none in %p", (location) => {
    expect(repositoryAt(location, "r.example")).toBeUndefined();
  });
});
