import { describe, expect, test } from "bun:test";

import { Patience } from "../../../core/retry.ts";
import { type SurveyedImage, surveyImages } from "../../../core/sync/survey.ts";
import { jobsFor } from "../../../core/sync/jobs.ts";
import { mkdirSync } from "node:fs";
import { dir } from "../../../transports/dir/reference.ts";
import { docker } from "../../../transports/docker/reference.ts";
import { dockerContext } from "../../support/docker-context.ts";
import { addSample } from "../../support/push.ts";
import { startRegistry } from "../../support/registry-server.ts";
import { blobsOf, sampleImage, writeDirectory } from "../../support/sample-images.ts";
import { plainCopy } from "../../support/sync-run.ts";
import { Workspace } from "../../support/workspace.ts";

const one = sampleImage({ seed: "one", format: "oci" });
const two = { ...sampleImage({ seed: "two", format: "oci" }) };

function sizeOf(sample: typeof one): number {
  return blobsOf(sample).reduce((sum, { bytes }) => sum + bytes.length, 0);
}

describe("surveyImages", () => {
  async function survey(
    fill: (from: ReturnType<typeof startRegistry>, to: ReturnType<typeof startRegistry>) => void,
  ) {
    await using from = startRegistry();
    await using to = startRegistry();
    addSample(from.repository("a"), "1", one);
    addSample(from.repository("a"), "2", two);
    addSample(from.repository("b"), "1", one);
    fill(from, to);
    const context = dockerContext();
    const images = ["a:1", "a:2", "b:1", "b:gone"].map((name) => ({
      reference: docker.parseReference(`//${from.host}/${name}`),
      context,
      path: `${from.host}/${name}`,
      below: name,
    }));
    const found = await surveyImages({
      jobs: jobsFor([{ images }], ({ below }) => `${to.host}/m/${below}`),
      place: { transport: docker, context, overwrites: false },
      copy: plainCopy(),
      parallelImages: 2,
      patience: () => new Patience(),
    });
    const writes = to.requests.filter(({ method }) => method !== "GET" && method !== "HEAD");
    expect(writes).toEqual([]);
    expect(from.lines.filter((line) => line.includes("/blobs/"))).toEqual([]);
    return found;
  }

  const shown = (images: readonly SurveyedImage[]) =>
    images.map(({ state, blobs, bytes }) => [state, blobs, bytes] as const);

  test("counts a blob once, and says what is not there", async () => {
    const found = await survey(() => {});
    expect(shown(found)).toEqual([
      ["missing", 4, sizeOf(one)],
      ["missing", 4, sizeOf(two)],
      ["missing", 0, 0],
      ["failed", 0, 0],
    ]);
    expect(found[3]?.failure?.code).toBe("not-found");
    expect(String(found[0]?.source?.digest)).toBe(one.manifest.digest);
    expect(found[0]?.source?.layers?.length).toBe(3);
  });

  test("knows what is there, what has changed, and which blobs need not be moved", async () => {
    const found = await survey((_, to) => {
      addSample(to.repository("m/a"), "1", one);
      addSample(to.repository("m/a"), "2", one);
      for (const { bytes } of two.layers) to.repository("m/a").addBlob(bytes);
    });
    expect(shown(found)).toEqual([
      ["present", 0, 0],
      ["changed", 1, two.config.bytes.length],
      ["missing", 4, sizeOf(one)],
      ["failed", 0, 0],
    ]);
  });

  test("says what a run would refuse to write over", async () => {
    await using from = startRegistry();
    addSample(from.repository("a"), "1", one);
    using workspace = new Workspace();
    mkdirSync(workspace.at("a:1"));
    writeDirectory(workspace.at("a:1"), two);
    const context = dockerContext();
    const reference = docker.parseReference(`//${from.host}/a:1`);
    const images = [{ reference, context, path: "a:1", below: "a:1" }];
    const look = (overwrites: boolean) =>
      surveyImages({
        jobs: jobsFor([{ images }], () => workspace.at("a:1")),
        place: { transport: dir, context, overwrites },
        copy: plainCopy(),
        parallelImages: 1,
        patience: () => new Patience(),
      });
    const [refused] = await look(false);
    expect(refused?.state).toBe("failed");
    expect(refused?.failure?.message).toContain("Refusing to overwrite destination directory");
    expect((await look(true))[0]?.state).toBe("changed");
  });
});
