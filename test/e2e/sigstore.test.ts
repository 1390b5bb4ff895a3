// Sigstore: signatures of others are read, carried along, and read by others again.

import { describe, expect } from "bun:test";

import { existsSync, readFileSync, statSync } from "node:fs";

import { testWith } from "../support/needs.ts";
import { runOnTerminal } from "../support/run.ts";
import { logKeys, publicPem } from "../support/sigstore.ts";
import { type ServerWish, startSigstoreServers } from "../support/sigstore-servers.ts";
import { SigstoreScene, sigstorePeers } from "../support/sigstore-scene.ts";

const test = testWith(...sigstorePeers);

const byKey = (repository?: string) => ({
  type: "sigstoreSigned",
  keyPath: "k.pub",
  ...(repository !== undefined && {
    signedIdentity: { type: "exactRepository", dockerRepository: repository },
  }),
});

async function signedByOriginal(scene: SigstoreScene): Promise<void> {
  const key = ["--sign-by-sigstore-private-key", "k.private", "--sign-passphrase-file", "pass"];
  await scene.skopeo("copy", ...plain, ...key, scene.name("app:1"), scene.name("signed:1"));
}

describe("signatures by the original", () => {
  test("let an image in, in any place they are carried to", async () => {
    await using scene = await SigstoreScene.open();
    await signedByOriginal(scene);
    const anywhere = byKey(`${scene.host}/signed`);
    const way = [
      scene.name("signed:1"),
      "oci:layout:a",
      "oci-archive:a.tar:b",
      "dir:directory",
      "oci:layout:b",
      scene.name("back:1"),
    ];
    for (const [index, from] of way.slice(0, -1).entries()) {
      const result = await scene.copy(anywhere, from, way[index + 1] ?? "");
      expect(result).toMatchObject({ code: 0, stderr: "" });
      expect(result.stdout).toContain("Storing signatures");
    }
    const there = await scene.originalCopy(anywhere, scene.name("back:1"), "dir:there");
    expect(there.code).toBe(0);
    const saved = await scene.cosign("verify", "--local-image", ...key, "layout");
    expect(saved.code).toBe(0);
    expect(await scene.skopeo("copy", "oci:layout:a", "dir:other")).toMatchObject({ code: 0 });
  });

  test("are for one name, and the image for one key", async () => {
    await using scene = await SigstoreScene.open();
    await signedByOriginal(scene);
    await scene.dray("copy", "--src-tls-verify=false", scene.name("signed:1"), "dir:a");
    await scene.dray("copy", "--dest-tls-verify=false", "dir:a", scene.name("other:1"));
    const other = await scene.copy(byKey(), scene.name("other:1"), "dir:b");
    expect(other.stderr).toContain(
      `Source image rejected: Signature for identity \\"${scene.host}/signed:1\\" is not accepted`,
    );
    const theirs = await scene.originalCopy(byKey(), scene.name("other:1"), "dir:c");
    expect(theirs.stderr).toContain(
      `Signature for identity \\"${scene.host}/signed:1\\" is not accepted`,
    );
    await scene.skopeo(
      "generate-sigstore-key",
      "--output-prefix",
      "l",
      "--passphrase-file",
      "pass",
    );
    const stranger = { type: "sigstoreSigned", keyPath: "l.pub" };
    const refused = await scene.copy(stranger, scene.name("signed:1"), "dir:d");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("cryptographic signature verification failed");
    const unsigned = await scene.copy(byKey(), scene.name("app:1"), "dir:e");
    expect(unsigned.stderr).toContain("A signature was required, but no signature exists");
  });

  test("are not dropped where registries.d does not let them be written", async () => {
    await using scene = await SigstoreScene.open();
    await signedByOriginal(scene);
    await scene.dray("copy", "--src-tls-verify=false", scene.name("signed:1"), "dir:a");
    scene.write("registries.d/a.yaml", "{}\n");
    const { code, stderr } = await scene.copy(
      { type: "insecureAcceptAnything" },
      "dir:a",
      scene.name("not-there:1"),
    );
    expect(code).toBe(1);
    expect(stderr).toContain(
      "Can not copy signatures to docker://" +
        `${scene.host}/not-there:1: writing sigstore attachments is disabled by configuration`,
    );
    const tags = await fetch(`http://${scene.host}/v2/not-there/tags/list`);
    expect(tags.status).toBe(404);
  });
});

