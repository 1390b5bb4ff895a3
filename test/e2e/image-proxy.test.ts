// The image proxy: what another program may have, through the gate, as the original answers.

import { describe, expect, test } from "bun:test";
import { closeSync } from "node:fs";
import { digestOf } from "../../core/content/digest.ts";
import { testWith } from "../support/needs.ts";
import { newerProgram } from "../support/newer-debian.ts";
import { ProxyClient, type ProxyClientOptions, readAll } from "../support/proxy-client.ts";
import { succeed } from "../support/run.ts";
import { type SampleBlob, sampleImage, sampleList } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";

const image = sampleImage({ seed: "proxy", format: "docker", layers: ["gzip", "none"] });
const layer = image.layers[1] ?? image.config;
const zeros = `sha256:${"0".repeat(64)}`;
const open = { flags: ["--insecure-policy"] };

/** Asks what a client may ask, and what it may not, and keeps the answers and all content. */
async function interview(
  options: ProxyClientOptions,
  { name, layer }: { readonly name: string; readonly layer: SampleBlob },
): Promise<unknown[]> {
  await using client = new ProxyClient(options);
  const told: unknown[] = [];
  const ask = async (method: string, ...args: readonly unknown[]) => {
    const { descriptors, ...answer } = await client.ask(method, ...args);
    told.push([method, answer, descriptors.length]);
    for (const each of descriptors) closeSync(each);
  };
  const fetch = async (method: string, ...args: readonly unknown[]) => {
    const { descriptors, ...answer } = await client.ask(method, ...args);
    const [descriptor = -1] = descriptors;
    if (descriptor < 0) throw new Error(`${method}: ${answer.error}`);
    const reading = Bun.file(descriptor).bytes();
    const finished = await client.ask("FinishPipe", answer.pipeid);
    const bytes = await reading;
    closeSync(descriptor);
    told.push([
      method,
      // The number itself is whatever the program likes.
      { ...answer, pipeid: answer.pipeid > 0 },
      digestOf(bytes),
      { ...finished, descriptors: finished.descriptors.length },
    ]);
  };
  await ask("OpenImage", name);
  await ask("Initialize", 1);
  await ask("Initialize");
  await ask("Initialize");
  await ask("Nonsense");
  await ask("OpenImage");
  await ask("OpenImage", "busybox");
  await ask("OpenImageOptional", `${name}-which-is-not-there`);
  await ask("OpenImage", name);
  for (const number of [0, 7, "x", null, 1e30]) await ask("GetManifest", number);
  for (const method of ["GetManifest", "GetConfig", "GetFullConfig", "GetLayerInfoPiped"]) {
    await fetch(method, 1);
  }
  await ask("GetLayerInfo", 1);
  await fetch("GetBlob", 1, layer.digest, layer.bytes.length);
  for (const args of [[1], [1, "x", 3], [1, 5, 3]]) await ask("GetBlob", ...args);
  await ask("FinishPipe", 99);
  await ask("CloseImage", 1);
  await ask("CloseImage", 1);
  client.leave();
  told.push(await client.exited);
  return told;
}

