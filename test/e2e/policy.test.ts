// policy: what a trust policy says, asked of the executable.

import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { run, type RunResult } from "../support/run.ts";
import { sampleImage, sampleList } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";

const accept = [{ type: "insecureAcceptAnything" }];
const reject = [{ type: "reject" }];
const signed = [{ type: "signedBy", keyType: "GPGKeys", keyPath: "/proc/no-such-key" }];

function asked(scene: Scene, policy: unknown, ...words: readonly string[]): Promise<RunResult> {
  writeFileSync(scene.at("policy.json"), JSON.stringify(policy));
  return run(["--policy", "policy.json", "policy", ...words], { cwd: scene.path });
}

describe("policy explain", () => {
  test("names the requirement that decides, and ends as copy does", async () => {
    await using scene = new Scene();
    const source = await scene.store("dir");
    await source.fill(sampleImage());
    for (const [requirements, type] of [
      [reject, "reject"],
      [signed, "signedBy"],
      [[...accept, ...reject], "reject"],
    ] as const) {
      const policy = { default: requirements };
      const explained = await asked(scene, policy, "explain", source.image);
      const copied = await run(["--policy", "policy.json", "copy", source.image, "dir:there"], {
        cwd: scene.path,
      });
      expect(explained.code).toBe(1);
      expect(explained.stdout).toContain(`└─ rejected by ${type}: `);
      expect(withoutTime(explained)).toBe(withoutTime(copied));
      expect(copied.code).toBe(explained.code);
    }
    const explained = await asked(scene, { default: accept }, "explain", source.image);
    expect(explained).toMatchObject({ code: 0, stderr: "" });
    expect(explained.stdout).toEndWith(
      "├─ requirement 1 of 1: insecureAcceptAnything, met\n└─ admitted\n",
    );
  });

  test("explains every image of a list, as data too", async () => {
    await using scene = new Scene();
    const source = await scene.store("dir");
    await source.fill(sampleList());
    const words = ["--output", "json", "--all", "explain", source.image];
    const { code, stdout } = await asked(scene, { default: accept }, ...words);
    expect(code).toBe(0);
    const { verdict, decisions } = JSON.parse(stdout);
    expect(verdict).toBe("admitted");
    const by = decisions.map((each: { readonly by: string }) => each.by);
    expect(by.slice(0, -1)).toEqual(sampleList().images.map(() => "rules"));
    expect(by.at(-1)).toBe("images");
  });

  test("fails as copy does where there is no image", async () => {
    await using scene = new Scene();
    const { code, stderr } = await asked(scene, { default: accept }, "explain", "dir:nowhere");
    expect(code).toBe(1);
    expect(stderr).toContain("determining manifest MIME type for dir:nowhere: ");
  });
});

describe("policy lint", () => {
  test("fails on errors, and says where they are", async () => {
    await using scene = new Scene();
    const policy = { default: accept, transports: { dokcer: { "": signed } } };
    const { code, stdout, stderr } = await asked(scene, policy, "lint");
    expect(code).toBe(1);
    expect(stdout)
      .toBe(`policy.json: transports.dokcer: error: there is no transport "dokcer", did you mean "docker"?
policy.json: default: warning: accepts every image that no scope is for
policy.json: transports.dokcer[""]: error: signedBy: open /proc/no-such-key: no such file or directory
`);
    expect(stderr).toContain("2 errors in policy.json");
  });

  test("is content with warnings, and takes any file", async () => {
    await using scene = new Scene();
    const there = await asked(scene, { default: accept }, "lint", "policy.json");
    expect(there).toMatchObject({ code: 0, stderr: "" });
    const broken = await asked(scene, { default: [] }, "lint");
    expect(broken.code).toBe(1);
    expect(broken.stderr).toContain("List of verification policy requirements must not be empty");
  });
});

test("policy test holds a policy against a table", async () => {
  await using scene = new Scene();
  const source = await scene.store("dir");
  await source.fill(sampleImage());
  writeFileSync(scene.at("good"), `# a comment\n${source.image} reject is rejected by policy\n`);
  const good = await asked(scene, { default: reject }, "test", "good");
  expect(good).toMatchObject({
    code: 0,
    stdout: `good:2: ${source.image} reject: ok\n`,
    stderr: "",
  });
  writeFileSync(scene.at("bad"), `${source.image} accept\ndir:nowhere accept\n`);
  const bad = await asked(scene, { default: reject }, "test", "bad");
  expect(bad.code).toBe(1);
  expect(bad.stdout).toContain("accept: FAILED, is rejected, but is to be accepted: ");
  expect(bad.stderr).toContain("2 of 2 cases in bad failed");
});

test("policy init writes a policy that nothing is wrong with, and never over another", async () => {
  await using scene = new Scene();
  const first = await run(["policy", "init", "new.json"], { cwd: scene.path });
  expect(first).toMatchObject({ code: 0, stderr: "" });
  const written = readFileSync(scene.at("new.json"), "utf8");
  expect(await run(["policy", "lint", "new.json"], { cwd: scene.path })).toMatchObject({
    code: 0,
    stdout: "",
  });
  const second = await run(["policy", "init", "new.json"], { cwd: scene.path });
  expect(second.code).toBe(1);
  expect(second.stderr).toContain("there is one already, and it stays as it is");
  expect(readFileSync(scene.at("new.json"), "utf8")).toBe(written);
  const home = { HOME: scene.at("home") };
  await run(["policy", "init"], { cwd: scene.path, env: home });
  expect(existsSync(scene.at("home/.config/containers/policy.json"))).toBe(true);
});

test.each([[[]], [["explain"]], [["test"]], [["hope"]], [["lint", "a", "b"]]])(
  "policy %j is refused with help",
  async (words) => {
    await using scene = new Scene();
    const { code, stderr } = await run(["policy", ...words], { cwd: scene.path });
    expect(code).toBe(1);
    expect(stderr).toContain("explain IMAGE | lint [FILE] | test FILE | init [FILE]");
  },
);

function withoutTime({ stderr }: RunResult): string {
  return stderr.replace(/time="[^"]*"/g, "");
}
