import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import type { DockerArchiveSettings } from "../../../core/image/transport.ts";
import type { ImageDestination } from "../../../core/image/destination.ts";
import { parseDigest } from "../../../core/content/digest.ts";
import { parseDockerArchiveName } from "../../../transports/docker-archive/name.ts";
import { openDestination } from "../../../transports/docker-archive/destination.ts";
import { listTags } from "../../../transports/docker-archive/tags.ts";
import { admitted, descriptorOf, putSample } from "../../support/carry.ts";
import { dockerTar } from "../../support/docker-tars.ts";
import { outgoingManifest } from "../../support/outgoing.ts";
import { rejection } from "../../support/rejection.ts";
import { sampleImage } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

const image = sampleImage({ seed: "archived", layers: ["none", "none"] });
const other = sampleImage({ seed: "other", layers: ["none"] });

function open(text: string, dockerArchive?: DockerArchiveSettings): Promise<ImageDestination> {
  const settings = dockerArchive === undefined ? {} : { dockerArchive };
  return openDestination(parseDockerArchiveName(text), transportContext({ settings }));
}

async function write(text: string, sample = image, settings?: DockerArchiveSettings) {
  await using destination = await open(text, settings);
  await putSample(destination, sample);
  await destination.commit();
}

async function tagsOf(path: string): Promise<readonly string[] | undefined> {
  return (await listTags(parseDockerArchiveName(path), transportContext())).tags;
}

describe("openDestination", () => {
  test("writes the same archive each time, readable by all", async () => {
    using workspace = new Workspace();
    await write(`${workspace.at("a.tar")}:x:1`);
    await write(`${workspace.at("b.tar")}:x:1`);
    const [a, b] = ["a.tar", "b.tar"].map((name) => readFileSync(workspace.at(name)));
    expect(a?.equals(b ?? Buffer.of())).toBe(true);
    expect(statSync(workspace.at("a.tar")).mode & 0o777).toBe(0o644);
    expect(readdirSync(workspace.path).toSorted()).toEqual(["a.tar", "b.tar"]);
  });

  test("gives an image all of its names, each once", async () => {
    using workspace = new Workspace();
    const additionalTags = ["docker.io/library/y:2", "docker.io/library/x:1"];
    await write(`${workspace.at("a.tar")}:x:1`, image, { additionalTags });
    expect(await tagsOf(workspace.at("a.tar"))).toEqual([
      "docker.io/library/x:1",
      "docker.io/library/y:2",
    ]);
    await write(workspace.at("b.tar"));
    expect(await tagsOf(workspace.at("b.tar"))).toEqual(["@0"]);
  });

  test("refuses an archive that is there, in the original's words, and leaves it alone", async () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("a.tar"), "anything");
    const failure = await rejection(open(workspace.at("a.tar")));
    expect(failure).toMatchObject({
      code: "unsupported",
      message: "docker-archive doesn't support modifying existing images",
    });
    expect(failure.hint).toContain("--dest-append");
    expect(readFileSync(workspace.at("a.tar"), "utf8")).toBe("anything");
  });

  test("takes the place of an empty file, and keeps who may read it", async () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("a.tar"), "");
    chmodSync(workspace.at("a.tar"), 0o600);
    await write(workspace.at("a.tar"));
    expect(statSync(workspace.at("a.tar")).mode & 0o777).toBe(0o600);
    expect(await tagsOf(workspace.at("a.tar"))).toEqual(["@0"]);
  });

  test("writes where a link leads", async () => {
    using workspace = new Workspace();
    mkdirSync(workspace.at("there"));
    writeFileSync(workspace.at("there", "a.tar"), "");
    symlinkSync("there/a.tar", workspace.at("a.tar"));
    await write(workspace.at("a.tar"));
    expect(await tagsOf(workspace.at("there", "a.tar"))).toEqual(["@0"]);
    expect(readdirSync(workspace.at("there"))).toEqual(["a.tar"]);
  });

  test.each([
    [
      "/no/such/a.tar",
      'opening file "/no/such/a.tar": open /no/such/a.tar: no such file or directory',
    ],
    ["/", 'opening file "/": open /: is a directory'],
    ["a.tar:@0", "Destination reference must not contain a manifest index @0"],
  ])("refuses %p in the original's words", async (text, message) => {
    expect((await rejection(open(text))).message).toBe(message);
  });

  test("takes no other manifest than Docker's schema 2", async () => {
    using workspace = new Workspace();
    await using destination = await open(workspace.at("a.tar"));
    const { manifest } = sampleImage({ format: "oci" });
    const failure = await rejection(destination.putManifest(await outgoingManifest(manifest)));
    expect(failure).toMatchObject({
      code: "unsupported",
      message: "Unsupported manifest type, need a Docker schema 2 manifest",
    });
  });

  test("F6: does not replace what others have put there in the meantime", async () => {
    using workspace = new Workspace();
    {
      await using destination = await open(workspace.at("a.tar"));
      await putSample(destination, image);
      writeFileSync(workspace.at("a.tar"), "theirs");
      const failure = await rejection(destination.commit());
      expect(failure.message).toEndWith("was changed by somebody else while the image was written");
    }
    expect(readFileSync(workspace.at("a.tar"), "utf8")).toBe("theirs");
    expect(readdirSync(workspace.path)).toEqual(["a.tar"]);
  });

  test("takes a layer for one that is there if its content is the same", async () => {
    using workspace = new Workspace();
    await using destination = await open(workspace.at("a.tar"));
    await putSample(destination, image);
    const [layer] = image.layers;
    if (layer === undefined) throw new Error("the sample has no layer");
    const wanted = { ...descriptorOf(layer), digest: parseDigest(`sha256:${"a".repeat(64)}`) };
    const content = async () => parseDigest(layer.digest);
    const reuse = (...compressions: ("none" | "gzip")[]) =>
      destination.reuseBlob({ ...wanted, size: 7 }, "layer", { forms: compressions, content });
    expect(await reuse("gzip")).toBeUndefined();
    expect(await reuse("gzip", "none")).toEqual({
      digest: parseDigest(layer.digest),
      size: layer.bytes.length,
      by: "presence",
      compression: "none",
    });
  });
});

