import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Location } from "../../../core/config/locations.ts";
import { noPolicyFile, readPolicyFile } from "../../../core/config/policy-file.ts";
import { Failure } from "../../../core/failure.ts";

let root: string;
let paths: readonly [string, string, string];
let location: Location;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "policy-file-"));
});

beforeEach(async () => {
  const folder = await mkdtemp(join(root, "places-"));
  paths = [join(folder, "user", "p"), join(folder, "etc"), join(folder, "usr")];
  location = { kind: "default", paths };
});

afterAll(() => rm(root, { recursive: true }));

const parse = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const refuse = () => {
  throw new Failure("config", "Default policy is missing", { hint: "look at it" });
};

describe("readPolicyFile", () => {
  test("reads the file that was named", async () => {
    await writeFile(paths[1], "policy");
    expect(await readPolicyFile({ kind: "named", path: paths[1] }, parse)).toEqual({
      policy: "policy",
      file: paths[1],
    });
  });

  test("fails if the file that was named does not exist", async () => {
    await expect(readPolicyFile({ kind: "named", path: paths[1] }, parse)).rejects.toMatchObject({
      code: "config",
      message: `open ${paths[1]}: no such file or directory`,
    });
  });

  test("reads the first default file that exists, and no other", async () => {
    await writeFile(paths[1], "second");
    await writeFile(paths[2], "third");
    expect(await readPolicyFile(location, parse)).toEqual({ policy: "second", file: paths[1] });
  });

  test("returns undefined if there is no file at any default place", async () => {
    expect(await readPolicyFile(location, parse)).toBeUndefined();
  });

  test("takes a file where a directory of the path should be for no file", async () => {
    await writeFile(join(paths[0], ".."), "");
    await writeFile(paths[1], "second");
    expect(await readPolicyFile(location, parse)).toMatchObject({ file: paths[1] });
  });

  test("G4: does not skip a file that cannot be read", async () => {
    await mkdir(paths[0], { recursive: true });
    await writeFile(paths[1], "second");
    await expect(readPolicyFile(location, parse)).rejects.toMatchObject({
      code: "config",
      message: `read ${paths[0]}: is a directory`,
    });
  });

  test("G4: does not skip a file that links to itself", async () => {
    await symlink(paths[1], paths[1]);
    await writeFile(paths[2], "third");
    await expect(readPolicyFile(location, parse)).rejects.toMatchObject({
      message: `open ${paths[1]}: too many levels of symbolic links`,
    });
  });

  test("G4: does not skip a file that cannot be parsed, and names it", async () => {
    await writeFile(paths[1], "{}");
    await writeFile(paths[2], "third");
    await expect(readPolicyFile(location, refuse)).rejects.toMatchObject({
      code: "config",
      message: `invalid policy in "${paths[1]}": Default policy is missing`,
      hint: "look at it",
    });
  });
});

describe("noPolicyFile", () => {
  test("says where was looked", () => {
    expect(noPolicyFile({ kind: "default", paths: ["/a/p", "/b/p"] })).toBe(
      'no policy.json file found; searched paths: ["/a/p" "/b/p"]',
    );
  });
});
