// sync again: a run that was killed is gone on with, and comes to the same.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { lstatSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { addSample } from "../support/push.ts";
import { randomBytes } from "../support/random.ts";
import { type RegistryServer, startRegistry } from "../support/registry-server.ts";
import { type Running, start, succeed } from "../support/run.ts";
import { sampleImage } from "../support/sample-images.ts";
import { treeOf } from "../support/trees.ts";
import { Workspace } from "../support/workspace.ts";

setDefaultTimeout(240_000);

const MiB = 1024 * 1024;
const tags = ["1", "2", "3", "4"];

/** A registry that sends blobs slowly, and notes from where on each was asked for. */
class SlowRegistry implements AsyncDisposable {
  readonly server: RegistryServer;
  /** Bytes sent of each blob, by its digest. */
  readonly sent = new Map<string, number>();
  pieceDelayMs = 0;

  constructor() {
    this.server = startRegistry({
      intercept: async (seen, usual) => {
        const answer = await usual();
        const digest = /\/blobs\/(sha256:.*)$/.exec(seen.target)?.[1];
        if (digest === undefined || seen.method !== "GET") return answer;
        const { status, headers } = answer;
        return new Response(this.#slowly(digest, await answer.bytes()), { status, headers });
      },
    });
    for (const tag of tags) {
      const image = sampleImage({
        seed: `restart ${tag}`,
        format: "oci",
        layers: ["gzip", "gzip"],
        ballastBytes: 2 * MiB,
        odd: false,
      });
      addSample(this.server.repository("team/app"), tag, image);
    }
  }

  #slowly(digest: string, bytes: Uint8Array): ReadableStream<Uint8Array> {
    const piece = 32 * 1024;
    let at = 0;
    return new ReadableStream({
      pull: async (controller) => {
        await Bun.sleep(this.pieceDelayMs);
        const chunk = bytes.slice(at, at + piece);
        at += chunk.length;
        this.sent.set(digest, (this.sent.get(digest) ?? 0) + chunk.length);
        if (chunk.length > 0) controller.enqueue(chunk);
        if (at >= bytes.length) controller.close();
      },
    });
  }