describe("openDestination with the wish to append", () => {
  const appends = { appends: true };

  test("adds an image, and keeps the others", async () => {
    using workspace = new Workspace();
    const path = workspace.at("a.tar");
    await write(`${path}:x:1`);
    await write(`${path}:y:1`, other, appends);
    await write(path, sampleImage({ seed: "third", layers: ["none"] }), appends);
    expect(await tagsOf(path)).toEqual(["docker.io/library/x:1", "docker.io/library/y:1", "@2"]);
    expect(readdirSync(workspace.path)).toEqual(["a.tar"]);
  });

  test("begins an archive where there is none", async () => {
    using workspace = new Workspace();
    await write(`${workspace.at("a.tar")}:x:1`, image, appends);
    expect(await tagsOf(workspace.at("a.tar"))).toEqual(["docker.io/library/x:1"]);
  });

  test("an image that loses all of its names goes, one that keeps some stays", async () => {
    using workspace = new Workspace();
    const path = workspace.at("a.tar");
    const [x, y] = ["docker.io/library/x:1", "docker.io/library/y:1"] as const;
    await write(path, image, { additionalTags: [x, y] });
    await write(`${path}:x:1`, other, appends);
    expect(await tagsOf(path)).toEqual([y, x]);
    const bytes = statSync(path).size;
    await write(`${path}:y:1`, other, appends);
    expect(await tagsOf(path)).toEqual([y, x].toReversed());
    expect(statSync(path).size).toBeLessThan(bytes);
  });

  test("a layer of an earlier image is not sent again", async () => {
    using workspace = new Workspace();
    const path = workspace.at("a.tar");
    await write(`${path}:x:1`);
    await using destination = await open(`${path}:y:1`, appends);
    const [layer] = image.layers;
    if (layer === undefined) throw new Error("the sample has no layer");
    expect(await destination.reuseBlob(descriptorOf(layer), "layer")).toMatchObject({
      by: "presence",
      size: layer.bytes.length,
    });
  });

  test("C2: carries nothing over that is not what it is called", async () => {
    using workspace = new Workspace();
    const path = workspace.at("a.tar");
    writeFileSync(path, dockerTar({ item: { Layers: ["2/layer.tar", "1/layer.tar"] } }));
    const before = readFileSync(path);
    const failure = await rejection(write(`${path}:y:1`, other, appends));
    expect(failure.code).toBe("corrupt");
    expect(failure.message).toContain("keeping blob sha256:");
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(workspace.path)).toEqual(["a.tar"]);
  });

  test("refuses what is no archive, and leaves it alone", async () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("a.tar"), "a".repeat(1024));
    const failure = await rejection(open(workspace.at("a.tar"), appends));
    expect(failure.code).toBe("corrupt");
    expect(readdirSync(workspace.path)).toEqual(["a.tar"]);
  });
});

test("a destination gives up what it was not told to commit", async () => {
  using workspace = new Workspace();
  const { image: carried } = await admitted(image);
  {
    await using destination = await open(workspace.at("a.tar"));
    await putSample(destination, image);
    await destination.putManifest(carried.publish());
  }
  expect(readdirSync(workspace.path)).toEqual([]);
});
