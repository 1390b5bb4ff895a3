import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { streamOf } from "../../../core/blob/stream.ts";
import { type Digest, digestHex, digestOf } from "../../../core/content/digest.ts";
import { Archive } from "../../../transports/shared/archive.ts";
import { DockerTarReader } from "../../../transports/shared/docker-tar-reader.ts";
import { DockerTarWriter } from "../../../transports/shared/docker-tar-writer.ts";
import { openTarOutput, type TarOutput } from "../../../transports/shared/tar-output.ts";
import { TarWriter } from "../../../transports/shared/tar-writer.ts";
import { bytesOf, configOf, one, two } from "../../support/docker-tars.ts";
import { randomBytes } from "../../support/random.ts";
import { rejection } from "../../support/rejection.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

/** A place to write an archive to, and to look into it. */
class Desk implements AsyncDisposable {
  readonly path: string;
  readonly context = transportContext();
  readonly writer: DockerTarWriter;
  readonly #workspace: Workspace;
  readonly #output: TarOutput;

  private constructor(workspace: Workspace, path: string, output: TarOutput) {
    this.#workspace = workspace;
    this.path = path;
    this.#output = output;
    this.writer = new DockerTarWriter(new TarWriter(output, this.context));
  }

  static async open(): Promise<Desk> {
    const workspace = new Workspace();
    const path = workspace.at("a.tar");
    return new Desk(workspace, path, await openTarOutput(path, transportContext()));
  }

  async finish(): Promise<void> {
    await this.writer.finish();
    await this.#output.complete();
  }

  async entries(): Promise<readonly string[]> {
    await using archive = await Archive.open(this.path, this.context);
    return archive.entries.map(({ name, link, mode }) => `${mode.toString(8)} ${name}${link}`);
  }

  async content(name: string): Promise<string> {
    await using archive = await Archive.open(this.path, this.context);
    return new TextDecoder().decode(await archive.read(name, 1e6));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#output[Symbol.asyncDispose]();
    this.#workspace[Symbol.dispose]();
  }
}

const blobOf = (bytes: Uint8Array, wish: object = {}) => ({
  digest: digestOf(bytes) as Digest | undefined,
  size: bytes.length as number | undefined,
  open: () => streamOf(bytes),
  ...wish,
});

const config = bytesOf(configOf(one.digest, two.digest));
const parts = { config: digestOf(config), layers: [one.digest, two.digest] };

async function putAll({ writer }: Desk): Promise<void> {
  await writer.putBlob(blobOf(one.bytes), "layer");
  await writer.putBlob(blobOf(two.bytes, { digest: undefined, size: undefined }), "layer");
  await writer.putBlob(blobOf(config), "config");
}

