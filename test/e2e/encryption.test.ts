// Encrypted layers: between us and the original, and back to what they were.

import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { layerKeyPair, privatePem, publicPem } from "../support/layer-keys.ts";
import { original, testWith } from "../support/needs.ts";
import { newerProgram } from "../support/newer-debian.ts";
import { run, succeed } from "../support/run.ts";
import { sampleImage } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";

const kinds = [2048, "P-256", "P-384", "P-521"] as const;
const image = sampleImage({ seed: "crypt", format: "oci", layers: ["gzip", "gzip"] });

/** Writes a pair of keys into the scene, and returns what follows the flags. */
function keysIn(scene: Scene, kind: (typeof kinds)[number], password?: string) {
  const pair = layerKeyPair(kind);
  const [own, open] = [scene.at(`${kind}.key`), scene.at(`${kind}.pub`)];
  writeFileSync(own, privatePem(pair, password));
  writeFileSync(open, publicPem(pair));
  return { encrypt: `jwe:${open}`, decrypt: own };
}

const plain = layersIn(new TextDecoder().decode(image.manifest.bytes));

/** Returns what a manifest says of its layers, with nothing left out. */
function layersIn(manifest: string): unknown {
  return JSON.parse(manifest).layers;
}

async function layersOf(scene: Scene, name: string): Promise<unknown> {
  return layersIn((await scene.dray("inspect", "--raw", name)).stdout);
}