describe("experimental-image-proxy", () => {
  testWith("newer:skopeo", "docker-registry")("answers as the original does", async () => {
    await using scene = new Scene();
    const list = sampleList({ seed: "proxy", format: "docker" });
    for (const [sample, { layers }] of [
      [image, image],
      [list, list.images[0] ?? image],
    ] as const) {
      const store = await scene.store("docker");
      await store.fill(sample);
      const asked = { name: store.image, layer: layers[0] ?? layer };
      const surroundings = { cwd: scene.path, flags: ["--tls-verify=false", "--insecure-policy"] };
      const skopeo = newerProgram("skopeo");
      const theirs = await interview({ ...surroundings, program: skopeo }, asked);
      const ours = await interview(surroundings, asked);
      expect(ours).toEqual(theirs);
    }
  });

  testWith("root", "newer:skopeo")("tells of the layers that a local store can give", async () => {
    await using scene = new Scene();
    const store = await scene.store("dir");
    await store.fill(image);
    const skopeo = newerProgram("skopeo");
    const kept = `containers-storage:[vfs@${scene.at("root")}+${scene.at("run")}]localhost/kept:1`;
    const copying = ["--insecure-policy", "copy", "-q", store.image, kept];
    await succeed(copying, { cwd: scene.path, program: skopeo });
    const layersBy = async (program?: string) => {
      const named = program === undefined ? {} : { program };
      await using client = new ProxyClient({ cwd: scene.path, ...open, ...named });
      await client.ask("Initialize");
      await client.ask("OpenImage", kept);
      return await client.ask("GetLayerInfo", 1);
    };
    const ours = await layersBy();
    expect(ours).toEqual(await layersBy(skopeo));
    expect(ours.value).toMatchObject(image.diffIds.map((digest) => ({ digest })));
  });

  test("gives a blob by two pipes, and by the second why it failed", async () => {
    await using scene = new Scene();
    const store = await scene.store("dir");
    await store.fill(image);
    await using client = new ProxyClient({ cwd: scene.path, ...open });
    await client.ask("Initialize");
    await client.ask("OpenImage", store.image);
    const good = await client.ask("GetRawBlob", 1, layer.digest);
    const [content = -1, trouble = -1] = good.descriptors;
    expect(good).toMatchObject({ success: true, value: layer.bytes.length, pipeid: 0 });
    expect(await readAll(content)).toEqual(layer.bytes);
    expect(await readAll(trouble)).toEqual(new Uint8Array());

    await Bun.write(
      `${store.image.slice(4)}/${layer.digest.slice(7)}`,
      new Uint8Array(layer.bytes.length),
    );
    const bad = await client.ask("GetRawBlob", 1, layer.digest);
    const [, why = -1] = bad.descriptors;
    closeSync(bad.descriptors[0] ?? -1);
    const told: unknown = JSON.parse(new TextDecoder().decode(await readAll(why)));
    expect(told).toMatchObject({ code: expect.stringMatching(/^(EPIPE|other)$/) });
  });

  test("answers requests that come at once, each by itself", async () => {
    await using scene = new Scene();
    const store = await scene.store("dir");
    await store.fill(image);
    await using client = new ProxyClient({ cwd: scene.path, flags: ["--insecure-policy"] });
    const requests = [["Initialize"], ["OpenImage", store.image], ["GetLayerInfo", 1], ["Nothing"]];
    for (const [method, ...args] of requests) client.send(JSON.stringify({ method, args }));
    const answers = [];
    for (const _ of requests) answers.push(await client.receive());
    expect(answers.map(({ success }) => success)).toEqual([true, true, true, false]);
    expect(answers[2]?.value).toHaveLength(image.layers.length);
    expect(answers[3]?.error).toBe("unknown method: Nothing");
  });

  test("ends a transfer of which the client wants no more, and serves on", async () => {
    await using scene = new Scene();
    const store = await scene.store("dir");
    const large = sampleImage({ seed: "large", layers: ["none"], ballastBytes: 4_000_000 });
    await store.fill(large);
    const { digest = "", bytes = new Uint8Array() } = large.layers[0] ?? {};
    await using client = new ProxyClient({ cwd: scene.path, ...open });
    await client.ask("Initialize");
    await client.ask("OpenImage", store.image);
    const answer = await client.ask("GetBlob", 1, digest, bytes.length);
    closeSync(answer.descriptors[0] ?? -1);
    expect(await client.ask("FinishPipe", answer.pipeid)).toMatchObject({ error_code: "EPIPE" });
    const { bytes: whole, finished } = await client.fetch(
      bytes.length,
      "GetBlob",
      1,
      digest,
      bytes.length,
    );
    expect(finished.success).toBe(true);
    expect(String(digestOf(whole))).toBe(digest);
    const wrong = await client.fetch(bytes.length, "GetBlob", 1, digest, 5);
    expect(wrong.finished.error).toBe(`expected 5 bytes in blob, got ${bytes.length}`);
    expect(await client.ask("GetBlob", 1, zeros, 5)).toMatchObject({
      success: false,
      error: `Image 1 does not name a blob ${zeros}`,
    });
  });

  test("G1: opens nothing that the policy refuses", async () => {
    await using scene = new Scene();
    const store = await scene.store("oci");
    await store.fill(image);
    await Bun.write(scene.at("policy.json"), JSON.stringify({ default: [{ type: "reject" }] }));
    await using client = new ProxyClient({
      cwd: scene.path,
      flags: ["--policy", scene.at("policy.json")],
    });
    await client.ask("Initialize");
    for (const method of ["OpenImage", "OpenImageOptional"]) {
      const answer = await client.ask(method, store.image);
      expect(answer).toMatchObject({ success: false, value: null, error_code: "other" });
      expect(answer.error).toContain("is rejected by policy.");
    }
    expect((await client.ask("GetManifest", 1)).error).toBe("no image 1");
  });

  test("ends when it is told to, and when the client leaves", async () => {
    await using scene = new Scene();
    await using told = new ProxyClient({ cwd: scene.path, ...open });
    told.send(`{"method":"Shutdown"}`);
    expect(await told.exited).toBe(0);
    await using left = new ProxyClient({ cwd: scene.path, ...open });
    await left.ask("Initialize");
    left.leave();
    expect(await left.exited).toBe(0);
  });

  test("refuses to serve on what is no socket", async () => {
    await using scene = new Scene();
    const { code, stderr } = await scene.dray("experimental-image-proxy");
    expect(code).toBe(1);
    expect(stderr).toContain("Cannot serve on descriptor 0: socket operation on non-socket");
  });
});
