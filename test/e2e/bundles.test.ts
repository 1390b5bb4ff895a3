// Bundles: what cosign writes since its version 3, and what policies of our own make of it.

import { describe, expect } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";

import { authority, fulcioLeaf, minutes } from "../support/authority.ts";
import { bundleOf, bundleType, trustedRoot } from "../support/bundles.ts";
import { testWith } from "../support/needs.ts";
import { serveLog } from "../support/newer-log.ts";
import { refusalIn } from "../support/refusals.ts";
import { hexOf } from "../support/sample-images.ts";
import { logKeys, publicPem } from "../support/sigstore.ts";
import { TestLog } from "../support/test-log.ts";
import { timestampIssuer, timestampOf } from "../support/timestamps.ts";
import { SigstoreScene, sigstorePeers } from "../support/sigstore-scene.ts";

const test = testWith(...sigstorePeers, "newer:oras");

const bundle = { type: "sigstoreBundle", identity: "digestOnly", keyPath: "own.pub" };
const provenance = "https://slsa.dev/provenance/v1";
const attestation = { ...bundle, type: "sigstoreAttestation", predicateType: provenance };

/** Opens a scene with a key of cosign, and what keeps it from asking anybody on the network. */
async function open(): Promise<SigstoreScene> {
  const scene = await SigstoreScene.open();
  await scene.cosign("generate-key-pair", "--output-key-prefix", "own");
  await scene.cosign("generate-key-pair", "--output-key-prefix", "other");
  const mediaType = "application/vnd.dev.sigstore.signingconfig.v0.2+json";
  scene.write("config.json", JSON.stringify({ mediaType, rekorTlogConfig: {}, tsaConfig: {} }));
  const predicate = { runDetails: { builder: { id: "https://builder.example.com" } } };
  scene.write("predicate.json", JSON.stringify(predicate));
  return scene;
}

const offline = [
  "--yes",
  "--key",
  "own.key",
  "--signing-config",
  "config.json",
  "--allow-http-registry",
];

function byDigest(scene: SigstoreScene): string {
  return `${scene.host}/app@${scene.image.manifest.digest}`;
}

describe("bundles by cosign", () => {
  test("let an image in where the policy says that no name is needed", async () => {
    await using scene = await open();
    const before = await scene.copy(bundle, scene.name("app:1"), "dir:before");
    const none = "A Sigstore bundle was required, but none exists";
    expect(refusalIn(before)).toStartWith(none);
    await scene.explain(bundle, scene.name("app:1"), refusalIn(before) ?? "");
    expect(await scene.cosign("sign", ...offline, byDigest(scene))).toMatchObject({ code: 0 });
    expect(await scene.copy(bundle, scene.name("app:1"), "dir:a")).toMatchObject({ code: 0 });
    const other = await scene.copy(
      { ...bundle, keyPath: "other.pub" },
      scene.name("app:1"),
      "dir:b",
    );
    expect(other.stderr).toContain("cryptographic signature verification failed");
    const logged = await scene.copy(
      {
        ...bundle,
        rekorPublicKeyData: Buffer.from(publicPem(logKeys.publicKey)).toString("base64"),
      },
      scene.name("app:1"),
      "dir:c",
    );
    expect(logged.stderr).toContain("no transparency log has seen it");
  });

  test("are mentioned, and count for nothing, where the policy knows signatures only", async () => {
    await using scene = await open();
    await scene.cosign("sign", ...offline, byDigest(scene));
    const requirement = {
      type: "sigstoreSigned",
      keyPath: "own.pub",
      signedIdentity: { type: "matchRepository" },
    };
    const own = await scene.copy(requirement, scene.name("app:1"), "dir:a");
    expect(own.code).toBe(1);
    expect(own.stderr).toContain(
      "A signature was required, but no signature exists: 1 Sigstore bundle found, which carries no image name",
    );
    const original = await scene.originalCopy(requirement, scene.name("app:1"), "dir:b");
    expect(original.stderr).toContain("A signature was required, but no signature exists");
    const unknown = await scene.originalCopy(bundle, scene.name("app:1"), "dir:c");
    expect(unknown.stderr).toContain("Unknown policy requirement type");
  });

  test("are no attestations, and attestations are no signatures", async () => {
    await using scene = await open();
    const predicate = ["--type", "slsaprovenance1", "--predicate", "predicate.json"];
    await scene.cosign("attest", ...offline, ...predicate, byDigest(scene));
    const builder = (id: string) => ({ "/predicate/runDetails/builder/id": id });
    const results = [
      await scene.copy(attestation, scene.name("app:1"), "dir:a"),
      await scene.copy(
        { ...attestation, assertions: builder("https://builder.example.com") },
        scene.name("app:1"),
        "dir:b",
      ),
      await scene.copy(
        { ...attestation, assertions: builder("https://x") },
        scene.name("app:1"),
        "dir:c",
      ),
      await scene.copy(bundle, scene.name("app:1"), "dir:d"),
    ];
    expect(results.map(({ code }) => code)).toEqual([0, 0, 1, 1]);
    expect(results[2]?.stderr).toContain("runDetails/builder/id");
    expect(results[3]?.stderr).toContain("is not accepted");
    const assertions = builder("https://x");
    const refused = results[2] && refusalIn(results[2]);
    await scene.explain({ ...attestation, assertions }, scene.name("app:1"), refused ?? "");
  });

  test("are found in layouts that oras has copied, and cosign saved", async () => {
    await using scene = await open();
    await scene.cosign("sign", ...offline, byDigest(scene));
    await scene.oras(
      "copy",
      "-r",
      "--from-plain-http",
      "--to-oci-layout",
      `${scene.host}/app:1`,
      "layout:a",
    );
    expect(await scene.copy(bundle, "oci:layout:a", "dir:a")).toMatchObject({ code: 0 });
    const other = { ...bundle, keyPath: "other.pub" };
    expect(await scene.copy(other, "oci:layout:a", "dir:b")).toMatchObject({ code: 1 });
    const from = byDigest(scene);
    await scene.cosign("save", "--allow-http-registry", "--dir", "saved", from);
    const onward = await scene.copy(bundle, "oci:saved", "oci-archive:archive");
    expect(onward.stdout).toContain("Copying 1 Sigstore bundle\n");
    expect(await scene.copy(bundle, "oci-archive:archive", "dir:c")).toMatchObject({ code: 0 });
  });
});

