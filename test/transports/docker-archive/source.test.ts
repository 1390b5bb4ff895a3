import { describe, expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { collect } from "../../../core/blob/collect.ts";
import type { ImageSource } from "../../../core/image/source.ts";
import { parseDockerArchiveName } from "../../../transports/docker-archive/name.ts";
import { openSource } from "../../../transports/docker-archive/source.ts";
import { type DockerTarWish, dockerTar, one } from "../../support/docker-tars.ts";
import { rejection } from "../../support/rejection.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";
import { someManifest } from "../../support/some-manifest.ts";

class Kept implements Disposable {
  readonly workspace = new Workspace();

  open(bytes: Uint8Array, suffix = "", signal?: AbortSignal): Promise<ImageSource> {
    writeFileSync(this.workspace.at("a.tar"), bytes);
    const context = transportContext({
      temporaryDirectory: this.workspace.path,
      ...(signal !== undefined && { signal }),
    });
    return openSource(parseDockerArchiveName(this.workspace.at("a.tar") + suffix), context);
  }

  [Symbol.dispose](): void {
    this.workspace[Symbol.dispose]();
  }
}

const layer = { mediaType: "", digest: one.digest };

describe("openSource", () => {
  test.each([
    ["gzip", (bytes: Uint8Array) => Bun.gzipSync(Buffer.from(bytes))],
    ["zstd", (bytes: Uint8Array) => Bun.zstdCompressSync(Buffer.from(bytes))],
  ])("reads an archive that is compressed with %s, and leaves nothing", async (_, compress) => {
    using kept = new Kept();
    {
      await using source = await kept.open(compress(dockerTar()));
      await source.readManifest();
      expect(await collect(await source.openBlob(layer), 1e6)).toEqual(Buffer.from(one.bytes));
    }
    expect(readdirSync(kept.workspace.path)).toEqual(["a.tar"]);
  });

  test("leaves an archive that can be read in place where it is", async () => {
    using kept = new Kept();
    await using source = await kept.open(dockerTar());
    await source.readManifest();
    expect(readdirSync(kept.workspace.path)).toEqual(["a.tar"]);
    expect(source.concurrent).toBe(true);
    expect(await source.readSignatures(someManifest)).toEqual([]);
  });

  test("a broken table of contents is found at once, a tag that is not there with the manifest", async () => {
    using kept = new Kept();
    const broken: DockerTarWish = { items: "[{" };
    await expect(kept.open(dockerTar(broken))).rejects.toThrow("decoding tar manifest.json");
    await using source = await kept.open(dockerTar(), ":y:1");
    const failure = await rejection(source.readManifest());
    // The original ends with 1 here, and not with 2 as for other images that are not there.
    expect(failure).toMatchObject({
      code: "refused",
      message: 'Tag "docker.io/library/y:1" not found',
    });
  });

  test("an abort ends the reading of a layer", async () => {
    using kept = new Kept();
    const abort = new AbortController();
    await using source = await kept.open(dockerTar(), "", abort.signal);
    await source.readManifest();
    const stream = await source.openBlob(layer);
    abort.abort();
    expect(await collect(stream, 1e6).catch((error: Error) => error.name)).toBe("AbortError");
  });
});
