// B1: whatever lies in the current directory, the executable reads nothing that was not named.

import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { run } from "../support/run.ts";
import { sampleImage } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";
import { startRegistry } from "../support/registry-server.ts";
import { testWith } from "../support/needs.ts";
import { makeTlsCertificate } from "../support/tls-certificate.ts";

describe("B1: a directory full of traps", () => {
  test("runs nothing of it, and takes no variable from it", async () => {
    await using scene = new Scene();
    const sprung = setTraps(scene);
    const source = await scene.store("dir");
    await source.fill(sampleImage());
    for (const args of [
      ["--version"],
      ["--help"],
      ["inspect", source.image],
      ["copy", source.image, "dir:there"],
    ]) {
      expect(await scene.dray(...args)).toMatchObject({ code: 0, stderr: "" });
    }
    expect(existsSync(sprung)).toBe(false);
  });

  test("loads no policy and no module that lies there", async () => {
    await using scene = new Scene();
    setTraps(scene);
    const source = await scene.store("dir");
    await source.fill(sampleImage());
    writeFileSync(scene.at("accept.json"), '{"default":[{"type":"insecureAcceptAnything"}]}');
    const args = [`--policy=${scene.at("accept.json")}`, "copy", source.image, "dir:there"];
    expect(await run(args, { cwd: scene.path })).toMatchObject({ code: 0 });
  });

  testWith("openssl")("still verifies certificates", async () => {
    await using scene = new Scene();
    setTraps(scene);
    const { certificate, key } = makeTlsCertificate(scene.at("tls"));
    await using registry = startRegistry({
      tls: { cert: await Bun.file(certificate).text(), key: await Bun.file(key).text() },
    });
    const result = await scene.dray("inspect", `docker://${registry.host}/a/b:1`);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("certificate");
    expect(registry.requests.length).toBe(0);
  });
});

/** Returns the file that would appear if a trap were sprung. */
function setTraps(scene: Scene): string {
  const sprung = scene.at("sprung");
  const trap = `require("node:fs").writeFileSync(${JSON.stringify(sprung)}, "")`;
  const put = (name: string, text: string) => writeFileSync(scene.at(name), text);
  put("trap.ts", trap);
  put("trap.js", trap);
  put("bunfig.toml", 'preload = ["./trap.ts"]\n[run]\npreload = ["./trap.ts"]\n');
  for (const name of [".env", ".env.local", ".env.production", ".env.development"]) {
    put(
      name,
      `NODE_TLS_REJECT_UNAUTHORIZED=0\nHTTPS_PROXY=http://127.0.0.1:1\nCONTAINERS_POLICY_JSON=${scene.at("policy.json")}\n`,
    );
  }
  put("policy.json", '{"default":[{"type":"reject"}]}');
  put(
    "package.json",
    '{"type":"commonjs","imports":{"#x":"./trap.js"},"scripts":{"preinstall":"./trap.js"}}',
  );
  put(
    "tsconfig.json",
    '{"compilerOptions":{"paths":{"*":["./trap.ts"]},"jsx":"react","jsxImportSource":"./trap.ts"}}',
  );
  mkdirSync(scene.at("node_modules/citty"), { recursive: true });
  put("node_modules/citty/index.js", trap);
  put("node_modules/citty/package.json", '{"name":"citty","main":"index.js"}');
  return sprung;
}
