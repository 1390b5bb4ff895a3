// sync of many images: dry runs, locks, failures, and what layouts and directories share.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fillWithMany, imageOn } from "../support/many-images.ts";
import { testWith } from "../support/needs.ts";
import { newerProgram } from "../support/newer-debian.ts";
import { addSample } from "../support/push.ts";
import { type RegistryServer, startRegistry } from "../support/registry-server.ts";
import { run, type RunResult, succeed } from "../support/run.ts";
import { sampleImage } from "../support/sample-images.ts";
import { treeOf } from "../support/trees.ts";
import { Workspace } from "../support/workspace.ts";

setDefaultTimeout(180_000);

const wish = { repositories: 50, tags: 3, bases: 12 };
const images = wish.repositories * wish.tags;

/** Two registries, one of them full, and a file that means all that is in it. */
class Ground implements AsyncDisposable {
  readonly workspace = new Workspace();
  readonly from: RegistryServer;
  readonly to: RegistryServer;
  /** Of blobs, as they were put. */
  received = 0;

  constructor() {
    this.from = startRegistry();
    this.to = startRegistry({
      intercept: (seen, usual) => {
        const length = Number(seen.headers.get("content-length") ?? 0);
        if (seen.target.includes("/blobs/uploads/")) this.received += length;
        return usual();
      },
    });
    writeFileSync(this.at("images.yaml"), fillWithMany(this.from, wish));
  }

  at(...names: readonly string[]): string {
    return this.workspace.at(...names);
  }

  sync(...args: readonly string[]): Promise<RunResult> {
    return succeed(this.#args(args), { cwd: this.workspace.path });
  }

  attempt(...args: readonly string[]): Promise<RunResult> {
    return run(this.#args(args), { cwd: this.workspace.path });
  }

  #args(args: readonly string[]): readonly string[] {
    return ["--insecure-policy", "sync", "--src=yaml", "--dest-tls-verify=false", ...args];
  }

  toRegistry(...args: readonly string[]): Promise<RunResult> {
    const naming = ["--dest=docker", "--map=s|^team/|mirror/|"];
    return this.sync(...naming, ...args, "images.yaml", this.to.host);
  }

  forget(): void {
    this.from.forget();
    this.to.forget();
    this.received = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.from[Symbol.asyncDispose]();
    await this.to[Symbol.asyncDispose]();
    this.workspace[Symbol.dispose]();
  }
}

/** How often each kind of request was made. */
function counts({ requests }: RegistryServer): Readonly<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const { method, target } of requests) {
    const kind = /\/(manifests|blobs|tags)\//.exec(target)?.[1] ?? "ping";
    const name = kind === "ping" ? kind : `${method} ${kind}`;
    found[name] = (found[name] ?? 0) + 1;
  }
  return found;
}

/** What a registry holds: repositories, tags, digests. */
function contentOf(registry: RegistryServer): Readonly<Record<string, unknown>> {
  const names = Array.from({ length: wish.repositories }, (_, number) => `mirror/r${number}`);
  return Object.fromEntries(
    names.map((name) => {
      const { tags, blobs } = registry.repository(name);
      return [name, { tags: Object.fromEntries(tags), blobs: [...blobs.keys()].toSorted() }];
    }),
  );
}