describe("DockerTarWriter", () => {
  test("writes what `docker save` and the original write, legacy and all", async () => {
    await using desk = await Desk.open();
    await putAll(desk);
    await desk.writer.putImage(parts, ["docker.io/library/x:1", "docker.io/library/y:2"]);
    await desk.finish();
    const [base, top] = (await desk.content("repositories")).match(/[0-9a-f]{64}/g) ?? [];
    expect(base).toBe(top ?? "");
    const entries = await desk.entries();
    const layers = [one, two].map(({ digest }) => `${digestHex(digest)}.tar`);
    const hex = digestHex(parts.config);
    expect(entries.filter((entry) => !/VERSION|json$|layer\.tar/.test(entry))).toEqual([
      ...layers.map((layer) => `444 ${layer}`),
      "444 repositories",
    ]);
    expect(entries).toHaveLength(2 + 1 + 2 * 3 + 2);
    expect(entries).toContain(`777 ${top}/layer.tar../${layers[1]}`);
    expect(entries).toContain(`444 ${top}/VERSION`);
    expect(await desk.content(`${top}/VERSION`)).toBe("1.0");
    expect(await desk.content("manifest.json")).toBe(
      `[{"Config":"${hex}.json","RepoTags":["docker.io/library/x:1","docker.io/library/y:2"],` +
        `"Layers":["${layers[0]}","${layers[1]}"]}]`,
    );
  });

  test("what is written is read back", async () => {
    await using desk = await Desk.open();
    await putAll(desk);
    await desk.writer.putImage(parts, []);
    await desk.finish();
    await using archive = await Archive.open(desk.path, desk.context);
    const image = await (await DockerTarReader.open(archive)).readImage({ by: "itself" });
    expect(image.config.digest).toBe(parts.config);
    expect(image.layers.map(({ digest }) => digest)).toEqual(parts.layers);
  });

  test("the same blob is written once, whoever knew its digest", async () => {
    await using desk = await Desk.open();
    const { writer } = desk;
    const first = await writer.putBlob(blobOf(one.bytes), "layer");
    const open = { digest: undefined, size: undefined };
    expect(await writer.putBlob(blobOf(one.bytes), "layer")).toEqual({ ...first, by: "presence" });
    const again = await writer.putBlob(blobOf(one.bytes, open), "layer");
    expect(again).toEqual({ ...first, by: "presence" });
    await writer.putBlob(blobOf(two.bytes, open), "layer");
    await desk.finish();
    expect(await desk.entries()).toHaveLength(4);
  });

  test("finds what it has, if the size is the same", async () => {
    await using desk = await Desk.open();
    const { digest } = one;
    expect(desk.writer.find({ digest })).toBeUndefined();
    await desk.writer.putBlob(blobOf(one.bytes), "layer");
    expect(desk.writer.find({ digest })).toEqual({ digest, size: 2048, by: "presence" });
    expect(desk.writer.find({ digest, size: 2048 })?.size).toBe(2048);
    expect(desk.writer.find({ digest, size: 1 })).toBeUndefined();
  });

  test("a blob that failed is not there, and may be put again", async () => {
    await using desk = await Desk.open();
    const big = randomBytes("big", 1_000_000);
    const failing = async function* () {
      yield big.subarray(0, 600_000);
      throw new Error("broken off");
    };
    for (const wish of [{}, { digest: undefined, size: undefined }]) {
      const blob = blobOf(big, { ...wish, open: failing });
      await expect(desk.writer.putBlob(blob, "layer")).rejects.toThrow("broken off");
      expect(desk.writer.find({ digest: digestOf(big) })).toBeUndefined();
    }
    await desk.writer.putBlob(blobOf(big), "layer");
    await desk.finish();
    expect(await desk.entries()).toHaveLength(3);
    expect(readFileSync(desk.path).length).toBeLessThan(1_010_000);
  });

  test("an image whose blobs were not written is refused", async () => {
    await using desk = await Desk.open();
    await desk.writer.putBlob(blobOf(config), "config");
    const failure = await rejection(desk.writer.putImage(parts, []));
    expect(failure.message).toBe(`Manifest names the blob ${one.digest}, which was not written`);
  });

  test("a name belongs to the last image that took it", async () => {
    await using desk = await Desk.open();
    await putAll(desk);
    const other = bytesOf(configOf(two.digest));
    await desk.writer.putBlob(blobOf(other), "config");
    const [x, y] = ["docker.io/library/x:1", "docker.io/library/y:1"] as const;
    await desk.writer.putImage(parts, [x, y]);
    await desk.writer.putImage({ config: digestOf(other), layers: [two.digest] }, [x]);
    await desk.finish();
    await using archive = await Archive.open(desk.path, desk.context);
    const { items } = await DockerTarReader.open(archive);
    expect(items.map(({ tags }) => tags)).toEqual([[y], [x]]);
    const ids = (await desk.content("repositories")).match(/[0-9a-f]{64}/g) ?? [];
    expect(new Set(ids).size).toBe(2);
  });

  test("an image that is there gets more names, and is not there twice", async () => {
    await using desk = await Desk.open();
    await putAll(desk);
    await desk.writer.putImage(parts, ["docker.io/library/x:1"]);
    await desk.writer.putImage(parts, ["docker.io/library/y:1"]);
    await desk.finish();
    await using archive = await Archive.open(desk.path, desk.context);
    const { items } = await DockerTarReader.open(archive);
    expect(items.map(({ tags }) => tags)).toEqual([
      ["docker.io/library/x:1", "docker.io/library/y:1"],
    ]);
  });
});
