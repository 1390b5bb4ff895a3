import { afterAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";

import { collect } from "../../../core/blob/collect.ts";
import { digestOf } from "../../../core/content/digest.ts";
import { Failure } from "../../../core/failure.ts";
import type { OutgoingBlob } from "../../../core/image/destination.ts";
import { precomputed } from "../../../transports/docker/precomputed.ts";
import { docker } from "../../../transports/docker/reference.ts";
import { dockerContext } from "../../support/docker-context.ts";
import { outgoingBlob } from "../../support/outgoing.ts";
import { startRegistry } from "../../support/registry-server.ts";
import { rejection } from "../../support/rejection.ts";
import { Workspace } from "../../support/workspace.ts";

const workspace = new Workspace();
afterAll(() => workspace[Symbol.dispose]());
const directory = workspace.path;
const signal = new AbortController().signal;
const bytes = new TextEncoder().encode("a layer that is compressed while it is sent");

/** A blob whose digest only its stream can tell. */
async function open(): Promise<OutgoingBlob> {
  return (await outgoingBlob(bytes)).through((stream) => stream, { mediaType: "x" });
}

describe("precomputed", () => {
  test("knows what a blob is before it is sent, and keeps it no longer than that", async () => {
    {
      await using kept = await precomputed(await open(), directory, signal);
      const { blob } = kept;
      expect(blob).toMatchObject({ digest: digestOf(bytes), size: bytes.length, mediaType: "x" });
      for (let time = 0; time < 2; time += 1) {
        expect(Buffer.from(await collect(blob.open(), 1000)).equals(bytes)).toBe(true);
      }
      expect(readdirSync(directory)).toHaveLength(1);
    }
    expect(readdirSync(directory)).toEqual([]);
  });

  test("keeps nothing of a blob that fails", async () => {
    const failing = (await open()).through(
      async function* (stream) {
        yield* stream;
        throw new Failure("corrupt", "not what was promised");
      },
      { mediaType: "x" },
    );
    const failure = await rejection(precomputed(failing, directory, signal));
    expect(failure.message).toBe("not what was promised");
    expect(readdirSync(directory)).toEqual([]);
  });

  test("ends with its signal, and keeps nothing", async () => {
    const stop = new AbortController();
    stop.abort(new DOMException("stopped", "AbortError"));
    const failure = await rejection(precomputed(await open(), directory, stop.signal));
    expect(failure.code).toBe("canceled");
    expect(readdirSync(directory)).toEqual([]);
  });

  test("saves the sending of what the repository has", async () => {
    await using registry = startRegistry();
    const methods = async (precomputesDigests: boolean) => {
      registry.forget();
      const context = dockerContext({ precomputesDigests, temporaryDirectory: directory });
      const reference = docker.parseReference(`//${registry.host}/a/b:1`);
      await using destination = await reference.openDestination(context);
      const { digest } = await destination.putBlob(await open(), "layer");
      expect(digest).toBe(digestOf(bytes));
      return registry.lines.slice(1).map((line) => line.split(" ")[0]);
    };
    expect(await methods(true)).toEqual(["HEAD", "POST", "PATCH", "PUT"]);
    expect(await methods(true)).toEqual(["HEAD"]);
    expect(await methods(false)).toEqual(["POST", "PATCH", "PUT"]);
    expect(readdirSync(directory)).toEqual([]);
  });
});