describe("bundles on their way", () => {
  test("come through a layout and an archive into another repository", async () => {
    await using scene = await open();
    const predicate = ["--type", "slsaprovenance1", "--predicate", "predicate.json"];
    await scene.cosign("sign", ...offline, byDigest(scene));
    await scene.cosign("attest", ...offline, ...predicate, byDigest(scene));
    const { digest } = scene.image.manifest;
    const key = ["--key", "own.pub", "--insecure-ignore-tlog"];

    const first = await scene.copy(bundle, scene.name("app:1"), "oci:layout:a");
    expect(first).toMatchObject({ code: 0 });
    expect(first.stdout).toContain("Copying 2 Sigstore bundles\n");
    const [local, discovered] = await Promise.all([
      scene.cosign("verify", ...key, "--local-image", "layout"),
      scene.oras("discover", "--oci-layout", "--format", "json", "layout:a"),
      scene.skopeo("inspect", "oci:layout:a"),
      scene.dray("inspect", "oci:layout"),
    ]);
    expect(local).toMatchObject({ code: 0 });
    const { referrers } = JSON.parse(discovered.stdout) as {
      referrers: { artifactType: string }[];
    };
    expect(referrers.map(({ artifactType }) => artifactType)).toEqual([bundleType, bundleType]);

    for (const [from, to] of [
      ["oci:layout:a", "oci-archive:archive:b"],
      ["oci-archive:archive:b", scene.name("far/app:2")],
      [scene.name("far/app:2"), "dir:d"],
    ] as const) {
      expect(await scene.copy(attestation, from, to)).toMatchObject({ code: 0 });
    }
    // Whoever says no name finds one image.
    await scene.skopeo("inspect", "oci-archive:archive");
    const far = `${scene.host}/far/app@${digest}`;
    const there = await Promise.all([
      scene.cosign("verify", ...key, "--allow-http-registry", far),
      scene.cosign(
        ...["verify-attestation", ...key, "--allow-http-registry", far],
        ...["--type", "slsaprovenance1"],
      ),
    ]);
    expect(there.map(({ code }) => code)).toEqual([0, 0]);

    await scene.dray("delete", "oci:layout:a");
    const index = readFileSync(scene.scene.at("layout", "index.json"), "utf8");
    expect((JSON.parse(index) as { manifests: unknown[] }).manifests).toEqual([]);
  });
});

describe("bundles in a log that proves what it has", () => {
  test("are accepted as cosign writes and accepts them", async () => {
    await using scene = await open();
    const keys = generateKeyPairSync("ed25519");
    const log = new TestLog(keys.privateKey);
    for (let index = 0; index < 6; index++) log.add(Buffer.from(`other ${index}`));
    await using served = serveLog(log);
    const validFor = { start: "2020-01-01T00:00:00Z" };
    const rekor = { url: served.origin, majorApiVersion: 2, validFor, operator: "test" };
    const signing = {
      mediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json",
      rekorTlogUrls: [rekor],
      rekorTlogConfig: { selector: "ANY" },
      tsaConfig: {},
    };
    scene.write("config.json", JSON.stringify(signing));
    scene.write("root.json", JSON.stringify(trustedRoot([authority("none")], log)));
    scene.write("log.pub", publicPem(keys.publicKey));
    const trust = ["--trusted-root", "root.json"];
    expect(await scene.cosign("sign", ...offline, ...trust, byDigest(scene))).toMatchObject({
      code: 0,
    });
    const verify = ["verify", "--key", "own.pub", ...trust, "--allow-http-registry"];
    expect(await scene.cosign(...verify, byDigest(scene))).toMatchObject({ code: 0 });
    const logged = { ...bundle, rekorPublicKeyPath: "log.pub" };
    expect(await scene.copy(logged, scene.name("app:1"), "dir:a")).toMatchObject({ code: 0 });
    const other = { ...bundle, rekorPublicKeyPath: "other.pub" };
    expect((await scene.copy(other, scene.name("app:1"), "dir:b")).stderr).toContain(
      "checkpoint of the log is not signed with a key that is trusted",
    );
  });
});

