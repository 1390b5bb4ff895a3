// Sigstore scene: an image in a registry, keys to sign it with, and policies that want signatures.

import { expect } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";

import { digestOf } from "../../core/content/digest.ts";
import { bundleType, referrerOf } from "./bundles.ts";
import { newerProgram } from "./newer-debian.ts";
import { pushBlob, pushManifest, pushSample } from "./push.ts";
import { expectRefusal, expectRefusalIn, refusalIn, type SomeRequirement } from "./refusals.ts";
import { type RunResult, run, succeed } from "./run.ts";
import { sampleImage, type SampleImage, sampleList } from "./sample-images.ts";
import { Scene } from "./scene.ts";

/** What the tests of this scene ask for beside docker-registry. */
export const sigstorePeers = ["root", "docker-registry", "newer:skopeo", "newer:cosign"] as const;

/** One registry, one image in it called `app:1`, and a pair of keys. */
export class SigstoreScene implements AsyncDisposable {
  readonly scene: Scene;
  readonly host: string;
  readonly image: SampleImage;

  private constructor(scene: Scene, host: string, image: SampleImage) {
    this.scene = scene;
    this.host = host;
    this.image = image;
  }

  /** Begins one: keys are `k.private` (passphrase in `pass`) and `k.pub`, made by the original. */
  static async open(): Promise<SigstoreScene> {
    const scene = new Scene();
    const host = await scene.registry();
    const image = sampleImage({ format: "oci", odd: false, layers: ["gzip"] });
    const begun = new SigstoreScene(scene, host, image);
    await begun.push("app:1");
    mkdirSync(scene.at("registries.d"));
    begun.write("registries.d/a.yaml", "default-docker:\n  use-sigstore-attachments: true\n");
    begun.write("pass", "secret words\n");
    begun.write("accept.json", JSON.stringify({ default: [{ type: "insecureAcceptAnything" }] }));
    await begun.skopeo(
      "generate-sigstore-key",
      "--output-prefix",
      "k",
      "--passphrase-file",
      "pass",
    );
    return begun;
  }

  /** Puts the image into the registry, under a name and a tag. */
  async push(name: string): Promise<void> {
    const [repository = "", tag = ""] = name.split(":");
    await pushSample({ registry: `http://${this.host}`, repository, tag }, this.image);
  }

  /** Puts a list into the registry, under a name and a tag. */
  async pushList(name: string): Promise<void> {
    const [repository = "", tag = ""] = name.split(":");
    const list = sampleList({ odd: false, attested: false });
    await pushSample({ registry: `http://${this.host}`, repository, tag }, list);
  }

  /** Puts a bundle about the image into its repository, where registries know no referrers. */
  async pushBundle(repository: string, bundle: Uint8Array): Promise<void> {
    const target = { registry: `http://${this.host}`, repository };
    const { digest, bytes } = this.image.manifest;
    const manifest = referrerOf({ digest, size: bytes.length }, bundle);
    const type = "application/vnd.oci.image.manifest.v1+json";
    for (const blob of [bundle, new TextEncoder().encode("{}")]) {
      await pushBlob(target, { digest: digestOf(blob), bytes: blob });
    }
    const own = { digest: digestOf(manifest), bytes: manifest, mediaType: type };
    await pushManifest(target, own, own.digest);
    const mediaType = "application/vnd.oci.image.index.v1+json";
    const entry = {
      mediaType: type,
      digest: own.digest,
      size: manifest.length,
      artifactType: bundleType,
    };
    const list = new TextEncoder().encode(
      JSON.stringify({ schemaVersion: 2, mediaType, manifests: [entry] }),
    );
    await pushManifest(
      target,
      { digest: digestOf(list), bytes: list, mediaType },
      digest.replace(":", "-"),
    );
  }

  /** Returns an image name in the registry. */
  name(rest: string): string {
    return `docker://${this.host}/${rest}`;
  }

  /** Writes a file. */
  write(name: string, text: string): void {
    writeFileSync(this.scene.at(name), text);
  }

  /** Writes a policy that wants this of every image, and returns its name. */
  policy(requirement: object): string {
    this.write("policy.json", JSON.stringify({ default: [requirement] }));
    return "policy.json";
  }

  /**
   * Copies with the executable, as the policy says; whatever comes of it. Where that is a refusal, the decision
   * has to name the requirement, and the reason that people are told.
   */
  async copy(requirement: SomeRequirement, ...args: readonly string[]): Promise<RunResult> {
    const policy = this.policy(requirement);
    const words = ["--policy", policy, ...common, "copy", "--events=events", ...plain, ...args];
    const result = await run(words, { cwd: this.scene.path });
    const reason = refusalIn(result);
    if (reason !== undefined) expectRefusalIn(this.scene.at("events"), requirement.type, reason);
    return result;
  }

  /** Has the policy explained for an image that it refuses, which has to be for this reason. */
  async explain(requirement: SomeRequirement, image: string, reason: string): Promise<void> {
    const words = ["policy", "--tls-verify=false", "--output=json", "explain", image];
    const policy = this.policy(requirement);
    const { code, stdout } = await run(["--policy", policy, ...common, ...words], {
      cwd: this.scene.path,
    });
    expect(code).toBe(1);
    expectRefusal(JSON.parse(stdout).decisions.at(-1), requirement.type, reason);
  }

  /** Does the same as `copy` with the newer original. */
  originalCopy(requirement: object, ...args: readonly string[]): Promise<RunResult> {
    const policy = this.policy(requirement);
    const program = newerProgram("skopeo");
    const all = ["--policy", policy, ...common, "copy", ...plain, ...args];
    return run(all, { cwd: this.scene.path, program });
  }

  /** Runs the executable; anything but success is an error. No policy is asked. */
  dray(...args: readonly string[]): Promise<RunResult> {
    return succeed(["--insecure-policy", ...common, ...args], { cwd: this.scene.path });
  }

  /** Runs the newer original; anything but success is an error. No policy is asked. */
  skopeo(...args: readonly string[]): Promise<RunResult> {
    const program = newerProgram("skopeo");
    return succeed(["--policy", "accept.json", ...common, ...args], {
      cwd: this.scene.path,
      program,
    });
  }

  /** Runs cosign, whatever comes of it. */
  cosign(...args: readonly string[]): Promise<RunResult> {
    const env = { COSIGN_PASSWORD: "secret words", HOME: this.scene.path };
    return run(args, { cwd: this.scene.path, program: newerProgram("cosign"), env });
  }

  /** Runs oras; anything but success is an error. */
  oras(...args: readonly string[]): Promise<RunResult> {
    return succeed(args, { cwd: this.scene.path, program: newerProgram("oras") });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scene[Symbol.asyncDispose]();
  }
}

const common = ["--registries.d", "registries.d"];
const plain = ["--src-tls-verify=false", "--dest-tls-verify=false"];
