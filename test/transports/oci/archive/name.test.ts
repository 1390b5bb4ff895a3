// Names of images in archives.

import { describe, expect, test } from "bun:test";
import { realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { parseOciArchiveName } from "../../../../transports/oci/archive/name.ts";
import { failureOf } from "../../../support/failure-of.ts";
import { Workspace } from "../../../support/workspace.ts";

describe("parseOciArchiveName", () => {
  test.each([
    ["", ":"],
    [":", ":"],
    [":latest", ":latest"],
    [":docker.io/library/busybox:1@x", ":docker.io/library/busybox:1@x"],
  ])("spells :FILE%s as :FILE%s", (given, spelled) => {
    using workspace = new Workspace();
    const path = workspace.at("archive");
    const directory = realpathSync(workspace.path);
    const name = parseOciArchiveName(`${path}${given}`);
    expect(name).toMatchObject({
      transport: "oci-archive",
      path,
      text: `${path}${spelled}`,
      policyIdentity: `${directory}/archive`,
    });
    expect(name.policyNamespaces.slice(0, 2)).toEqual([`${directory}/archive`, directory]);
    expect(name.policyNamespaces).not.toContain("/");
  });

  test("goes by where links lead", () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("archive"), "");
    symlinkSync("archive", workspace.at("link"));
    expect(parseOciArchiveName(`${workspace.at("link")}:a`)).toMatchObject({
      policyIdentity: `${realpathSync(workspace.path)}/archive`,
      path: workspace.at("link"),
    });
  });

  test.each([
    ["-", "/dev/stdin"],
    ["/dev/stdin", "/dev/stdin"],
    ["/dev/stdout", "/dev/stdout"],
    ["/dev/fd/63", "/dev/fd/63"],
  ])("takes %s for a stream", (path, identity) => {
    expect(parseOciArchiveName(`${path}:a`)).toMatchObject({
      path,
      text: `${path}:a`,
      policyIdentity: identity,
      wanted: { by: "name", name: "a" },
    });
  });

  test("takes no name for the current directory, as the original does", () => {
    expect(parseOciArchiveName("")).toMatchObject({ path: ".", text: ":" });
  });

  test.each([
    [":@0", "Invalid image @0"],
    [":a//b", "Invalid image a//b"],
    [":!", "Invalid image !"],
  ])("refuses :FILE%s", (given, message) => {
    using workspace = new Workspace();
    const failure = failureOf(() => parseOciArchiveName(`${workspace.at("archive")}${given}`));
    expect(failure).toMatchObject({ code: "usage", message });
  });

  test("refuses a file in no directory", () => {
    expect(failureOf(() => parseOciArchiveName("/no/such/archive"))).toMatchObject({
      code: "io",
      message: "lstat /no: no such file or directory",
    });
  });
});
