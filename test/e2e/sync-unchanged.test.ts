// sync once more: what has not changed is found out by as little as possible, and nothing else is taken for it.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { addSample } from "../support/push.ts";
import { type RegistryServer, startRegistry } from "../support/registry-server.ts";
import { type RunResult, succeed } from "../support/run.ts";
import { type Sample, sampleImage, sampleList } from "../support/sample-images.ts";
import { Workspace } from "../support/workspace.ts";

setDefaultTimeout(180_000);

const image = sampleImage({ seed: "docker", layers: ["gzip"], ballastBytes: 10, odd: false });
const list = sampleList({ seed: "list", layers: ["gzip"], ballastBytes: 10, odd: false });
const ociList = sampleList({ seed: "list", format: "oci", layers: ["gzip"], ballastBytes: 10 });

type Kind = "docker" | "dir" | "oci";

/** A registry with one image, and places that it may go to. */
class Ground implements AsyncDisposable {
  readonly workspace = new Workspace();
  readonly from: RegistryServer = startRegistry();
  readonly to: RegistryServer = startRegistry();
  readonly kind: Kind;

  constructor(kind: Kind, sample: Sample) {
    this.kind = kind;
    this.put(sample);
  }

  put(sample: Sample): void {
    addSample(this.from.repository("team/app"), "1", sample);
  }

  async sync(...flags: readonly string[]): Promise<RunResult> {
    this.from.forget();
    this.to.forget();
    const place = this.kind === "docker" ? `${this.to.host}/m` : "out";
    const common = [
      "--insecure-policy",
      "sync",
      "--src-tls-verify=false",
      "--dest-tls-verify=false",
    ];
    const kinds = ["--src=docker", `--dest=${this.kind}`, "--overwrite"];
    return succeed([...common, ...kinds, ...flags, `${this.from.host}/team/app:1`, place], {
      cwd: this.workspace.path,
    });
  }

  /** How the source was asked for the image. */
  get asked(): readonly string[] {
    return this.from.requests.flatMap(({ method, target }) => {
      const kind = /\/(manifests|blobs)\//.exec(target)?.[1];
      return kind === undefined ? [] : [`${method} ${kind}`];
    });
  }

  /** What the image's name leads to. */
  get held(): string {
    if (this.kind === "docker") return this.to.repository("m/app").tags.get("1") ?? "";
    const at = this.workspace.at("out", ...(this.kind === "dir" ? ["app:1", "manifest.json"] : []));
    if (this.kind === "dir")
      return `sha256:${Bun.CryptoHasher.hash("sha256", readFileSync(at), "hex")}`;
    const { manifests } = JSON.parse(readFileSync(this.workspace.at("out", "index.json"), "utf8"));
    return manifests.find((entry: { annotations?: Record<string, string> }) => {
      return entry.annotations?.["org.opencontainers.image.ref.name"] === "app:1";
    }).digest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.from[Symbol.asyncDispose]();
    await this.to[Symbol.asyncDispose]();
    this.workspace[Symbol.dispose]();
  }
}

const skipped = "Skipping: image already present at destination";
const look = ["HEAD manifests"];