const plain = ["--src-tls-verify=false", "--dest-tls-verify=false"];

describe("signatures by the executable", () => {
  test("are accepted by the original and by cosign, with keys of either", async () => {
    await using scene = await SigstoreScene.open();
    await scene.dray(
      "generate-sigstore-key",
      "--output-prefix",
      "own",
      "--passphrase-file",
      "pass",
    );
    await scene.cosign("generate-key-pair", "--output-key-prefix", "theirs");
    for (const [index, [file, publicKey]] of [
      ["k.private", "k.pub"],
      ["own.private", "own.pub"],
      ["theirs.key", "theirs.pub"],
    ].entries() as Iterable<[number, [string, string]]>) {
      const signing = ["--sign-by-sigstore-private-key", file, "--sign-passphrase-file", "pass"];
      const to = `signed-${index}:1`;
      const copied = await scene.dray(
        "copy",
        ...plain,
        ...signing,
        scene.name("app:1"),
        scene.name(to),
      );
      expect(copied.stdout).toContain(
        "Creating signature: Signing image using a sigstore signature",
      );
      const requirement = { type: "sigstoreSigned", keyPath: publicKey };
      const original = await scene.originalCopy(requirement, scene.name(to), `dir:a${index}`);
      expect(original.code).toBe(0);
      const own = await scene.copy(requirement, scene.name(to), `dir:b${index}`);
      expect(own.code).toBe(0);
      const cosign = await scene.cosign(
        ...["verify", "--key", publicKey, "--insecure-ignore-tlog=true", "--allow-http-registry"],
        `${scene.host}/${to}`,
      );
      expect(cosign.code).toBe(0);
    }
  });

  test("are made after the policy has spoken, and not with a wrong passphrase", async () => {
    await using scene = await SigstoreScene.open();
    scene.write("wrong", "other words\n");
    const wrong = [
      "--sign-by-sigstore-private-key",
      "k.private",
      "--sign-passphrase-file",
      "wrong",
    ];
    const accept = { type: "insecureAcceptAnything" };
    const { code, stderr } = await scene.copy(
      accept,
      ...wrong,
      scene.name("app:1"),
      scene.name("new:1"),
    );
    expect(code).toBe(1);
    expect(stderr).toContain("initializing private key: decrypt: encrypted: decryption failed");
    const tags = await fetch(`http://${scene.host}/v2/new/tags/list`);
    expect(tags.status).toBe(404);
    const none = ["--sign-by-sigstore-private-key", "k.private"];
    const unasked = await scene.copy(accept, ...none, scene.name("app:1"), scene.name("new:1"));
    expect(unasked.stderr).toContain(
      "Cannot prompt for a passphrase for key k.private, standard input is not a TTY",
    );
  });

  test("ask for a passphrase on a terminal, and do not show it", async () => {
    await using scene = await SigstoreScene.open();
    const { code, drawn } = await runOnTerminal(
      ["generate-sigstore-key", "--output-prefix", "new"],
      { cwd: scene.scene.path },
      [["Passphrase for key new.private: ", "secret words\r"]],
    );
    expect(code).toBe(0);
    expect(drawn).not.toContain("secret words");
    expect(drawn).toContain('Key written to "new.private" and "new.pub"');
    expect(statSync(scene.scene.at("new.private")).mode & 0o777).toBe(0o600);
    const signing = [
      "--sign-by-sigstore-private-key",
      "new.private",
      "--sign-passphrase-file",
      "pass",
    ];
    await scene.dray("copy", ...plain, ...signing, scene.name("app:1"), scene.name("signed:1"));
  });

  test("cover each image of a list, and the list", async () => {
    await using scene = await SigstoreScene.open();
    const signing = [
      "--sign-by-sigstore-private-key",
      "k.private",
      "--sign-passphrase-file",
      "pass",
    ];
    await scene.pushList("list:1");
    await scene.dray(
      "copy",
      "--all",
      ...plain,
      ...signing,
      scene.name("list:1"),
      scene.name("signed:1"),
    );
    const all = await scene.originalCopy(byKey(), "--all", scene.name("signed:1"), "dir:all");
    expect(all.code).toBe(0);
    const alone = await scene.copy(
      byKey(),
      "--multi-arch=index-only",
      scene.name("signed:1"),
      "dir:list",
    );
    expect(alone.code).toBe(0);
  });
});

