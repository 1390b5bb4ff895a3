import { describe, expect, test } from "bun:test";
import { collect } from "../../../core/blob/collect.ts";
import { parseDigest } from "../../../core/content/digest.ts";
import { branchOf } from "../../../transports/ostree/name.ts";
import { parseChecksum } from "../../../transports/ostree/objects.ts";
import { ostree } from "../../../transports/ostree/reference.ts";
import { Repository } from "../../../transports/ostree/repository.ts";
import { StagedObjects } from "../../../transports/ostree/staged-objects.ts";
import { putSample } from "../../support/carry.ts";
import { emptyRepository } from "../../support/ostree-repository.ts";
import { rejection } from "../../support/rejection.ts";
import { hexOf, sampleImage } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

const context = transportContext();
const image = sampleImage({ layers: ["none"], odd: false });
const digest = parseDigest(image.manifest.digest);
const [layer] = image.layers;
if (layer === undefined) throw new Error("the sample has no layer");

/** A repository with an image, whose commits can be changed. */
async function withImage(workspace: Workspace) {
  const name = ostree.parseReference(`a:1@${emptyRepository(workspace)}`);
  {
    await using destination = await name.openDestination(context);
    await putSample(destination, image);
    await destination.commit();
  }
  const repository = await Repository.open(workspace.at("repo"));
  const change = async (branch: string, changes: Readonly<Record<string, string>>) => {
    const commit = repository.readBranch(branch) ?? parseChecksum("");
    const { metadata, ...rest } = await repository.readCommit(commit);
    const changed = new Map([...metadata, ...Object.entries(changes)]);
    using staged = new StagedObjects(repository);
    const other = staged.writeCommit({ ...rest, metadata: changed });
    staged.publish();
    repository.writeBranch(branch, other);
  };
  return { name, repository, change };
}

const ofLayer = branchOf(hexOf(layer.digest));

describe("a source of ostree", () => {
  test.each<readonly [Readonly<Record<string, string>>, string]>([
    [{ "docker.uncompressed_size": "-1" }, "has no size"],
    [{ "docker.uncompressed_size": "x" }, "has no size"],
    [{ "docker.uncompressed_digest": "md5:1" }, "invalid digest"],
  ])("fails where a layer says %j", async (changes, message) => {
    using workspace = new Workspace();
    const { name, change } = await withImage(workspace);
    await change(ofLayer, changes);
    await using source = await name.openSource(context);
    const failure = await rejection(source.readLayers?.(digest) ?? Promise.resolve());
    expect(failure).toMatchObject({ code: "corrupt", message: expect.stringContaining(message) });
  });

  test.each(["", "!!!!", Buffer.from("no gzip").toString("base64")])(
    "fails where the tar-split is %p",
    async (packed) => {
      using workspace = new Workspace();
      const { name, change } = await withImage(workspace);
      await change(ofLayer, { "tarsplit.output": packed });
      await using source = await name.openSource(context);
      const reading = async () =>
        collect(
          await source.openBlob({ mediaType: "", digest: parseDigest(image.diffIds[0] ?? "") }),
          10_000_000,
        );
      expect(await rejection(reading())).toMatchObject({ code: "corrupt" });
    },
  );

  test.each(["-1", "1", "1000000000", "x"])(
    "fails where it is said to have %s signatures",
    async (count) => {
      using workspace = new Workspace();
      const { name, change } = await withImage(workspace);
      await change(branchOf("a:1"), { signatures: count });
      await using source = await name.openSource(context);
      expect(await rejection(source.readSignatures({ digest }))).toMatchObject({ code: "corrupt" });
    },
  );

  test("fails for what is not there", async () => {
    using workspace = new Workspace();
    const { name } = await withImage(workspace);
    const { repository } = { repository: workspace.at("repo") };
    const other = ostree.parseReference(`b:1@${repository}`);
    expect(await rejection(other.openSource(context))).toMatchObject({ code: "not-found" });
    await using source = await name.openSource(context);
    const missing = parseDigest(`sha256:${"0".repeat(64)}`);
    const reading = source.openBlob({ mediaType: "", digest: missing });
    expect(await rejection(Promise.resolve(reading))).toMatchObject({ code: "corrupt" });
    expect(await rejection(source.readManifest(missing))).toMatchObject({ code: "not-found" });
  });
});
