// dray inspect: what a user sees of an image.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { inspect } from "../../../cli/commands/inspect.ts";
import { commandHelp } from "../../../cli/help.ts";
import { addSample } from "../../support/push.ts";
import { startRegistry } from "../../support/registry-server.ts";
import { runSource, timeless } from "../../support/run-source.ts";
import {
  sampleImage,
  sampleList,
  writeDirectory,
  writeLayout,
} from "../../support/sample-images.ts";
import { schema1Sample } from "../../support/sample-manifests.ts";
import { failureOfTool } from "../../support/tool-call.ts";

const image = sampleImage({ seed: "inspect", format: "oci", layers: ["gzip"] });
const list = sampleList({ seed: "inspect" });
let root = "";

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "dray-inspect-"));
  writeDirectory(join(root, "image"), image);
  writeLayout(join(root, "layout"), { image, list });
  mkdirSync(join(root, "schema1"));
  writeFileSync(join(root, "schema1/manifest.json"), JSON.stringify(schema1Sample()));
});
afterAll(() => rmSync(root, { recursive: true }));

/** Runs the command in the directory of the samples. */
async function look(...words: readonly string[]) {
  const { code, stdout, stderr } = await runSource(["inspect", ...words], { cwd: root });
  return { code, stdout, stderr: timeless(stderr) };
}

describe("inspect", () => {
  test.each([
    [[], "Exactly one argument expected"],
    [["a", "b"], "Exactly one argument expected"],
    [["a", "--raw", "-f", "x"], "raw output does not support format option"],
    [["a", "--creds="], "credentials can't be empty"],
    [
      ["a"],
      'Error parsing image name "a": Invalid image name "a", expected colon-separated transport:reference',
    ],
    [
      ["dir:/proc/none"],
      "Error retrieving manifest for image: open /proc/none/manifest.json: no such file or directory",
    ],
  ])("refuses %j", async (words, message) => {
    expect((await failureOfTool(inspect, words)).failure).toMatchObject({ message });
  });

  test("refuses an algorithm that nobody knows", async () => {
    const { failure } = await failureOfTool(inspect, [
      `dir:${root}/image`,
      "--manifest-digest=md5",
    ]);
    expect(failure).toMatchObject({ message: 'digest algorithm "md5" is not available' });
  });

  test("says that there is no such image, and exits with 2", async () => {
    expect(await look("oci:layout:none")).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining(String.raw`Error parsing image name \"oci:layout:none\": `),
    });
  });

  test("sums up an image", async () => {
    const { code, stdout, stderr } = await look("dir:image");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [layer] = image.layers;
    expect(JSON.parse(stdout)).toMatchObject({
      Digest: image.manifest.digest,
      RepoTags: [],
      Architecture: "amd64",
      Os: "linux",
      Layers: [layer?.digest],
      LayersData: [{ MIMEType: layer?.mediaType, Size: layer?.bytes.length, Annotations: null }],
    });
    expect(stdout).toEndWith("\n}\n");
  });

  test("shows the digest of a list beside what its image for the platform says", async () => {
    const shown = await look(
      "oci:layout:list",
      "--override-arch=arm64",
      "-f{{.Digest}} {{.Architecture}}",
    );
    expect(shown).toEqual({ code: 0, stdout: `${list.manifest.digest} arm64\n`, stderr: "" });
  });

  test("shows the tag of a schema 1 manifest", async () => {
    const format = "{{.Tag}} {{len .Layers}} {{(index .LayersData 0).Size}}";
    expect(await look("dir:schema1", "--format", format)).toMatchObject({
      stdout: "latest 2 -1\n",
    });
  });

  test.each([
    ["manifest", "dir:image", ["--raw"], image.manifest.bytes],
    ["manifest of a list", "oci:layout:list", ["--raw"], list.manifest.bytes],
    ["config", "dir:image", ["--raw", "--config"], image.config.bytes],
    ["config, which a schema 1 image has not", "dir:schema1", ["--raw", "--config"], ""],
  ])("gives the bytes of the %s as stored", async (_, name, flags, bytes) => {
    const stdout = Buffer.from(bytes).toString();
    expect(await look(name, ...flags)).toEqual({ code: 0, stdout, stderr: "" });
  });

  test("shows the config as OCI knows it", async () => {
    const { stdout } = await look("dir:schema1", "--config");
    expect(stdout).toMatchInlineSnapshot(`
      "{
          "created": "2020-01-02T03:04:05.5Z",
          "author": "me",
          "architecture": "arm",
          "os": "linux",
          "config": {
              "Env": [
                  "A=b"
              ],
              "Labels": {
                  "x": "y"
              }
          },
          "rootfs": {
              "type": "layers",
              "diff_ids": [
                  ""
              ]
          },
          "history": [
              {
                  "created": "0001-01-01T00:00:00Z",
                  "comment": "cc",
                  "empty_layer": true
              },
              {
                  "created": "2020-01-02T03:04:05.5Z",
                  "created_by": "a b",
                  "author": "me"
              }
          ]
      }
      "
    `);
  });

  test("prints what a template wrote before it failed", async () => {
    expect(await look("dir:image", "--config", "-f", String.raw`{{.OS}}\n{{.Nope}}`)).toEqual({
      code: 1,
      stdout: "linux\n",
      stderr: String.raw`level=fatal msg="Error writing OCI-formatted configuration data to standard output: template: dray inspect:2:2: executing \"dray inspect\" at <.Nope>: can't evaluate field Nope in type interface {}"
`,
    });
  });

  test("gives a manifest of a megabyte whole to a pipe", async () => {
    const manifest = { ...schema1Sample(), padding: "x".repeat(1_000_000) };
    mkdirSync(join(root, "large"));
    writeFileSync(join(root, "large/manifest.json"), JSON.stringify(manifest));
    const { stdout } = await look("dir:large", "--raw");
    expect(stdout).toBe(JSON.stringify(manifest));
  });

  // G2: looking is not carrying.
  test("asks no policy", async () => {
    writeFileSync(join(root, "policy.json"), '{"default":[{"type":"reject"}]}');
    expect(await look("--policy=policy.json", "dir:image")).toMatchObject({ code: 0, stderr: "" });
  });

  test("shows its flags in help", () => {
    expect(commandHelp(inspect, "skopeo")).toContain(
      "      --manifest-digest algorithm   algorithm to use for computing manifest digest",
    );
  });
});