describe("certificates and logs", () => {
  async function withServers(
    wish: ServerWish,
    work: (scene: SigstoreScene, origin: string) => Promise<void>,
  ): Promise<void> {
    await using scene = await SigstoreScene.open();
    await using servers = startSigstoreServers(wish);
    scene.write("ca.pem", servers.root.pem);
    scene.write("log.pub", publicPem(logKeys.publicKey));
    scene.write(
      "static.yaml",
      [
        "fulcio:",
        `  fulcioURL: ${servers.origin}`,
        "  oidcMode: staticToken",
        `  oidcIDToken: ${servers.token()}`,
        `rekorURL: ${servers.origin}`,
        "",
      ].join("\n"),
    );
    await work(scene, servers.origin);
  }

  const fulcio = (origin: string, email = "jo@example.com") => ({
    type: "sigstoreSigned",
    fulcio: { caPath: "ca.pem", oidcIssuer: origin, subjectEmail: email },
    rekorPublicKeyPath: "log.pub",
  });

  test("are taken from each other by the executable and the original", async () => {
    await withServers({}, async (scene, origin) => {
      const signing = ["--sign-by-sigstore", "static.yaml"];
      const [from, own, theirs] = ["app:1", "own:1", "theirs:1"].map((name) => scene.name(name));
      await scene.dray("copy", ...plain, ...signing, from ?? "", own ?? "");
      await scene.skopeo("copy", ...plain, ...signing, from ?? "", theirs ?? "");
      for (const [index, name] of [own ?? "", theirs ?? ""].entries()) {
        const results = [
          await scene.copy(fulcio(origin), name, `dir:a${index}`),
          await scene.originalCopy(fulcio(origin), name, `dir:b${index}`),
        ];
        expect(results.map(({ code }) => code)).toEqual([0, 0]);
        const other = fulcio(origin, "joe@example.com");
        const refused = [
          await scene.copy(other, name, "dir:c"),
          await scene.originalCopy(other, name, "dir:d"),
        ];
        for (const { code, stderr } of refused) {
          expect(code).toBe(1);
          expect(stderr).toContain(
            'Required email \\"joe@example.com\\" not found (got [\\"jo@example.com\\"])',
          );
        }
        const elsewhere = await scene.copy(fulcio("https://other"), name, "dir:e");
        expect(elsewhere.stderr).toContain(`Unexpected Fulcio OIDC issuer \\"${origin}\\"`);
      }
    });
  });

  test("a log may be told of a key's signatures, too", async () => {
    await withServers({}, async (scene, origin) => {
      scene.write(
        "key.yaml",
        `privateKeyFile: k.private\nprivateKeyPassphraseFile: pass\nrekorURL: ${origin}\n`,
      );
      const logged = { type: "sigstoreSigned", keyPath: "k.pub", rekorPublicKeyPath: "log.pub" };
      const signing = ["--sign-by-sigstore", "key.yaml"];
      await scene.dray("copy", ...plain, ...signing, scene.name("app:1"), scene.name("own:1"));
      await scene.skopeo("copy", ...plain, ...signing, scene.name("app:1"), scene.name("theirs:1"));
      for (const name of ["own:1", "theirs:1"]) {
        expect((await scene.copy(logged, scene.name(name), `dir:${name}-a`)).code).toBe(0);
        expect((await scene.originalCopy(logged, scene.name(name), `dir:${name}-b`)).code).toBe(0);
      }
      await signedByOriginal(scene);
      const unlogged = await scene.copy(logged, scene.name("signed:1"), "dir:x");
      expect(unlogged.stderr).toContain("missing dev.sigstore.cosign/bundle annotation");
    });
  });

  test("somebody who logs in by a device is told what to do, and nobody's token is shown", async () => {
    await withServers({ pending: 1 }, async (scene, origin) => {
      scene.write(
        "device.yaml",
        [
          "fulcio:",
          `  fulcioURL: ${origin}`,
          "  oidcMode: deviceGrant",
          `  oidcIssuerURL: ${origin}`,
          "  oidcClientID: sigstore",
          `rekorURL: ${origin}`,
          "",
        ].join("\n"),
      );
      const { stdout, stderr } = await scene.dray(
        ...["copy", "--output", "json", ...plain, "--sign-by-sigstore", "device.yaml"],
        ...[scene.name("app:1"), scene.name("own:1")],
      );
      expect(JSON.parse(stdout)).toMatchObject({ ok: true });
      expect(stderr).toContain("Enter the verification code ABCD-EFGH in your browser at: ");
      expect((await scene.originalCopy(fulcio(origin), scene.name("own:1"), "dir:a")).code).toBe(0);
    });
  });

  test("a token that is refused is not shown, and nothing is written", async () => {
    const refusing: ServerWish = {
      // Whatever is refused may be quoted.
      intercept: ({ headers }, path) =>
        path === "/api/v1/signingCert"
          ? new Response(`no ${headers.get("authorization")}`, { status: 403 })
          : undefined,
    };
    await withServers(refusing, async (scene) => {
      const token = /oidcIDToken: (.*)/.exec(
        readFileSync(scene.scene.at("static.yaml"), "utf8"),
      )?.[1];
      const accept = { type: "insecureAcceptAnything" };
      const signing = ["--sign-by-sigstore", "static.yaml", "--debug"];
      const { code, stdout, stderr } = await scene.copy(
        accept,
        ...signing,
        scene.name("app:1"),
        "dir:a",
        "--sign-identity",
        "r.example/a:1",
      );
      expect(code).toBe(1);
      expect(stderr).toContain("Error using --sign-by-sigstore: unexpected HTTP status 403");
      expect(`${stdout}${stderr}`).not.toContain(token ?? "?");
      expect(existsSync(scene.scene.at("a"))).toBe(false);
    });
  });
});