describe("sync of 50 repositories", () => {
  test("a dry run asks, writes nothing, and knows how much there is to move", async () => {
    await using ground = new Ground();
    const { stdout } = await ground.toRegistry("--dry-run", "--output=json", "--write-lock=lock");
    const { total } = JSON.parse(stdout);
    expect(total).toMatchObject({ images, missing: images, changed: 0, present: 0, failed: 0 });
    expect(ground.to.requests.every(({ method }) => /GET|HEAD/.test(method))).toBe(true);
    ground.forget();
    await ground.toRegistry();
    expect(ground.received).toBe(total.bytes);
    const again = JSON.parse((await ground.toRegistry("--dry-run", "--output=json")).stdout);
    expect(again.total).toMatchObject({ present: images, blobs: 0, bytes: 0 });
  });

  test("a lock gives the images that were there, whatever the tags lead to now", async () => {
    await using ground = new Ground();
    await ground.toRegistry("--write-lock=lock", "--include=^1.0$");
    const before = contentOf(ground.to);
    const base = sampleImage({ seed: "another", format: "oci", layers: ["gzip"], odd: false });
    for (const name of ["team/r0", "team/r1"]) {
      addSample(ground.from.repository(name), "1.0", imageOn(base, name));
    }
    ground.forget();
    await ground.toRegistry("--locked=lock");
    expect(contentOf(ground.to)).toEqual(before);
    expect(counts(ground.from)).toEqual({ ping: 1, "HEAD manifests": wish.repositories });
    // Without the lock, they have changed.
    await ground.toRegistry("--include=^1.0$");
    expect(contentOf(ground.to)).not.toEqual(before);
    // And what is gone is refused.
    const gone = ground.from.repository("team/r0").manifests;
    const locked = readFileSync(ground.at("lock"), "utf8");
    for (const digest of [...gone.keys()]) if (locked.includes(digest)) gone.delete(digest);
    const refused = await ground.attempt(
      "--dest=docker",
      "--locked=lock",
      "images.yaml",
      `${ground.to.host}/new`,
    );
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("manifest unknown");
  });

  test("--keep-going names the failures at the end, in a table and in JSON, and exits with 3", async () => {
    await using ground = new Ground();
    ground.from.repository("team/r3").blobs.clear();
    const flags = ["--dest=docker", "--keep-going", "--write-lock=lock"];
    const args = [...flags, "images.yaml", `${ground.to.host}/x`];
    const failed = await ground.attempt(...args);
    expect(failed.code).toBe(3);
    // A lock without some of the images would be taken for all of them.
    expect(existsSync(ground.at("lock"))).toBe(false);
    expect(failed.stderr).toContain(`${wish.tags} of ${images} images failed:\n`);
    expect(failed.stderr).toMatch(/^ {2}docker:\S+\/team\/r3:1\.0 {2}.*blob unknown/m);
    const json = await ground.attempt("--output=json", ...args);
    const result = JSON.parse(json.stdout);
    expect(result.ok).toBe(false);
    expect(result.summary.failures).toBe(wish.tags);
  });

  testWith(
    "newer:skopeo",
    "newer:oras",
    "newer:podman",
  )("makes layouts and archives that others read", async () => {
    await using ground = new Ground();
    await ground.sync("--dest=oci", "--include=^1.0$", "images.yaml", "layout");
    await ground.sync("--dest=oci-archive", "--include=^1.0$", "images.yaml", "all.tar");
    const options = { cwd: ground.workspace.path };
    const digest = ground.from.repository("team/r5").tags.get("1.0") ?? "";
    for (const name of ["oci:layout:r5:1.0", "oci-archive:all.tar:r5:1.0"]) {
      const args = ["--insecure-policy", "inspect", "--format={{.Digest}}", name];
      const skopeo = { ...options, program: newerProgram("skopeo") };
      expect((await succeed(args, skopeo)).stdout).toBe(`${digest}\n`);
    }
    const oras = { ...options, program: newerProgram("oras") };
    const resolved = await succeed(["resolve", "--oci-layout-path=layout", "r5:1.0"], oras);
    expect(resolved.stdout.trim()).toBe(digest);
  });

  test("gives directories one file for a layer that they share", async () => {
    await using ground = new Ground();
    await ground.sync("--dest=dir", "--scoped", "--include=^1.0$", "images.yaml", "out");
    expect(counts(ground.from)["GET blobs"]).toBe(wish.bases * 2 + 2 * wish.repositories);
    const image = ground.at("out", ground.from.host, "team", "r0:1.0");
    const links = readdirSync(image).map((name) => statSync(join(image, name)).nlink);
    const sharing = wish.repositories / wish.bases;
    expect(links.toSorted((a, b) => b - a)[0]).toBeGreaterThanOrEqual(Math.floor(sharing));
  });

  test.each(["dir", "oci"])(
    "several runs into one %s at once come to what one does",
    async (kind) => {
      await using ground = new Ground();
      const run = (out: string) =>
        ground.sync(`--dest=${kind}`, "--include=^1.0$", "images.yaml", out);
      await run("one");
      await Promise.all([run("several"), run("several"), run("several")]);
      const [one, several] = ["one", "several"].map((out) => {
        const tree = Object.entries(treeOf(ground.at(out)));
        // In which order images came into the index does not matter.
        return Object.fromEntries(tree.filter(([path]) => path !== "index.json"));
      });
      expect(several).toEqual(one ?? {});
      if (kind === "dir") return;
      const named = (out: string) => {
        const index = JSON.parse(readFileSync(ground.at(out, "index.json"), "utf8"));
        return index.manifests.map(({ digest }: { readonly digest: string }) => digest).toSorted();
      };
      expect(named("several")).toEqual(named("one"));
    },
  );

  test("carries what is no image as it is", async () => {
    await using ground = new Ground();
    const chart = ground.from.repository("charts/app");
    const bytes = new TextEncoder().encode("some content of nobody's type");
    const descriptor = { digest: chart.addBlob(bytes), size: bytes.length };
    const manifest = {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      artifactType: "application/vnd.example.thing",
      config: { mediaType: "application/vnd.cncf.helm.config.v1+json", ...descriptor },
      layers: [{ mediaType: "application/vnd.example.unknown", ...descriptor }],
      annotations: { "org.example": "kept" },
    };
    const encoded = new TextEncoder().encode(JSON.stringify(manifest, null, 3));
    const digest = chart.addManifest(encoded, manifest.mediaType, "1");
    writeFileSync(
      ground.at("charts.yaml"),
      `${ground.from.host}: {tls-verify: false, images: {charts/app: []}}`,
    );
    await ground.sync("--dest=docker", "charts.yaml", `${ground.to.host}/x`);
    expect(ground.to.repository("x/app").tags.get("1")).toBe(digest);
    await ground.sync("--dest=oci", "charts.yaml", "layout");
    const index = JSON.parse(readFileSync(ground.at("layout", "index.json"), "utf8"));
    expect(index.manifests[0].digest).toBe(digest);
    await ground.sync("--dest=dir", "charts.yaml", "out");
    expect(readFileSync(ground.at("out", "app:1", "manifest.json"))).toEqual(Buffer.from(encoded));
  });
});
