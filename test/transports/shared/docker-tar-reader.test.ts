import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { collect } from "../../../core/blob/collect.ts";
import { digestOf } from "../../../core/content/digest.ts";
import { Archive } from "../../../transports/shared/archive.ts";
import type { WantedItem } from "../../../transports/shared/docker-tar-items.ts";
import {
  type DockerTarImage,
  DockerTarReader,
} from "../../../transports/shared/docker-tar-reader.ts";
import {
  bytesOf,
  configOf,
  type DockerTarWish,
  dockerTar,
  link,
  one,
  two,
} from "../../support/docker-tars.ts";
import { rejection } from "../../support/rejection.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

/** Reads an image of an archive, and hands it to `use` while the archive is open. */
async function reading<T>(
  wish: DockerTarWish,
  use: (image: DockerTarImage) => Promise<T> | T,
  wanted: WantedItem = { by: "itself" },
): Promise<T> {
  using workspace = new Workspace();
  writeFileSync(workspace.at("a.tar"), dockerTar(wish));
  await using archive = await Archive.open(workspace.at("a.tar"), transportContext());
  const reader = await DockerTarReader.open(archive);
  return await use(await reader.readImage(wanted));
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe("DockerTarReader", () => {
  test("makes up the manifest that the original makes up", async () => {
    const config = configOf(one.digest, two.digest);
    const layer = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    await reading({}, (image) => {
      expect(image.manifest.mediaType).toBe("application/vnd.docker.distribution.manifest.v2+json");
      expect(text(image.manifest.bytes)).toBe(
        `{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",` +
          `"config":{"mediaType":"application/vnd.docker.container.image.v1+json",` +
          `"size":${config.length},"digest":"${digestOf(bytesOf(config))}"},` +
          `"layers":[{"mediaType":"${layer}","size":2048,"digest":"${one.digest}"},` +
          `{"mediaType":"${layer}","size":2048,"digest":"${two.digest}"}]}`,
      );
    });
  });

  test("gives config and layers as they are", async () => {
    await reading({}, async (image) => {
      for (const { digest, size } of [image.config, ...image.layers]) {
        const bytes = await collect(image.openBlob(digest), 1e6);
        expect(digestOf(bytes)).toBe(digest);
        expect(bytes.length).toBe(size ?? -1);
      }
    });
  });

  test("a blob of no image is refused", async () => {
    await reading({}, (image) => {
      const strange = digestOf(bytesOf("strange"));
      expect(() => image.openBlob(strange)).toThrow(`Unknown blob "${strange}"`);
    });
  });

  const long = (bytes: Uint8Array) => Buffer.from(bytes);
  test.each<[string, DockerTarWish]>([
    ["gzip", { entries: [{ path: "1/layer.tar", body: Bun.gzipSync(long(one.bytes)) }] }],
    ["zstd", { entries: [{ path: "1/layer.tar", body: Bun.zstdCompressSync(long(one.bytes)) }] }],
    [
      "a link to a neighbour, as of old",
      { entries: [link("1/layer.tar", "../L/l.tar"), { path: "L/l.tar", body: one.bytes }] },
    ],
    [
      "a link to a link",
      {
        entries: [
          link("1/layer.tar", "../L/l.tar"),
          link("L/l.tar", "m.tar"),
          { path: "L/m.tar", body: one.bytes },
        ],
      },
    ],
    [
      "a hard link",
      {
        entries: [
          { path: "L/l.tar", body: one.bytes },
          { path: "1/layer.tar", kind: "hardLink", target: "L/l.tar" },
        ],
      },
    ],
    [
      "another spelling of the name",
      { item: { Config: "./c.json", Layers: ["./1/../1/layer.tar", "2//layer.tar"] } },
    ],
  ])("a layer may be kept as %s", async (_, wish) => {
    const usual = await reading({}, ({ manifest }) => text(manifest.bytes));
    await reading(wish, async (image) => {
      expect(text(image.manifest.bytes)).toBe(usual);
      const bytes = await collect(image.openBlob(one.digest), 1e6);
      expect(digestOf(bytes)).toBe(one.digest);
    });
  });

  test("of names for the same layer only the first is opened", async () => {
    const wish = {
      item: { Layers: ["1/layer.tar", "2/layer.tar", "nothing.tar"] },
      config: configOf(one.digest, two.digest, one.digest),
    };
    await reading(wish, ({ layers }) => {
      expect(layers.map(({ digest }) => digest)).toEqual([one.digest, two.digest, one.digest]);
      expect(layers[2]?.size).toBe(2048);
    });
  });

  test("an image may have no layers", async () => {
    await reading({ config: configOf(), item: { Layers: null } }, ({ manifest }) => {
      expect(text(manifest.bytes)).toEndWith('"layers":[]}');
    });
  });

  test("an image is picked out of several", async () => {
    const items = [
      { Config: "c.json", RepoTags: ["x:1"], Layers: ["1/layer.tar", "2/layer.tar"] },
      { Config: "d.json", RepoTags: ["y:1"], Layers: ["2/layer.tar"] },
    ];
    const wish = { items, entries: [{ path: "d.json", body: bytesOf(configOf(two.digest)) }] };
    const layers = ({ layers: found }: DockerTarImage) => found.map(({ digest }) => digest);
    expect(await reading(wish, layers, { by: "position", position: 1 })).toEqual([two.digest]);
    expect(await reading(wish, layers, { by: "tag", tag: "docker.io/library/y:1" })).toEqual([
      two.digest,
    ]);
    const failure = await rejection(reading(wish, layers));
    expect(failure.message).toBe("Unexpected tar manifest.json: expected 1 item, got 2");
  });

  test.each<[string, DockerTarWish, string]>([
    [
      "no table of contents",
      { without: ["manifest.json"] },
      'loading tar component "manifest.json": file does not exist',
    ],
    [
      "a long table of contents",
      { items: `[]${" ".repeat(1 << 20)}` },
      'loading tar component "manifest.json": exceeded maximum allowed size of 1048576 bytes',
    ],
    ["no config", { without: ["c.json"] }, 'loading tar component "c.json": file does not exist'],
    ["nothing of an item", { items: [null] }, 'loading tar component "": file does not exist'],
    [
      "a broken config",
      { config: "{" },
      'decoding tar config "c.json": unexpected end of JSON input',
    ],
    [
      "a long config",
      { config: `{}${" ".repeat(4 << 20)}` },
      'loading tar component "c.json": exceeded maximum allowed size of 4194304 bytes',
    ],
    [
      "a config without layers",
      { config: "{}" },
      'Invalid image config (rootFS is not set): "c.json"',
    ],
    [
      "a config with odd layers",
      { config: '{"rootfs":{"diff_ids":"x"}}' },
      'decoding tar config "c.json": diff_ids is no array',
    ],
    [
      "a digest that is none",
      { config: configOf(one.digest, "sha256:x") },
      'decoding tar config "c.json": invalid digest "sha256:x": invalid checksum digest length',
    ],
    [
      "fewer layers in the config",
      { config: configOf(one.digest) },
      "Inconsistent layer count: 2 in manifest, 1 in config",
    ],
    [
      "one file for two layers",
      { item: { Layers: ["1/layer.tar", "./1/layer.tar"] } },
      'Layer tarfile "1/layer.tar" used for two different DiffID values',
    ],
    ["no layer", { without: ["1/layer.tar"] }, "Some layer tarfiles are missing in the tarball"],
    [
      "a directory for a config",
      { entries: [{ path: "c.json", kind: "directory" }] },
      'loading tar component "c.json": Error reading tar archive component "c.json": not a regular file',
    ],
    [
      "a device for a layer",
      { entries: [{ path: "1/layer.tar", kind: "characterDevice" }] },
      'Error reading tar archive component "1/layer.tar": not a regular file',
    ],
    [
      "F1: a config outside",
      { item: { Config: "../c.json" } },
      'loading tar component "../c.json": file does not exist',
    ],
    [
      "F2: a link out of the archive",
      { entries: [link("1/layer.tar", "../../../etc/passwd")] },
      'Error reading tar archive component "1/layer.tar": leads to what is not in the archive',
    ],
    [
      "F2: a link to a file of the machine",
      { entries: [link("c.json", "/etc/passwd")] },
      'loading tar component "c.json": Error reading tar archive component "c.json": leads to what is not in the archive',
    ],
    [
      "F2: a link in circles",
      { entries: [link("1/layer.tar", "layer.tar")] },
      'Error reading tar archive component "1/layer.tar": is behind more than 10 links',
    ],
    [
      "F3: two tables of contents",
      { entries: [{ path: "./manifest.json", body: bytesOf("[]") }] },
      'loading tar component "manifest.json": Error reading tar archive component "manifest.json": is there more than once',
    ],
    [
      "F3: two layers of a name",
      { entries: [{ path: "./1/layer.tar", body: two.bytes }] },
      'Error reading tar archive component "1/layer.tar": is there more than once',
    ],
  ])("refuses an archive with %s", async (_, wish, message) => {
    const failure = await rejection(reading(wish, () => undefined));
    expect(failure).toMatchObject({ code: "corrupt", message });
  });

  test("a layer whose compression cannot be undone is refused by its name", async () => {
    const xz = Uint8Array.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0, 0]);
    const wish = { entries: [{ path: "1/layer.tar", body: xz }] };
    const failure = await rejection(reading(wish, () => undefined));
    expect(failure).toMatchObject({
      code: "unsupported",
      message: "Cannot decompress a layer that is compressed with xz",
    });
  });

  test("an OCI layout is told apart", async () => {
    const wish = {
      without: ["manifest.json"],
      entries: [{ path: "index.json", body: bytesOf("{}") }],
    };
    const failure = await rejection(reading(wish, () => undefined));
    expect(failure.message).toBe('loading tar component "manifest.json": file does not exist');
    expect(failure.hint).toMatch(/^it is an OCI layout, write oci-archive:.*a\.tar$/);
  });

  test("a layer that images share is looked at once", async () => {
    using workspace = new Workspace();
    const items = [
      { Config: "c.json", Layers: ["1/layer.tar", "2/layer.tar"] },
      { Config: "c.json", Layers: ["1/layer.tar", "2/layer.tar"] },
    ];
    writeFileSync(workspace.at("a.tar"), dockerTar({ items }));
    await using archive = await Archive.open(workspace.at("a.tar"), transportContext());
    const reader = await DockerTarReader.open(archive);
    await reader.readImage({ by: "position", position: 0 });
    let opened = 0;
    const find = archive.find.bind(archive);
    archive.find = (name) => {
      opened += Number(name.endsWith("layer.tar"));
      return find(name);
    };
    await reader.readImage({ by: "position", position: 1 });
    expect(opened).toBe(0);
  });
});