describe("copy", () => {
  for (const [program, need] of [
    ["skopeo", original()],
    ["a newer skopeo", "newer:skopeo"],
  ] as const) {
    testWith(need)(`exchanges encrypted layers with ${program}, by every kind of key`, async () => {
      await using scene = new Scene();
      const store = await scene.store("dir");
      await store.fill(image);
      const path = need.startsWith("newer:") ? newerProgram("skopeo") : original();
      const theirs = (...args: readonly string[]) =>
        succeed(["--insecure-policy", "copy", "-q", ...args], { cwd: scene.path, program: path });
      const keys = kinds.map((kind) => keysIn(scene, kind));
      const recipients = keys.flatMap(({ encrypt }) => ["--encryption-key", encrypt]);
      await scene.copy("-q", ...recipients, store.image, "oci:ours:1");
      await theirs(...recipients, store.image, "oci:theirs:1");
      await theirs(...recipients.slice(0, 2), store.image, "oci:single:1");
      for (const [index, { decrypt }] of keys.entries()) {
        await theirs("--decryption-key", decrypt, "oci:ours:1", `dir:a${index}`);
        await scene.copy("-q", "--decryption-key", decrypt, "oci:theirs:1", `dir:b${index}`);
        for (const way of ["a", "b"]) {
          expect(await layersOf(scene, `dir:${way}${index}`)).toEqual(plain);
        }
      }
      const [{ decrypt } = { decrypt: "" }] = keys;
      await scene.copy("-q", "--decryption-key", decrypt, "oci:single:1", "dir:opened");
    });
  }

  testWith("gpg", original())("exchanges layers by OpenPGP with skopeo", async () => {
    await using scene = new Scene();
    const store = await scene.store("dir");
    await store.fill(image);
    const env = { GNUPGHOME: scene.at("gnupg") };
    mkdirSync(env.GNUPGHOME, { mode: 0o700 });
    const gpg = (...args: readonly string[]) =>
      succeed(["--batch", "--quiet", ...args], { cwd: scene.path, env, program: "gpg" });
    // The original fails on a ring with any newer kind of key.
    for (const name of ["one", "two"]) {
      const who = `${name}@example.com`;
      await gpg("--passphrase", "", "--quick-gen-key", who, "rsa2048", "default", "never");
      const listed = (await gpg("--with-colons", "--list-keys", who)).stdout;
      const fingerprint = /^fpr:+([0-9A-F]+):/m.exec(listed)?.[1] ?? "";
      await gpg("--passphrase", "", "--quick-add-key", fingerprint, "rsa2048", "encr", "never");
      await gpg("--output", scene.at(`${name}.key`), "--export-secret-keys", who);
    }
    const people = ["one", "two"].flatMap((name) => [
      "--encryption-key",
      `pgp:${name}@example.com`,
    ]);
    const options = { cwd: scene.path, env };
    const copying = ["--insecure-policy", "copy", "-q"];
    const theirs = { ...options, program: original() };
    await succeed([...copying, ...people, store.image, "oci:ours:1"], options);
    await succeed([...copying, ...people, store.image, "oci:theirs:1"], theirs);
    for (const name of ["one", "two"]) {
      const key = ["--decryption-key", scene.at(`${name}.key`)];
      await succeed([...copying, ...key, "oci:ours:1", `dir:a-${name}`], theirs);
      await succeed([...copying, ...key, "oci:theirs:1", `dir:b-${name}`], options);
      for (const way of ["a", "b"]) {
        expect(await layersOf(scene, `dir:${way}-${name}`)).toEqual(plain);
      }
    }
    const unknown = ["--encryption-key", "pgp:one@example.com", "--encryption-key", "pgp:nobody"];
    const refused = await run([...copying, ...unknown, store.image, "oci:new:1"], options);
    expect(refused.stderr).toContain("Invalid encryption keys: pgp:nobody: No OpenPGP key fits");
    await gpg("--homedir", env.GNUPGHOME, "--list-keys");
    await succeed(["--kill", "all"], { ...options, program: "gpgconf" });
  });

  test("encrypts the layers that are named, and no others", async () => {
    await using scene = new Scene();
    const store = await scene.store("dir");
    await store.fill(image);
    const { encrypt, decrypt } = keysIn(scene, "P-256", "secret");
    const flags = ["--encryption-key", encrypt, "--encrypt-layer", "-1"];
    await scene.copy("-q", ...flags, store.image, "oci:one:1");
    const tar = "application/vnd.oci.image.layer.v1.tar+gzip";
    expect(await layersOf(scene, "oci:one:1")).toMatchObject([
      { mediaType: tar },
      { mediaType: `${tar}+encrypted` },
    ]);
    // Without a key it travels as it is.
    await scene.copy("-q", "oci:one:1", "dir:as-it-is");
    expect(await layersOf(scene, "dir:as-it-is")).toEqual(await layersOf(scene, "oci:one:1"));
    writeFileSync(scene.at("password"), "secret\n");
    const key = `${decrypt}:file=${scene.at("password")}`;
    await scene.copy("-q", "--decryption-key", key, "oci:one:1", "dir:plain");
    expect(await layersOf(scene, "dir:plain")).toEqual(plain);
  });

  test("refuses what cannot be, and leaves nothing behind", async () => {
    await using scene = new Scene();
    const store = await scene.store("dir");
    await store.fill(image);
    const { encrypt, decrypt } = keysIn(scene, "P-256");
    await scene.copy("-q", "--encryption-key", encrypt, store.image, "oci:locked:1");
    const other = keysIn(scene, "P-521");
    const refused = async (args: readonly string[], message: string) => {
      const result = await run(["--insecure-policy", "copy", ...args], { cwd: scene.path });
      expect([result.code, result.stderr]).toEqual([1, expect.stringContaining(message)]);
    };
    const encrypting = ["--encryption-key", encrypt];
    for (const [args, message] of [
      [[...encrypting, "--decryption-key", decrypt], "cannot be specified together"],
      [["--encrypt-layer", "0"], "--encrypt-layer can only be used with --encryption-key"],
      [["--encrypt-layer", "x"], 'strconv.Atoi: parsing \\"x\\": invalid syntax'],
      [["--encryption-key", "x"], "Invalid encryption keys: Invalid recipient format"],
      [["--encryption-key", "x:y"], "Invalid encryption keys: Provided protocol not recognized"],
      [["--encryption-key", "pkcs7:y"], "Invalid encryption keys: Keys of the kind pkcs7"],
      [
        ["--encryption-key", "jwe:/nowhere/key"],
        "Invalid encryption keys: Unable to read file: open /nowhere/key: no such file or directory",
      ],
      [["--encryption-key", `jwe:${decrypt}`], "File provided is not a public key"],
      [["--decryption-key", "/nowhere/key"], "Invalid decryption keys: open /nowhere/key: no such"],
      [[...encrypting, "--encrypt-layer", "2"], "layer index 2 out of range (2 layers exist)"],
      [
        [...encrypting, "--preserve-digests"],
        "should be encrypted, but we can’t modify the manifest: Instructed to preserve digests",
      ],
      [
        [...encrypting, "--format", "v2s2"],
        "encryption required together with format application/vnd.docker.distribution.manifest.v2+json, which does not support encryption",
      ],
    ] as const) {
      await refused([...args, store.image, "oci:new:1"], message);
    }
    await refused(
      [...encrypting, store.image, "docker-archive:new.tar:x:1"],
      "encryption required but the destination only supports MIME types [",
    );
    await refused(
      ["oci:locked:1", "docker-archive:new.tar:x:1"],
      "encryption required but the destination only supports MIME types [",
    );
    await refused(
      ["--decryption-key", other.decrypt, "oci:locked:1", "oci:new:1"],
      "none of the private keys could be used for decryption",
    );
    expect((await scene.dray("inspect", "oci:new:1")).code).not.toBe(0);
  });
});
