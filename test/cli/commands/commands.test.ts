// The smaller commands: delete, list-tags, manifest-digest, help and completion.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { completion } from "../../../cli/commands/completion.ts";
import { deleteImage } from "../../../cli/commands/delete.ts";
import { listTags } from "../../../cli/commands/list-tags.ts";
import { manifestDigest } from "../../../cli/commands/manifest-digest.ts";
import { commandHelp } from "../../../cli/help.ts";
import { runSource } from "../../support/run-source.ts";
import { failureOfTool } from "../../support/tool-call.ts";

describe("delete", () => {
  test.each([
    [[], "Usage: delete imageReference"],
    [["dir:a", "dir:b"], "Usage: delete imageReference"],
    [
      ["foo", "--creds="],
      'Invalid source name foo: Invalid image name "foo", expected colon-separated transport:reference',
    ],
    [["foo:"], 'Invalid source name foo:: Invalid image name "foo:", unknown transport "foo"'],
    [["dir:x", "--creds="], "credentials can't be empty"],
    [["dir:x"], "Deleting images not implemented for dir: images"],
    [["dir:x", "--tag-only"], "Removing only the tag is not possible for dir: images"],
    [["dir:x", "--dry-run"], "Deleting images not implemented for dir: images"],
    [
      ["oci:x:1", "--dry-run", "--tag-only"],
      "Removing only the tag is not possible for oci: images",
    ],
  ])("refuses %j", async (words, message) => {
    expect((await failureOfTool(deleteImage, words)).failure).toMatchObject({ message });
  });
});

describe("list-tags", () => {
  test.each([
    [[], "help, and then: Exactly one non-option argument expected"],
    [["a", "b"], "help, and then: Exactly one non-option argument expected"],
    [["foo", "--creds="], "credentials can't be empty"],
    [["foo"], 'Invalid "foo": does not specify a transport'],
    [["foo:bar"], 'Invalid "foo:bar": does not specify a transport'],
    [["constructor:x"], 'Invalid "constructor:x": does not specify a transport'],
    [
      ["dir:/x"],
      "Unsupported transport 'dir' for tag listing. Only supported: docker, docker-archive",
    ],
    [["docker:x"], "docker: image reference docker:x does not start with docker://"],
    [["docker://x:y"], "No tag or digest allowed in reference"],
    [["docker://X"], "invalid reference format: repository name must be lowercase"],
  ])("refuses %j", async (words, message) => {
    expect((await failureOfTool(listTags, words)).failure).toMatchObject({ message });
  });

  test("shows the transports in its help as scripts look for them", () => {
    expect(commandHelp(listTags, "skopeo")).toStartWith(
      'Return the list of tags from the transport/repository "SOURCE-IMAGE"\n\nSupported transports:\ndocker docker-archive\n\nSee skopeo-list-tags(1)',
    );
  });
});

describe("manifest-digest", () => {
  let root = "";
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "dray-manifest-"));
  });
  afterAll(() => rmSync(root, { recursive: true }));

  test.each([
    [[], "Usage: dray manifest-digest manifest"],
    [["a", "b"], "Usage: dray manifest-digest manifest"],
    [
      ["/proc/none"],
      "Error reading manifest from /proc/none: open /proc/none: no such file or directory",
    ],
    [["/"], "Error reading manifest from /: read /: is a directory"],
  ])("refuses %j", async (words, message) => {
    expect((await failureOfTool(manifestDigest, words)).failure).toMatchObject({ message });
  });

  test.each([
    [
      "anything at all",
      "{",
      "sha256:021fb596db81e6d02bf3d2586ee3981fe519f275c0ac9ca76bbcf2ebb4097d96",
    ],
    ["nothing", "", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ])("prints the digest of %s", async (_, text, digest) => {
    const path = join(root, "manifest.json");
    writeFileSync(path, text);
    const { code, stdout, stderr } = await runSource(["manifest-digest", path]);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `${digest}\n`, stderr: "" });
  });
});

describe("help", () => {
  test("is about the program, or about one command", async () => {
    expect(await runSource(["help"])).toEqual(await matching(["--help"]));
    expect(await runSource(["help", "copy", "x"])).toEqual(await matching(["copy", "--help"]));
  });

  test("says on stderr that it does not know a topic, and succeeds", async () => {
    const { code, stdout, stderr } = await runSource(["help", "bogus", "x"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toStartWith("Unknown help topic [`bogus` `x`]\nUsage:\n  dray [flags]\n");
  });

  async function matching(words: readonly string[]) {
    const { code, stdout, stderr } = await runSource(words);
    expect(code).toBe(0);
    return expect.objectContaining({ code, stdout, stderr });
  }
});

describe("completion", () => {
  test("knows bash, fish and zsh", async () => {
    const { failure } = await failureOfTool(completion, ["tcsh"]);
    expect(failure).toMatchObject({ message: "Usage: dray completion bash|fish|zsh" });
  });

  test.each([
    ["a command", ["co"], "copy "],
    ["a command behind a flag and its value", ["--policy", "x", "ins"], "inspect "],
    ["a flag of a command", ["copy", "--dest-cr"], "--dest-creds "],
    ["a global flag behind a command", ["copy", "--insec"], "--insecure-policy "],
    [
      "a global flag before a command",
      ["--overrid"],
      "--override-arch --override-os --override-variant ",
    ],
    ["an image", ["copy", "doc"], "docker:// docker-archive: docker-daemon: "],
    ["an image, of which bash takes the colon for a word", ["copy", "docker", ":"], "// "],
    ["an image up to its slashes", ["copy", "dir:a", "docker", ":", "/"], "// "],
    ["no image that is there in full", ["copy", "docker", ":", "//busybox"], ""],
    ["no file of a directory, which bash does better", ["copy", "dir", ":", "bu"], ""],
    ["a topic of help", ["help", "del"], "delete "],
    ["nothing that is hidden", ["comple"], ""],
  ])("completes in bash %s", async (_, words, offered) => {
    const { stdout: script } = await runSource(["completion", "bash"]);
    const line = ["dray", ...words];
    const probe = `${script}
compopt() { :; }
COMP_WORDS=(${line.map((word) => `'${word}'`).join(" ")}) COMP_CWORD=${line.length - 1}
_dray; printf '%s ' "\${COMPREPLY[@]}"`;
    const child = Bun.spawn(["bash", "-c", probe], { stdout: "pipe" });
    expect((await child.stdout.text()).replace(/^ $/, "")).toBe(offered);
  });
});