  /** Bytes sent of all blobs. */
  get total(): number {
    return [...this.sent.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  /** How large each blob is. */
  get sizes(): ReadonlyMap<string, number> {
    const { blobs } = this.server.repository("team/app");
    return new Map(Array.from(blobs, ([digest, bytes]) => [digest, bytes.length]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
  }
}

/** Starts a run again and again, and kills it when it has fetched so much; returns how often it did. */
async function killAtMoments(
  moments: Uint8Array,
  registry: SlowRegistry,
  begin: () => Running,
): Promise<number> {
  let kills = 0;
  for (const moment of moments) {
    const goal = registry.total + 200_000 + moment * 5000;
    const running = begin();
    const ended = running.done.then(() => true);
    while (registry.total < goal) {
      if (await Promise.race([ended, Bun.sleep(2).then(() => false)])) return kills;
    }
    running.kill("SIGKILL");
    await running.done;
    kills++;
  }
  return kills;
}

/** What lies there, but for what a killed run was just writing. */
function finishedTree(path: string): Readonly<Record<string, string>> {
  const tree = Object.entries(treeOf(path));
  return Object.fromEntries(tree.filter(([name]) => !name.includes(".dray-")));
}

/** The images of a layout by their names; in which order they were finished does not matter. */
function imagesIn(path: string): Readonly<Record<string, string>> {
  const { manifests } = JSON.parse(readFileSync(`${path}/index.json`, "utf8"));
  return Object.fromEntries(
    manifests
      .map((entry: { digest: string; annotations: Record<string, string> }) => [
        entry.annotations["org.opencontainers.image.ref.name"] ?? "",
        entry.digest,
      ])
      .toSorted(),
  );
}

describe.each(["dir", "oci"] as const)("sync to %s", (kind) => {
  test("goes on where it was killed, and fetches hardly anything twice", async () => {
    using workspace = new Workspace();
    await using registry = new SlowRegistry();
    const { host } = registry.server;
    const args = (out: string) => [
      "--insecure-policy",
      "sync",
      "--src=docker",
      "--src-tls-verify=false",
      `--dest=${kind}`,
      `${host}/team/app`,
      out,
    ];
    const options = { cwd: workspace.path };
    await succeed(args("calm"), options);
    registry.sent.clear();

    registry.pieceDelayMs = 10;
    const moments = randomBytes(`sync-restart ${kind}`, 8);
    const kills = await killAtMoments(moments, registry, () => start(args("again"), options));
    registry.pieceDelayMs = 0;
    await succeed(args("again"), options);
    expect(kills).toBeGreaterThan(2);

    if (kind === "dir") {
      expect(finishedTree(workspace.at("again"))).toEqual(finishedTree(workspace.at("calm")));
    } else {
      const [again, calm] = ["again", "calm"].map((name) => workspace.at(name));
      const blobs = (path = "") => finishedTree(`${path}/blobs`);
      expect(blobs(again)).toEqual(blobs(calm));
      expect(imagesIn(again ?? "")).toEqual(imagesIn(calm ?? ""));
    }
    // A batch that was not written yet, and what was on its way.
    const chunk = MiB;
    for (const [digest, size] of registry.sizes) {
      const sent = registry.sent.get(digest) ?? 0;
      expect({ digest, kills, twice: Math.max(0, sent - size - kills * chunk) }).toEqual({
        digest,
        kills,
        twice: 0,
      });
    }
    const all = registry.total;
    const whole = [...registry.sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
    expect(all).toBeLessThan(whole + kills * 6 * chunk);
  });

  test("takes no part for granted: what was changed in it meanwhile is fetched anew", async () => {
    using workspace = new Workspace();
    await using registry = new SlowRegistry();
    const args = [
      "--insecure-policy",
      "sync",
      "--src=docker",
      "--src-tls-verify=false",
      `--dest=${kind}`,
      `${registry.server.host}/team/app:1`,
      "out",
    ];
    registry.pieceDelayMs = 20;
    const running = start(args, { cwd: workspace.path });
    const parts = () =>
      namesBelow(workspace.at("out")).filter(
        (name) =>
          name.includes(".dray-part-") && lstatSync(workspace.at("out", name)).size > 300_000,
      );
    while (parts().length === 0) await Bun.sleep(20);
    running.kill("SIGKILL");
    await running.done;
    for (const name of parts()) {
      const bytes = readFileSync(workspace.at("out", name));
      writeFileSync(workspace.at("out", name), bytes.fill(0, 100, 200));
    }
    registry.pieceDelayMs = 0;
    const { stderr } = await succeed(args, { cwd: workspace.path });
    expect(stderr).toContain("once more");
    expect(namesBelow(workspace.at("out")).filter((name) => name.includes(".dray-part-"))).toEqual(
      [],
    );
  });
});

test("sync to docker sends nothing again that is there, and comes to the same", async () => {
  using workspace = new Workspace();
  await using registry = new SlowRegistry();
  await using target = startRegistry();
  const args = [
    "--insecure-policy",
    "sync",
    "--src=docker",
    "--src-tls-verify=false",
    "--dest=docker",
    "--dest-tls-verify=false",
    `${registry.server.host}/team/app`,
    `${target.host}/mirror`,
  ];
  const options = { cwd: workspace.path };
  registry.pieceDelayMs = 3;
  const moments = randomBytes("sync-restart docker", 6);
  const kills = await killAtMoments(moments, registry, () => start(args, options));
  registry.pieceDelayMs = 0;
  const held = [...target.repository("mirror/app").blobs.keys()];
  registry.sent.clear();
  await succeed(args, options);
  expect(kills).toBeGreaterThan(1);
  const [from, to] = [registry.server.repository("team/app"), target.repository("mirror/app")];
  expect(Object.fromEntries(to.tags)).toEqual(Object.fromEntries(from.tags));
  expect([...to.blobs.keys()].toSorted()).toEqual([...from.blobs.keys()].toSorted());
  expect(held.filter((digest) => registry.sent.has(digest))).toEqual([]);
});

function namesBelow(path: string): readonly string[] {
  try {
    return readdirSync(path, { recursive: true, encoding: "utf8" });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
