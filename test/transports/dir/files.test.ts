// The files of a directory image.

import { describe, expect, test } from "bun:test";
import { digestOf } from "../../../core/content/digest.ts";
import {
  blobFile,
  checkVersion,
  manifestFileOf,
  signatureFileOf,
  versionText,
} from "../../../transports/dir/files.ts";
import { failureOf } from "../../support/failure-of.ts";

const sha256 = digestOf(new Uint8Array(), "sha256");
const sha512 = digestOf(new Uint8Array(), "sha512");
const hex256 = sha256.slice("sha256:".length);
const hex512 = sha512.slice("sha512:".length);

test("files are named for digests, and for the algorithm if it is not SHA-256", () => {
  expect(blobFile(sha256)).toBe(hex256);
  expect(blobFile(sha512)).toBe(`sha512-${hex512}`);
  expect(manifestFileOf(undefined)).toBe("manifest.json");
  expect(manifestFileOf(sha256)).toBe(`${hex256}.manifest.json`);
  expect(manifestFileOf(sha512)).toBe(`sha512-${hex512}.manifest.json`);
  expect(signatureFileOf(undefined, 1)).toBe("signature-1");
  expect(signatureFileOf(sha256, 12)).toBe(`${hex256}.signature-12`);
});

test("the version says whether there are digests other than SHA-256", () => {
  expect(versionText(["manifest.json", hex256])).toBe("Directory Transport Version: 1.1\n");
  expect(versionText([`sha512-${hex512}`])).toBe("Directory Transport Version: 1.2\n");
});

describe("checkVersion", () => {
  test.each(["0.7", "1.0", "1.1", "1.2"])("takes %s", (version) => {
    expect(() => checkVersion(`Directory Transport Version: ${version}\n`, "d")).not.toThrow();
  });

  test.each(["1.3", "1.10", "2.0"])("refuses %s as one from the future", (version) => {
    const check = () => checkVersion(`Directory Transport Version: ${version}\n`, "d");
    expect(failureOf(check)).toMatchObject({
      code: "unsupported",
      message: `unsupported directory transport version "${version}" at d`,
    });
  });

  test.each([
    "",
    "garbage",
    "Directory Transport Version: 1.1",
    "Directory Transport Version: 1.1\n\n",
    "Directory Transport Version: 1\n",
    "Directory Transport Version: a.b\n",
    " Directory Transport Version: 1.1\n",
  ])("refuses %j as no version", (text) => {
    expect(failureOf(() => checkVersion(text, "d"))).toMatchObject({
      code: "corrupt",
      message: `invalid version file content: ${JSON.stringify(text)}`,
    });
  });
});
