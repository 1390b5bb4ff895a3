// Inputs: the same archive by stream and by file.

import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { FileInput, StreamInput, type TarInput } from "../../../core/blob/tar-input.ts";
import { chunked } from "../../support/chunks.ts";
import { randomBytes } from "../../support/random.ts";
import { rejection } from "../../support/rejection.ts";
import { Workspace } from "../../support/workspace.ts";

const bytes = randomBytes("input", 100_000);

interface OpenInput extends AsyncDisposable {
  readonly input: TarInput;
}

async function fromStream(): Promise<OpenInput> {
  const input = new StreamInput(chunked(bytes, 777));
  return { input, [Symbol.asyncDispose]: () => input[Symbol.asyncDispose]() };
}

async function fromFile(): Promise<OpenInput> {
  const workspace = new Workspace();
  writeFileSync(workspace.at("file"), bytes);
  const file = await open(workspace.at("file"));
  return {
    input: new FileInput(file, bytes.length),
    async [Symbol.asyncDispose]() {
      await file.close();
      workspace[Symbol.dispose]();
    },
  };
}

describe.each([
  ["a stream", fromStream],
  ["a file", fromFile],
])("an input from %s", (_, openInput) => {
  test("gives what is asked for, in order, and counts it", async () => {
    await using opened = await openInput();
    const { input } = opened;
    let at = 0;
    for (const count of [512, 1, 0, 40_000, 20_000, 7]) {
      expect(input.position).toBe(at);
      const taken = await input.take(count);
      expect(Buffer.compare(taken, bytes.subarray(at, at + count))).toBe(0);
      at += count;
    }
  });

  test("passes over what is not wanted", async () => {
    await using opened = await openInput();
    await opened.input.skip(60_001);
    expect(opened.input.position).toBe(60_001);
    const taken = await opened.input.take(10);
    expect(Buffer.compare(taken, bytes.subarray(60_001, 60_011))).toBe(0);
  });

  test("gives what is left at the end, and then nothing", async () => {
    await using opened = await openInput();
    await opened.input.skip(bytes.length - 3);
    expect(await opened.input.take(512)).toHaveLength(3);
    expect(await opened.input.take(512)).toHaveLength(0);
  });

  test("P5: does not pass over more than there is", async () => {
    await using opened = await openInput();
    const failure = await rejection(opened.input.skip(bytes.length + 1));
    expect(failure).toMatchObject({
      code: "corrupt",
      message: "Tar archive is cut off in the content of an entry",
    });
  });
});

test("disposing of a stream releases what feeds it", async () => {
  let released = false;
  const feed = async function* () {
    try {
      yield bytes;
    } finally {
      released = true;
    }
  };
  {
    await using input = new StreamInput(feed());
    await input.take(1);
  }
  expect(released).toBe(true);
});
