import { describe, expect, test } from "bun:test";
import { parseDockerArchiveName } from "../../../transports/docker-archive/name.ts";
import { failureOf } from "../../support/failure-of.ts";

const digest = `sha256:${"a".repeat(64)}`;

describe("parseDockerArchiveName", () => {
  test.each([
    ["a.tar", "a.tar", undefined],
    ["/some/where.tar", "/some/where.tar", undefined],
    ["-", "-", undefined],
    ["a.tar:x", "a.tar:docker.io/library/x:latest", "docker.io/library/x:latest"],
    ["a.tar:x/y:1", "a.tar:docker.io/x/y:1", "docker.io/x/y:1"],
    ["a.tar:localhost:5000/x", "a.tar:localhost:5000/x:latest", "localhost:5000/x:latest"],
    ["a.tar:@0", "a.tar:@0", undefined],
    ["a.tar:@+012", "a.tar:@12", undefined],
    [":x", ":docker.io/library/x:latest", "docker.io/library/x:latest"],
  ])("understands %p", (text, spelled, docker) => {
    const name = parseDockerArchiveName(text);
    expect(name.text).toBe(spelled);
    expect(name.docker).toBe(docker);
    expect(parseDockerArchiveName(name.text)).toEqual(name);
  });

  test.each([
    ["", "docker-archive reference  isn't of the form <path>[:<reference>]"],
    ["a.tar:", "docker-archive parsing reference: invalid reference format"],
    ["a.tar:x:1:2", "docker-archive parsing reference: invalid reference format"],
    [
      "a.tar:X",
      "docker-archive parsing reference: invalid reference format: repository name must be lowercase",
    ],
    [`a.tar:x@${digest}`, `reference does not include a tag: docker.io/library/x@${digest}`],
    [
      `a.tar:x:1@${digest}`,
      `docker-archive doesn't support digest references: docker.io/library/x:1@${digest}`,
    ],
    ["a.tar:@x", 'Invalid source index @x: strconv.Atoi: parsing "x": invalid syntax'],
    ["a.tar:@-1", "Invalid source index @-1: must not be negative"],
  ])("refuses %p", (text, message) => {
    expect(failureOf(() => parseDockerArchiveName(text))).toMatchObject({ code: "usage", message });
  });

  test("an archive has no policy of its own, whatever the image is called", () => {
    const name = parseDockerArchiveName("a.tar:x:1");
    expect(name.policyIdentity).toBe("");
    expect(name.policyNamespaces).toEqual([]);
  });
});
