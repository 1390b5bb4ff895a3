// Simple signing: signatures made here and accepted by others, and the other way round.

import { describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { digestOf } from "../../core/content/digest.ts";
import { encodeSimpleSigning } from "../../core/trust/simple-signing.ts";
import { GpgHome } from "../support/gpg-home.ts";
import { testWith } from "../support/needs.ts";
import { newerProgram } from "../support/newer-debian.ts";
import { testKey, version3Message } from "../support/openpgp.ts";
import { run, type RunResult, succeed } from "../support/run.ts";
import { sampleImage, sampleList } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";
import { treeOf } from "../support/trees.ts";

const reference = "docker.io/library/signed:1";

const keyKinds = [
  ["RSA", { algorithm: "rsa3072" }],
  ["P-256", { algorithm: "nistp256" }],
  ["Ed25519", { algorithm: "ed25519" }],
  ["a subkey of RSA", { algorithm: "ed25519", subkey: "rsa3072" }],
  ["a subkey on Ed25519", { algorithm: "rsa3072", subkey: "ed25519" }],
] as const;

/** An image in a directory, keys, and a policy that wants one of them. */
class SignedScene extends Scene {
  readonly gpg: GpgHome = new GpgHome(this.at("gnupg"));
  image = "";

  /** Puts an image there, and its manifest into `manifest.json`. */
  async begin(): Promise<void> {
    const store = await this.store("dir");
    await store.fill(sampleImage({ format: "oci" }));
    this.image = store.image.slice("dir:".length);
    writeFileSync(this.at("manifest.json"), await store.manifest());
    writeFileSync(this.at("payload"), this.payload());
  }

  payload(): Uint8Array {
    const digest = digestOf(readFileSync(this.at("manifest.json")));
    return encodeSimpleSigning({ digest, reference, creator: "test", timestamp: 0 });
  }

  /** Puts a signature beside the image, and asks a program whether its policy takes it. */
  async judge(signature: string, keys = "keys", program?: string): Promise<RunResult> {
    copyFileSync(this.at(signature), `${this.image}/signature-1`);
    const policy = {
      default: [
        {
          type: "signedBy",
          keyType: "GPGKeys",
          keyPath: this.at(keys),
          signedIdentity: { type: "exactReference", dockerReference: reference },
        },
      ],
    };
    writeFileSync(this.at("policy.json"), JSON.stringify(policy));
    const args = ["--policy", this.at("policy.json"), "copy", `dir:${this.image}`, "dir:there"];
    await succeed(["-rf", "there"], { cwd: this.path, program: "/bin/rm" });
    return run(args, { cwd: this.path, ...(program !== undefined && { program }) });
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.gpg[Symbol.asyncDispose]();
    await super[Symbol.asyncDispose]();
  }
}

async function begun(): Promise<SignedScene> {
  const scene = new SignedScene();
  await scene.begin();
  return scene;
}

describe("a signature with", () => {
  for (const [name, wish] of keyKinds) {
    testWith(
      "gpg",
      "skopeo",
      "newer:skopeo",
    )(`${name} that is made here is accepted by others`, async () => {
      await using scene = await begun();
      const { gpg, path: cwd } = scene;
      const key = await gpg.generate(wish);
      await gpg.exportTo(scene.at("keys"));
      const sign = ["standalone-sign", "manifest.json", reference, key, "-o", "signature"];
      expect(await succeed(sign, { cwd, env: gpg.env })).toMatchObject({ stdout: "", stderr: "" });
      const verify = ["standalone-verify", "manifest.json", reference, key, "signature"];
      const verified = `Signature verified using fingerprint ${key}, digest sha256:`;
      expect((await succeed(verify, { cwd, env: gpg.env })).stdout).toStartWith(verified);
      const any = [
        "standalone-verify",
        "manifest.json",
        reference,
        "any",
        "signature",
        "--public-key-file",
        "keys",
      ];
      expect((await succeed(any, { cwd })).stdout).toStartWith(verified);
      const newer = { cwd, program: newerProgram("skopeo") };
      expect((await succeed(any, newer)).stdout).toStartWith(verified);
      expect((await scene.judge("signature", "keys", newerProgram("skopeo"))).code).toBe(0);
      expect(await scene.judge("signature")).toMatchObject({ code: 0 });
      if ("subkey" in wish) return; // Older ones know a signer by the subkey only.
      await succeed(verify, { cwd, env: gpg.env, program: "skopeo" });
      expect((await scene.judge("signature", "keys", "skopeo")).code).toBe(0);
    });

    testWith(
      "gpg",
      "skopeo",
      "newer:skopeo",
      "newer:gpg",
    )(`${name} that others make is accepted here`, async () => {
      await using scene = await begun();
      const { gpg, path: cwd } = scene;
      const key = await gpg.generate(wish);
      await gpg.exportTo(scene.at("keys"));
      await using newerGpg = new GpgHome(scene.at("newer"), newerProgram("gpg"));
      await gpg.shareWith(newerGpg);
      const sign = (output: string) => [
        "standalone-sign",
        "manifest.json",
        reference,
        key,
        "-o",
        output,
      ];
      await succeed(sign("old"), { cwd, env: gpg.env, program: "skopeo" });
      const newer = { cwd, env: newerGpg.env, program: newerProgram("skopeo") };
      await succeed(sign("new"), newer);
      for (const signature of ["old", "new"]) {
        expect(await scene.judge(signature)).toMatchObject({ code: 0 });
        const verify = ["standalone-verify", "manifest.json", reference, key, signature];
        await succeed(verify, { cwd, env: gpg.env });
      }
    });
  }
});

describe("messages of gpg", () => {
  const manners = ["-z0", "--compress-algo=zip", "--compress-algo=zlib", "--compress-algo=bzip2"];
  testWith("gpg", "skopeo")(
    "are accepted however they are packed, as skopeo accepts them",
    async () => {
      await using scene = await begun();
      const key = await scene.gpg.generate({ algorithm: "ed25519" });
      await scene.gpg.exportTo(scene.at("keys"));
      for (const packing of manners) {
        for (const mode of ["--no-textmode", "--textmode"]) {
          await scene.gpg.sign(scene.at("payload"), scene.at("signature"), key, packing, mode);
          for (const program of [undefined, "skopeo"]) {
            const { code, stderr } = await scene.judge("signature", "keys", program);
            expect([packing, mode, program, code, stderr]).toEqual([packing, mode, program, 0, ""]);
          }
        }
      }
    },
  );

  testWith("gpg", "skopeo")("of version 3 are accepted, as skopeo accepts them", async () => {
    await using scene = await begun();
    const key = await testKey({ type: "rsa", rsaBits: 3072 });
    writeFileSync(scene.at("keys"), key.ring);
    writeFileSync(scene.at("signature"), version3Message(key, scene.payload()));
    expect(await scene.judge("signature")).toMatchObject({ code: 0 });
    expect(await scene.judge("signature", "keys", "skopeo")).toMatchObject({ code: 0 });
  });

  testWith("gpg")(
    "are refused where hash, key or date are no good, and the message says so",
    async () => {
      await using scene = await begun();
      const { gpg } = scene;
      const payload = scene.at("payload");
      const signature = scene.at("signature");
      const refusal = async () => (await scene.judge("signature")).stderr;

      const rsa = await gpg.generate({ algorithm: "rsa3072" });
      await gpg.exportTo(scene.at("keys"), rsa);
      await gpg.sign(payload, signature, rsa, "--digest-algo=SHA1");
      expect(await refusal()).toContain("it rests on SHA-1, which is too weak");
      const past = ["--faked-system-time=20200101T000000!"];
      const early = await gpg
        .run([
          ...past,
          "--pinentry-mode",
          "loopback",
          "--passphrase",
          "",
          "--quick-gen-key",
          "old@test.example",
          "rsa3072",
          "sign",
          "1m",
        ])
        .then(() => gpg.run(["--list-keys", "--with-colons", "old@test.example"]));
      const expired = /^fpr:+([0-9A-F]{40}):/m.exec(early.stdout)?.[1] ?? "";
      await gpg.exportTo(scene.at("keys"), expired);
      await gpg.sign(payload, signature, expired, ...past);
      expect(await refusal()).toContain("Primary key is expired");

      const dsa = await gpg.generate({ algorithm: "dsa2048" });
      await gpg.exportTo(scene.at("keys"), dsa);
      await gpg.sign(payload, signature, dsa);
      expect(await refusal()).toContain(
        `signature by key ${dsa} is not accepted: DSA with 2048 bits`,
      );

      await gpg.exportTo(scene.at("keys"), rsa);
      await gpg.sign(payload, signature, rsa, "--default-sig-expire=seconds=1");
      await Bun.sleep(2100);
      expect(await refusal()).toMatch(/Signature expired on \d{4}-\d\d-\d\dT/);
    },
  );
});

describe("copy --sign-by", () => {
  testWith(
    "gpg",
    "skopeo",
    "docker-registry",
  )("signs into a registry, where others find it, and back", async () => {
    await using scene = await begun();
    const { gpg, path: cwd } = scene;
    const key = await gpg.generate({ algorithm: "rsa3072" });
    await gpg.exportTo(scene.at("keys"));
    const host = await scene.registry();
    await succeed(["-p", "registries.d"], { cwd, program: "/bin/mkdir" });
    const lookaside = pathToFileURL(scene.at("lookaside")).href;
    writeFileSync(scene.at("registries.d/a.yaml"), `default-docker: {lookaside: "${lookaside}"}\n`);
    const policy = [{ type: "signedBy", keyType: "GPGKeys", keyPath: scene.at("keys") }];
    writeFileSync(scene.at("policy.json"), JSON.stringify({ default: policy }));
    const plain = ["--src-tls-verify=false", "--dest-tls-verify=false"];
    const copy = (by: string | undefined, policed: boolean, ...args: readonly string[]) =>
      run(
        [
          ...["--registries.d", "registries.d"],
          ...(policed ? ["--policy", "policy.json"] : ["--insecure-policy"]),
          ...["copy", ...plain, ...args],
        ],
        { cwd, env: gpg.env, ...(by !== undefined && { program: by }) },
      );
    for (const [signer, repository] of [
      [undefined, "ours"],
      ["skopeo", "theirs"],
    ] as const) {
      const image = `docker://${host}/${repository}:1`;
      const signed = await copy(signer, false, "--sign-by", key, `dir:${scene.image}`, image);
      expect(signed).toMatchObject({ code: 0 });
      for (const reader of [undefined, "skopeo"]) {
        const there = `dir:${repository}-${reader ?? "dray"}`;
        expect(await copy(reader, true, image, there)).toMatchObject({ code: 0 });
        expect(readdirSync(scene.at(there.slice(4)))).toContain("signature-1");
      }
    }
    // Carried along, the first signature is for another name: a second one is for this.
    const from = `docker://${host}/ours:1`;
    const to = `docker://${host}/copied:1`;
    expect((await copy(undefined, true, from, to)).code).toBe(0);
    const refused = await copy(undefined, true, to, "dir:refused");
    expect(refused.stderr).toContain(`Signature for identity \\"${host}/ours:1\\" is not accepted`);
    const again = await copy(undefined, true, "--sign-by", key, from, to);
    expect(again.stdout).toContain("Creating signature: Signing image using simple signing\n");
    expect((await copy("skopeo", true, to, "dir:accepted")).code).toBe(0);
    expect(
      Object.keys(treeOf(scene.at("lookaside"))).filter(
        (path) => path.startsWith("copied@") && path.includes("/"),
      ),
    ).toHaveLength(2);
    const remove = ["--registries.d", "registries.d", "delete", "--tls-verify=false", to];
    await succeed(remove, { cwd });
    expect(
      Object.keys(treeOf(scene.at("lookaside"))).filter(
        (path) => path.startsWith("copied@") && path.includes("/"),
      ),
    ).toEqual([]);
  });

  testWith("gpg", "skopeo")(
    "signs each image of a list, and the list, with a passphrase from a file",
    async () => {
      await using scene = await begun();
      const { gpg, path: cwd } = scene;
      const key = await gpg.generate({ algorithm: "ed25519", passphrase: "open sesame" });
      await gpg[Symbol.asyncDispose]();
      writeFileSync(scene.at("passphrase"), "open sesame\nsecond line\n");
      writeFileSync(scene.at("wrong"), "wrong\n");
      const store = await scene.store("dir");
      await store.fill(sampleList({ format: "oci" }));
      const args = (file: string, to: string) => [
        ...["--insecure-policy", "copy", "--all", "--sign-by", key, "--sign-passphrase-file", file],
        ...["--sign-identity", reference, store.image, to],
      ];
      const wrong = await run(args("wrong", "dir:refused"), { cwd, env: gpg.env });
      expect(wrong.stderr).toContain("creating signature: signing failed: Bad passphrase");
      expect(treeOf(scene.at("refused"))).toEqual({});
      await succeed(args("passphrase", "dir:there"), { cwd, env: gpg.env });
      const signatures = readdirSync(scene.at("there")).filter((name) =>
        name.endsWith("signature-1"),
      );
      expect(signatures).toHaveLength(sampleList({ format: "oci" }).images.length + 1);
      await succeed(
        ["standalone-verify", "there/manifest.json", reference, key, "there/signature-1"],
        {
          cwd,
          env: gpg.env,
          program: "skopeo",
        },
      );
    },
  );

  test("writes nothing where there is no gpg", async () => {
    await using scene = await begun();
    const args = ["--insecure-policy", "copy", "--sign-by", "X", "--sign-identity", reference];
    const { code, stderr } = await run([...args, `dir:${scene.image}`, "dir:there"], {
      cwd: scene.path,
      env: { PATH: "/nowhere" },
    });
    expect(code).toBe(1);
    expect(stderr).toContain("initializing GPG: exec: ");
    expect(treeOf(scene.at("there"))).toEqual({});
  });
});

testWith(
  "gpg",
  "newer:sq",
  "newer:skopeo",
)("copy --sign-by-sq-fingerprint signs with the keys of sq", async () => {
  await using scene = await begun();
  const { path: cwd } = scene;
  await succeed(["-p", "bin"], { cwd, program: "/bin/mkdir" });
  const sq = newerProgram("sq");
  // Inside, the wrapper would find itself.
  writeFileSync(scene.at("bin/sq"), `#!/bin/sh\nPATH=/usr/bin:/bin exec ${sq} "$@"\n`, {
    mode: 0o755,
  });
  const env = {
    SEQUOIA_HOME: scene.at("sequoia"),
    HOME: scene.at("home"),
    PATH: `${scene.at("bin")}:/usr/bin:/bin`,
  };
  writeFileSync(scene.at("passphrase"), "open sesame");
  for (const lock of [["--without-password"], ["--new-password-file", scene.at("passphrase")]]) {
    const user = lock.length === 1 ? "a@test.example" : "b@test.example";
    const made = [
      "key",
      "generate",
      "--batch",
      "--own-key",
      "--email",
      user,
      ...lock,
      "--rev-cert",
      scene.at(`revocation-${user}`),
    ];
    const { stderr, stdout } = await succeed(made, { cwd, program: scene.at("bin/sq"), env });
    const fingerprint = /[0-9A-F]{40}/.exec(`${stderr}${stdout}`)?.[0] ?? "";
    await succeed(
      ["cert", "export", "--cert", fingerprint, "--output", scene.at("keys"), "--overwrite"],
      { cwd, program: scene.at("bin/sq"), env },
    );
    const passphrase = lock.length === 1 ? [] : ["--sign-passphrase-file", "passphrase"];
    await succeed(
      [
        "--insecure-policy",
        "copy",
        "--remove-signatures",
        "--sign-by-sq-fingerprint",
        fingerprint,
        ...passphrase,
        "--sign-identity",
        reference,
        `dir:${scene.image}`,
        `dir:${user}`,
      ],
      { cwd, env },
    );
    copyFileSync(scene.at(user, "signature-1"), scene.at("signature"));
    expect(await scene.judge("signature")).toMatchObject({ code: 0 });
    expect((await scene.judge("signature", "keys", newerProgram("skopeo"))).code).toBe(0);
  }
});

describe("signatures on their way", () => {
  testWith(
    "root",
    "gpg",
    "docker-registry",
    "newer:skopeo",
  )(
    "come through a layout, an archive and a directory to another place beside a registry",
    async () => {
      await using scene = await begun();
      const { gpg, path: cwd } = scene;
      const key = await gpg.generate({ algorithm: "ed25519" });
      await gpg.exportTo(scene.at("keys"));
      const host = await scene.registry();
      const signed = `${host}/near:1`;
      const signedIdentity = { type: "exactReference", dockerReference: signed };
      const rule = { type: "signedBy", keyType: "GPGKeys", keyPath: scene.at("keys") };
      const policy = { default: [{ ...rule, signedIdentity }] };
      writeFileSync(scene.at("policy.json"), JSON.stringify(policy));
      for (const place of ["near", "far"]) {
        mkdirSync(scene.at(place));
        const lookaside = pathToFileURL(scene.at(`${place}-signatures`)).href;
        writeFileSync(scene.at(place, "a.yaml"), `default-docker: {lookaside: "${lookaside}"}\n`);
      }
      const copy = (place: string, args: readonly string[], program?: string) =>
        succeed(
          [
            ...["--policy", "policy.json", "--registries.d", place, "copy", "--all"],
            ...["--src-tls-verify=false", "--dest-tls-verify=false", ...args],
          ],
          { cwd, env: gpg.env, ...(program !== undefined && { program }) },
        );
      const list = await scene.store("dir");
      await list.fill(sampleList({ format: "oci", odd: false, attested: false }));
      const sign = ["copy", "--all", "--sign-by", key, "--dest-tls-verify=false"];
      await succeed(
        ["--insecure-policy", "--registries.d", "near", ...sign, list.image, `docker://${signed}`],
        { cwd, env: gpg.env },
      );
      // Each of them asks the policy about what it reads.
      await copy("near", [`docker://${signed}`, "oci:layout:a"]);
      await copy("near", ["oci:layout:a", "oci-archive:archive"]);
      await copy("far", ["oci-archive:archive", "dir:directory"]);
      await copy("far", ["dir:directory", `docker://${host}/far:2`]);
      await copy("far", [`docker://${host}/far:2`, "dir:last"], newerProgram("skopeo"));
      const kept = (directory: string) =>
        readdirSync(scene.at(directory)).filter((name) => name.includes("signature-"));
      expect(kept("last").sort()).toEqual(kept("directory").sort());
      expect(kept("last")).toHaveLength(
        sampleList({ format: "oci", odd: false, attested: false }).images.length + 1,
      );
      writeFileSync(scene.at("policy.json"), JSON.stringify({ default: [rule] }));
      const refused = ["--policy", "policy.json", "copy", "--all", "oci:layout:a", "dir:refused"];
      expect((await run(refused, { cwd })).stderr).toContain(`identity \\"${signed}\\"`);
    },
  );

  testWith(
    ...["root", "gpg", "skopeo", "podman", "umoci", "newer:skopeo", "newer:podman", "newer:oras"],
  )("are in the way of nobody who reads a layout or an archive", async () => {
    await using scene = await begun();
    const { gpg, path: cwd } = scene;
    const key = await gpg.generate({ algorithm: "ed25519" });
    const image = await scene.store("dir");
    await image.fill(sampleImage({ format: "oci", odd: false, layers: ["gzip"] }));
    const sign = ["--sign-by", key, "--sign-identity", reference];
    for (const to of ["oci:layout:a", "oci-archive:archive"]) {
      await succeed(["--insecure-policy", "copy", ...sign, image.image, to], {
        cwd,
        env: gpg.env,
      });
    }
    const env = { HOME: cwd };
    for (const [program, args] of [
      ["skopeo", ["inspect", "oci:layout"]],
      ["skopeo", ["inspect", "oci:layout:a"]],
      ["skopeo", ["inspect", "oci-archive:archive"]],
      [newerProgram("skopeo"), ["inspect", "oci:layout"]],
      [newerProgram("skopeo"), ["inspect", "oci-archive:archive"]],
      [
        newerProgram("oras"),
        ["copy", "-r", "--from-oci-layout", "--to-oci-layout", "layout:a", "o:a"],
      ],
      ["umoci", ["unpack", "--image", "layout:a", "bundle"]],
      ["podman", [...storeOptions(scene, "old"), "load", "-i", "archive"]],
      [newerProgram("podman"), [...storeOptions(scene, "new"), "load", "-i", "archive"]],
    ] as const) {
      await succeed(args, { cwd, program, env });
    }
    const tags = await succeed(["ls", "--layout", "layout"], { cwd, program: "umoci" });
    expect(tags.stdout).toBe("a\n");
  });
});

function storeOptions(scene: Scene, name: string): readonly string[] {
  const [root, runroot] = [scene.at(name), scene.at(`${name}-run`)];
  return ["--root", root, "--runroot", runroot, "--storage-driver", "vfs"];
}