describe("sync of what has not changed", () => {
  test.each<[string, Kind, Sample, readonly string[], readonly string[]]>([
    ["a list of which one image is taken", "docker", list, [], [...look, "GET manifests"]],
    ["a list of which one image is taken", "dir", list, [], [...look, "GET manifests"]],
    ["a list of which one image is taken", "oci", ociList, [], look],
    ["a list of which one image is taken, and converted", "oci", list, [], look],
    ["a whole list that is converted", "oci", list, ["--all"], look],
    [
      "some images of a list that is converted",
      "oci",
      list,
      ["--multi-arch=linux/amd64", "--strip-removed-platforms", "--remove-signatures"],
      look,
    ],
    ["a whole list", "docker", list, ["--all"], look],
    ["a whole list", "dir", list, ["--all"], look],
    ["an image that is converted", "oci", image, [], look],
    ["an image that has the format already", "docker", image, ["--format=v2s2"], look],
    ["an image that has the format already", "dir", image, ["--format=v2s2"], look],
  ])("%s, to %s, is looked at and no more", async (_, kind, sample, flags, expected) => {
    await using ground = new Ground(kind, sample);
    await ground.sync(...flags);
    const before = ground.held;
    const again = await ground.sync(...flags);
    expect(ground.asked).toEqual(expected);
    expect(again.stdout).toContain(skipped);
    expect(ground.held).toBe(before);
    expect(ground.to.requests.every(({ method }) => method === "HEAD" || method === "GET")).toBe(
      true,
    );
  });

  test.each<[Kind, readonly string[]]>([
    ["docker", []],
    ["docker", ["--dry-run"]],
    ["dir", []],
  ])(
    "to %s, an image whose list is in a lock (written with %j) is looked at and no more",
    async (kind, flags) => {
      await using ground = new Ground(kind, list);
      await ground.sync("--write-lock=lock", ...flags);
      await ground.sync("--locked=lock");
      const before = ground.held;
      const again = await ground.sync("--locked=lock");
      expect(ground.asked).toEqual(look);
      expect(again.stdout).toContain(skipped);
      // What the lock says of one platform is not about another one.
      await ground.sync("--locked=lock", "--override-arch=arm64");
      expect(ground.held).not.toBe(before);
      expect(list.images.map(({ manifest }) => manifest.digest)).toContain(ground.held);
    },
  );

  test("what has changed is not taken for it, whatever a layout says of what was there", async () => {
    await using ground = new Ground("oci", image);
    await ground.sync();
    const before = ground.held;
    ground.put(sampleImage({ seed: "another", layers: ["gzip"], ballastBytes: 10 }));
    expect((await ground.sync()).stdout).not.toContain(skipped);
    expect(ground.held).not.toBe(before);
    ground.put(image);
    await ground.sync();
    expect(ground.held).toBe(before);
  });

  test.each<[string, Sample, readonly string[], readonly string[]]>([
    ["another platform", list, [], ["--override-arch=arm64"]],
    ["all images", list, [], ["--all"]],
    ["one image", list, ["--all"], []],
    ["another format", image, [], ["--format=v2s2"]],
    ["no conversion", image, [], ["--preserve-digests"]],
  ])("nor is what other flags made of it: %s", async (_, sample, first, second) => {
    await using ground = new Ground("oci", sample);
    await ground.sync(...first);
    const before = ground.held;
    expect((await ground.sync(...second)).stdout).not.toContain(skipped);
    expect(ground.held).not.toBe(before);
  });

  test.each<[Kind, Sample]>([
    ["oci", ociList],
    ["dir", list],
  ])("in %s, a list that lacks images is not the whole list", async (kind, sample) => {
    await using ground = new Ground(kind, sample);
    await ground.sync("--multi-arch=linux/amd64");
    const digest = ground.held;
    await ground.sync("--all");
    expect(ground.held).toBe(digest);
    expect(ground.asked.filter((asked) => asked === "GET blobs").length).toBeGreaterThan(1);
    await ground.sync("--all");
    expect(ground.asked).toEqual(look);
  });

  test.each<[Kind]>([["docker"], ["dir"], ["oci"]])(
    "to %s, a list is not taken for the one image of it that is wanted, nor that for the list",
    async (kind) => {
      await using ground = new Ground(kind, ociList);
      await ground.sync("--all");
      expect(ground.held).toBe(ociList.manifest.digest);
      await ground.sync();
      expect(ociList.images.map(({ manifest }) => manifest.digest)).toContain(ground.held);
      await ground.sync("--all");
      expect(ground.held).toBe(ociList.manifest.digest);
    },
  );

  test.each<[Kind, Sample]>([
    ["oci", image],
    ["oci", list],
    ["docker", list],
  ])("to %s, a policy that wants to see an image sees it", async (kind, sample) => {
    await using ground = new Ground(kind, sample);
    await ground.sync();
    writeFileSync(
      ground.workspace.at("policy.json"),
      JSON.stringify({ default: [{ type: "reject" }] }),
    );
    const place = kind === "docker" ? `${ground.to.host}/m` : "out";
    const args = [
      "--policy=policy.json",
      "sync",
      "--src-tls-verify=false",
      "--dest-tls-verify=false",
    ];
    const refused = succeed(
      [...args, "--src=docker", `--dest=${kind}`, `${ground.from.host}/team/app:1`, place],
      { cwd: ground.workspace.path },
    );
    expect(refused).rejects.toThrow("Source image rejected");
    await refused.catch(() => {});
  });
});
