// dray copy: what it refuses, in which order, and what it shows.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { copy } from "../../../cli/commands/copy.ts";
import { commandHelp } from "../../../cli/help.ts";
import { digestOf } from "../../../core/content/digest.ts";
import { listedTransports } from "../../../core/image/parse-name.ts";
import { transports } from "../../../transports/table.ts";
import { runOnTerminal } from "../../support/run.ts";
import { runSource, timeless } from "../../support/run-source.ts";
import { sampleImage, writeDirectory } from "../../support/sample-images.ts";
import { failureOfTool } from "../../support/tool-call.ts";

const free = "--insecure-policy";

describe("copy", () => {
  test.each([
    [[], "help, and then: Exactly two arguments expected"],
    [["dir:a"], "help, and then: Exactly two arguments expected"],
    [["a", "b", "c", "--policy=/none"], "help, and then: Exactly two arguments expected"],
    [
      ["a", "b", "--policy=/proc/none"],
      "Error loading trust policy: open /proc/none: no such file or directory",
    ],
    [
      [free, "a", "b"],
      'Invalid source name a: Invalid image name "a", expected colon-separated transport:reference',
    ],
    [
      [free, "dir:a", "x:b", "--src-creds="],
      'Invalid destination name x:b: Invalid image name "x:b", unknown transport "x"',
    ],
    [
      [free, "dir:a", "dir:b", "--also=dir:c", "--also=x:b", "--src-creds="],
      'Invalid destination name x:b: Invalid image name "x:b", unknown transport "x"',
    ],
    [
      [free, "dir:a", "dir:b", "--also=dir:c", "--also=dir:./b", "--src-creds="],
      "Cannot copy to dir:b and dir:./b at the same time: they are in the same place",
    ],
    [[free, "dir:a", "dir:b", "--src-creds=", "--dest-creds=:"], "credentials can't be empty"],
    [[free, "dir:a", "dir:b", "--dest-creds=:", "--additional-tag=x"], "username can't be empty"],
    [
      [free, "dir:a", "dir:b", "--screds=a", "--src-no-creds"],
      "creds and no-creds cannot be specified at the same time",
    ],
    [
      [free, "dir:a", "dir:b", "--dest-compress-format=xz", "--all", "--multi-arch=all"],
      'cannot find compressor for "xz"',
    ],
    [
      [free, "dir:a", "dir:b", "--dest-force-compress-format"],
      "cannot use ForceCompressionFormat with undefined default compression format",
    ],
    [
      [free, "dir:a", "dir:b", "--additional-tag=X:y"],
      "error parsing additional-tag 'X:y': invalid reference format: repository name must be lowercase",
    ],
    [
      [free, "dir:a", "dir:b", "--additional-tag=x", "--all", "--multi-arch=all"],
      "additional-tag 'x' must be a tagged reference",
    ],
    [
      [free, "dir:a", "dir:b", "--all", "--multi-arch=nonsense"],
      "Cannot use --all and --multi-arch flags together",
    ],
    [
      [free, "dir:a", "dir:b", "--multi-arch=", "--format=x"],
      `unknown multi-arch option "". Choose one of the supported options: 'system', 'all', 'index-only', or a comma-separated platform list like 'linux/amd64,linux/arm64'`,
    ],
    ...["linux/arm/v7/x", "linux/arm/"].map(
      (entry) =>
        [
          [free, "dir:a", "dir:b", `--multi-arch=linux/amd64, ${entry}`, "--format=x"],
          `invalid platform format "${entry}" in --multi-arch, expected OS/Architecture (e.g., linux/amd64)`,
        ] satisfies [string[], string],
    ),
    [
      [free, "dir:a", "dir:b", "--multi-arch=linux/amd64,system"],
      'invalid platform format "system" in --multi-arch, expected OS/Architecture (e.g., linux/amd64)',
    ],
    [
      [free, "dir:a", "dir:b", "--format=constructor", "--remove-signatures"],
      `unknown format "constructor". Choose one of the supported formats: 'oci', 'v2s1', or 'v2s2'`,
    ],
    [
      [free, "dir:a", "dir:b", "--remove-signatures", "--remove-list-signatures"],
      "Only one of --remove-signatures and --remove-list-signatures can be specified",
    ],
    [
      [free, "dir:a", "dir:/b", "--dest-compress", "--dest-decompress"],
      "initializing destination dir:/b: Cannot compress and decompress at the same time",
    ],
  ])("refuses %j", async (words, message) => {
    const { failure } = await failureOfTool(copy, words);
    expect(failure).toMatchObject({ name: "Failure", message });
  });

  test("warns of flags that have no effect, and of a deprecated one", async () => {
    const words = [free, "dir:a", "oci:b", "--tls-verify", "--dest-compress", "--dest-decompress"];
    const { warnings } = await failureOfTool(copy, [...words, "--format=x"]);
    expect(warnings).toEqual([
      "'--tls-verify' is deprecated, instead use: --src-tls-verify, --dest-tls-verify",
      "--dest-compress can only be used if the destination transport is 'dir'",
      "--dest-decompress can only be used if the destination transport is 'dir'",
    ]);
  });

  test("warns of flags that have no effect on each destination", async () => {
    const words = [free, "dir:a", "dir:b", "--also=oci:c", "--also=oci:d,e", "--dest-compress"];
    const { warnings } = await failureOfTool(copy, [...words, "--format=x"]);
    expect(warnings).toEqual([
      "--dest-compress can only be used if the destination transport is 'dir'",
      "--dest-compress can only be used if the destination transport is 'dir'",
    ]);
  });

  test("shows the transports in its help as scripts look for them", () => {
    expect(commandHelp(copy, "skopeo")).toStartWith(
      `Container "IMAGE-NAME" uses a "transport":"details" format.

Supported transports:
${listedTransports(transports).join(", ")}

See skopeo(1) section "IMAGE NAMES" for the expected format

Usage:
skopeo copy [command options] SOURCE-IMAGE DESTINATION-IMAGE
`,
    );
  });

  describe("from a directory to a directory", () => {
    const image = sampleImage();
    let root = "";
    let names: string[] = [];
    beforeAll(async () => {
      root = mkdtempSync(join(tmpdir(), "dray-copy-"));
      mkdirSync(join(root, "from"));
      writeDirectory(join(root, "from"), image);
      names = [`dir:${root}/from`, `dir:${root}/to`];
    });
    afterAll(() => rmSync(root, { recursive: true }));

    test("prints the original's lines on stdout, and nothing else anywhere", async () => {
      const { code, stdout, stderr } = await runSource(["copy", free, ...names]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const lines = stdout.trimEnd().split("\n");
      expect(lines[0]).toBe("Getting image source signatures");
      expect(lines.at(-1)).toBe("Writing manifest to image destination");
      const blobs = lines.slice(1, -1);
      const configs = blobs.filter((line) => /^Copying config sha256:[0-9a-f]{64}$/.test(line));
      expect(configs).toHaveLength(1);
      expect(blobs).toHaveLength(new Set(blobs).size);
      for (const line of blobs) expect(line).toMatch(/^Copying (blob|config) sha256:[0-9a-f]{64}$/);
    });

    test("says nothing with --quiet, and writes the digest where it is wanted", async () => {
      const file = join(root, "digest");
      const words = ["copy", free, "-q", `--digestfile=${file}`, "--additional-tag=a:b", ...names];
      const { code, stdout, stderr } = await runSource(words);
      expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "", stderr: "" });
      expect(readFileSync(file, "utf8")).toBe(digestOf(image.manifest.bytes));
      expect(statSync(file).mode & 0o777).toBe(0o644);
    });

    test("fails where the digest cannot be written", async () => {
      const words = ["copy", free, "-q", "--digestfile=/proc/none/x", ...names];
      const { code, stderr } = await runSource(words);
      expect(code).toBe(1);
      expect(timeless(stderr)).toBe(
        'level=fatal msg="Failed to write digest to file \\"/proc/none/x\\": open /proc/none/x: no such file or directory"\n',
      );
    });

    test("draws on a terminal, and leaves the original's final words", async () => {
      const main = join(import.meta.dir, "../../../cli/main.ts");
      const options = { cwd: root, program: process.execPath };
      const words = ["copy", free, `dir:${root}/from`, `oci:${root}/drawn:1`];
      const { code, drawn } = await runOnTerminal([main, ...words], options);
      expect(code).toBe(0);
      expect(drawn).toContain("Getting image source signatures");
      expect(drawn).toMatch(/Copying config [0-9a-f]{10} done/);
      expect(drawn).toMatch(/Copying blob [0-9a-f]{12} done/);
      expect(drawn).toMatch(/ moved in \d+ blobs, .* reused in \d+, .* mounted in \d+, \d+\.\d s/);
      expect(drawn).not.toContain("sha256:");
      // No colours where they would say nothing.
      expect(drawn).not.toMatch(/\x1b\[\d*m/);
    });
  });
});