describe("inspect, at a registry,", () => {
  const insecure = "--tls-verify=false";

  async function lookAt(intercept: Parameters<typeof startRegistry>[0], ...flags: string[]) {
    await using registry = startRegistry(intercept);
    const repository = registry.repository("some/image");
    addSample(repository, "b", image);
    addSample(repository, "a", image);
    const name = `docker://${registry.host}/some/image:a`;
    const shown = await look(insecure, ...flags, name);
    return { ...shown, host: registry.host, lines: [...registry.lines] };
  }

  test("shows the repository and its tags", async () => {
    const { stdout, stderr, host } = await lookAt({});
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toMatchObject({ Name: `${host}/some/image`, RepoTags: ["a", "b"] });
    expect(stdout).toStartWith(`{\n    "Name": "${host}/some/image",\n    "Digest": `);
  });

  test("asks for everything once, and for the tags while the image is on its way", async () => {
    let tagsAsked = (): void => {};
    const asked = new Promise<void>((resolve) => {
      tagsAsked = resolve;
    });
    const { code, lines } = await lookAt({
      auth: { kind: "bearer" },
      intercept: async ({ target }, usual) => {
        if (target.includes("/tags/list")) tagsAsked();
        // Answered only when the tags have been asked for: one after the other would wait for ever.
        if (target.includes("/manifests/")) await asked;
        return usual();
      },
    });
    expect(code).toBe(0);
    expect(lines.map((line) => line.replace(/[?:].*/, "")).sort()).toEqual([
      "GET /token",
      "GET /v2/",
      "GET /v2/some/image/blobs/sha256",
      "GET /v2/some/image/manifests/a",
      "GET /v2/some/image/tags/list",
    ]);
  });

  test("tells of a missing image, whatever becomes of its tags", async () => {
    const { code, stderr } = await lookAt({
      intercept: async ({ target }, usual) =>
        target.includes("/manifests/") || target.includes("/tags/list")
          ? new Response(null, { status: 404 })
          : usual(),
    });
    expect(code).toBe(1);
    expect(stderr).toContain("reading manifest a in");
    expect(stderr).not.toContain("tags");
  });

  test("asks for no tags that nobody wants", async () => {
    const { stdout, lines } = await lookAt({}, "--no-tags");
    expect(JSON.parse(stdout)).toMatchObject({ RepoTags: [] });
    expect(lines.join("\n")).not.toContain("tags/list");
  });

  test("warns where the tags are not disclosed, and shows the rest", async () => {
    const { code, stdout, stderr } = await lookAt({
      intercept: ({ target }, usual) =>
        target.includes("/tags/list")
          ? Response.json({ errors: [{ code: "DENIED", message: "no" }] }, { status: 403 })
          : usual(),
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ RepoTags: null });
    expect(stderr).toBe('level=warning msg="Registry disallows tag list retrieval; skipping"\n');
  });
});