describe("bundles with certificates", () => {
  const root = authority("root");
  const middle = authority("middle", { issuer: root });
  const leaf = fulcioLeaf(middle);

  const requirement = (change: object = {}) => ({
    type: "sigstoreBundle",
    identity: "digestOnly",
    certificate: {
      caPath: "ca.pem",
      caIntermediatesPath: "middle.pem",
      oidcIssuer: "https://login.example.com",
      subjectEmail: "jo@example.com",
      ...change,
    },
    rekorPublicKeyPath: "log.pub",
  });

  async function withBundle(
    wish: Parameters<typeof bundleOf>[0],
    work: (scene: SigstoreScene) => Promise<void>,
  ): Promise<void> {
    await using scene = await open();
    scene.write("ca.pem", root.pem);
    scene.write("middle.pem", middle.pem);
    scene.write("log.pub", publicPem(logKeys.publicKey));
    scene.write(
      "root.json",
      JSON.stringify(trustedRoot([middle, root], new TestLog(logKeys.privateKey))),
    );
    const subjects = [hexOf(scene.image.manifest.digest)];
    await scene.pushBundle("app", bundleOf({ subjects, leaf, logged: true, ...wish }));
    await work(scene);
  }

  const verify = (scene: SigstoreScene, email = "jo@example.com", more: readonly string[] = []) =>
    scene.cosign(
      ...[
        "verify",
        "--trusted-root",
        "root.json",
        "--insecure-ignore-sct",
        "--allow-http-registry",
      ],
      ...["--certificate-identity", email, ...more],
      ...["--certificate-oidc-issuer", "https://login.example.com", byDigest(scene)],
    );

  test("are accepted as cosign accepts them", async () => {
    await withBundle({}, async (scene) => {
      expect(await verify(scene)).toMatchObject({ code: 0 });
      expect(await scene.copy(requirement(), scene.name("app:1"), "dir:a")).toMatchObject({
        code: 0,
      });
      const wrong = await scene.copy(
        requirement({ subjectEmail: "joe@example.com" }),
        scene.name("app:1"),
        "dir:b",
      );
      expect(wrong.stderr).toContain("joe@example.com");
      expect(await verify(scene, "joe@example.com")).toMatchObject({ code: 1 });
      const pattern = requirement({ subjectEmail: "", subjectRegex: "[a-z]+@example\\.com" });
      expect(await scene.copy(pattern, scene.name("app:1"), "dir:c")).toMatchObject({ code: 0 });
    });
  });

  test("are accepted on the word of a timestamp authority, as cosign accepts them", async () => {
    const now = (minutesFromNow: number) => new Date(Date.now() + minutesFromNow * 60_000);
    const current = authority("current", { from: now(-60), to: now(60) });
    const own = fulcioLeaf(current, {}, { from: now(-5), to: now(5) });
    const issuer = timestampIssuer();
    const timestamp = (signature: Uint8Array) => timestampOf(signature, issuer);
    await withBundle({ leaf: own, logged: false, timestamp }, async (scene) => {
      const trust = trustedRoot([current], new TestLog(logKeys.privateKey), [
        issuer.signer,
        issuer.root,
      ]);
      scene.write("root.json", JSON.stringify(trust));
      scene.write("ca.pem", current.pem);
      scene.write("tsa.pem", issuer.root.pem);
      const stamped = ["--use-signed-timestamps", "--insecure-ignore-tlog"];
      expect(await verify(scene, "jo@example.com", stamped)).toMatchObject({ code: 0 });
      const { rekorPublicKeyPath: _, ...rest } = requirement();
      const rule = { ...rest, timestampAuthority: { caPath: "tsa.pem" } };
      expect(await scene.copy(rule, scene.name("app:1"), "dir:a")).toMatchObject({ code: 0 });
      const other = { ...rest, timestampAuthority: { caPath: "middle.pem" } };
      expect(await scene.copy(other, scene.name("app:1"), "dir:b")).toMatchObject({ code: 1 });
    });
  });

  const broken: readonly (readonly [string, Parameters<typeof bundleOf>[0], string])[] = [
    ["a time outside of the certificate", { loggedAt: minutes(20) }, "certificate has expired"],
    ["another image", { subjects: ["0".repeat(64)] }, "does not match"],
  ];
  for (const [what, wish, why] of broken) {
    test(`are refused as cosign refuses them: ${what}`, async () => {
      await withBundle(wish, async (scene) => {
        expect(await verify(scene)).toMatchObject({ code: 1 });
        const own = await scene.copy(requirement(), scene.name("app:1"), "dir:a");
        expect(own.stderr).toContain(why);
      });
    });
  }
});