describe("signatures by cosign", () => {
  test("are accepted where the policy does not want a tag, as the original does", async () => {
    await using scene = await SigstoreScene.open();
    const image = `${scene.host}/app@${scene.image.manifest.digest}`;
    await scene.cosign("generate-key-pair", "--output-key-prefix", "theirs");
    const signed = await scene.cosign(
      ...["sign", "--yes", "--key", "theirs.key", "--use-signing-config=false"],
      ...["--new-bundle-format=false", "--tlog-upload=false", "--allow-http-registry", image],
    );
    expect(signed).toMatchObject({ code: 0 });
    const anyTag = { signedIdentity: { type: "matchRepository" } };
    const requirement = { type: "sigstoreSigned", keyPath: "theirs.pub" };
    const results = [
      await scene.copy({ ...requirement, ...anyTag }, scene.name("app:1"), "dir:a"),
      await scene.originalCopy({ ...requirement, ...anyTag }, scene.name("app:1"), "dir:b"),
      await scene.copy(requirement, scene.name("app:1"), "dir:c"),
      await scene.originalCopy(requirement, scene.name("app:1"), "dir:d"),
    ];
    expect(results.map(({ code }) => code)).toEqual([0, 0, 1, 1]);
    expect(results[2]?.stderr).toContain("it has no tag, as cosign signs");
  });
});

const key = ["--key", "k.pub", "--insecure-ignore-tlog=true"];
