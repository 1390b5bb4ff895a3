import { describe, expect, test } from "bun:test";

import { checkApart, copyToAll } from "../../cli/copy-to-all.ts";
import type { ToldEvent } from "../../core/copy/events.ts";
import type { CopyOutcome } from "../../core/copy/request.ts";
import { asFailure, Failure } from "../../core/failure.ts";
import { parseImageName } from "../../core/image/parse-name.ts";
import type { Transport } from "../../core/image/transport.ts";
import { Gate } from "../../core/trust/gate.ts";
import { acceptEverything } from "../../core/trust/requirements/basic.ts";
import { transports } from "../../transports/table.ts";
import { failureOf as thrownBy } from "../support/failure-of.ts";
import { holding } from "../support/engine.ts";
import { MemoryTransport } from "../support/memory-transport.ts";
import { sampleImage } from "../support/sample-images.ts";
import { callOf } from "../support/tool-call.ts";
import { transportContext } from "../support/transport-context.ts";

const image = sampleImage({ seed: "all" });

/** A transport whose destinations cannot be opened, but after so many times. */
function failing(times: number, failure: Failure) {
  const memory = new MemoryTransport();
  let opened = 0;
  const transport: Transport = {
    name: "memory",
    checkPolicyScope: () => {},
    parseReference: (text) => {
      const reference = memory.parseReference(text);
      return {
        ...reference,
        openDestination: async (context) => {
          if (opened++ < times) throw failure;
          return reference.openDestination(context);
        },
      };
    },
  };
  return { memory, transport, opened: () => opened };
}

async function copyAll(
  first: Transport,
  others: readonly Transport[],
  times = 0,
  source = holding(image),
) {
  const { call } = callOf({}, []);
  const events: ToldEvent[] = [];
  const errors: string[] = [];
  const hints: string[] = [];
  const written: CopyOutcome[] = [];
  const side = (transport: Transport, name: string) => ({
    reference: transport.parseReference(name),
    context: transportContext(),
  });
  const telling = {
    ...call,
    log: { ...call.log, error: (message: string) => errors.push(message) },
    screen: { ...call.screen, line: (line: string) => hints.push(line) },
  };
  const ended = await copyToAll(telling, {
    request: {
      source: side(source, "a"),
      gate: new Gate(acceptEverything, { requireSigned: false, now: () => new Date(0) }),
      platform: { os: "linux", architecture: "amd64" },
      images: "system",
      preserveDigests: false,
      signatures: "copy",
      parallelBlobs: 3,
      now: () => new Date(0),
      tell: (event) => events.push(event),
    },
    destinations: [side(first, "0"), ...others.map((each, index) => side(each, `${index + 1}`))],
    retry: { times, delayMs: 1 },
    writtenFirst: async (outcome) => void written.push(outcome),
  }).then(() => undefined, asFailure);
  return { ended, events, errors, hints, written };
}

const passing = new Failure("unavailable", "nobody answers");
const final = new Failure("io", "the disk is full", { hint: "free some space there" });

describe("copyToAll", () => {
  test("copies to all, and says what was written to the first", async () => {
    const into = [0, 1].map(() => new MemoryTransport());
    const [first, other] = into;
    if (first === undefined || other === undefined) throw new Error("no destination");
    const { ended, errors, written } = await copyAll(first, [other]);
    expect([ended, errors]).toEqual([undefined, []]);
    expect(written.map(({ digest }) => String(digest))).toEqual([image.manifest.digest]);
    expect([first.images.has("0"), other.images.has("1")]).toEqual([true, true]);
  });

  test("says which failed and why, and that others are complete", async () => {
    const bad = failing(Infinity, final);
    const good = new MemoryTransport();
    const { ended, errors, hints, written } = await copyAll(bad.transport, [good, bad.transport]);
    expect(ended).toMatchObject({
      code: "incomplete",
      message: "Copying to 2 of 3 destinations failed",
      hint: "the other destinations are complete",
    });
    expect(errors).toEqual([
      "copying to memory:0: initializing destination memory:0: the disk is full",
      "copying to memory:2: initializing destination memory:2: the disk is full",
    ]);
    expect(hints).toEqual(Array(2).fill("hint: free some space there"));
    expect(written).toEqual([]);
    expect(good.images.has("1")).toBe(true);
  });

  test("fails as the first did where all have failed", async () => {
    const [one, other] = [failing(Infinity, final), failing(Infinity, passing)];
    const { ended } = await copyAll(one.transport, [other.transport]);
    expect(ended).toMatchObject({ code: "io", message: "Copying to 2 of 2 destinations failed" });
  });

  test("tries those again that failed of what may pass, and no others", async () => {
    const good = failing(0, final);
    const bad = failing(Infinity, final);
    const shaky = failing(2, passing);
    const { ended, events, errors } = await copyAll(
      good.transport,
      [shaky.transport, bad.transport],
      3,
    );
    expect(ended).toMatchObject({ code: "incomplete" });
    expect(errors.length).toBe(1);
    expect([good.opened(), shaky.opened()]).toEqual([1, 3]);
    expect(shaky.memory.images.has("1")).toBe(true);
    expect(events.filter(({ kind }) => kind === "retry").length).toBe(2);
    const begun = events.filter(({ kind }) => kind === "copy-begun");
    expect(begun.map(({ destination }) => destination)).toEqual([undefined, 1, 2, 1, 2]);
  });

  test("counts what is complete even where the source fails when it is read again", async () => {
    const source = holding(image);
    const good = new MemoryTransport();
    const shaky = failing(Infinity, passing);
    const gone: Transport = {
      ...shaky.transport,
      parseReference: (text) => ({
        ...shaky.transport.parseReference(text),
        openDestination: async () => {
          source.images.clear();
          throw passing;
        },
      }),
    };
    const { ended, errors } = await copyAll(good, [gone], 1, source);
    expect(ended).toMatchObject({ code: "incomplete" });
    expect(errors).toEqual([expect.stringMatching(/^copying to memory:1: .*No image a$/)]);
    expect(good.images.has("0")).toBe(true);
  });

  test("fails with the source", async () => {
    const memory = new MemoryTransport();
    const { call } = callOf({}, []);
    const side = { reference: memory.parseReference("none"), context: transportContext() };
    const copying = copyToAll(call, {
      request: {
        source: side,
        gate: new Gate(acceptEverything, { requireSigned: false, now: () => new Date(0) }),
        platform: { os: "linux", architecture: "amd64" },
        images: "system",
        preserveDigests: false,
        signatures: "copy",
        parallelBlobs: 3,
        now: () => new Date(0),
        tell: () => {},
      },
      destinations: [side, side],
      retry: { times: 0, delayMs: 0 },
      writtenFirst: async () => {},
    });
    expect((await copying.then(() => undefined, asFailure))?.code).toBe("not-found");
  });
});

describe("checkApart", () => {
  const check = (...names: readonly string[]) =>
    checkApart(names.map((name) => parseImageName(name, transports)));

  test.each([
    ["dir:/tmp/a", "dir:/tmp/./a"],
    ["dir:/usr/../tmp/b", "dir:/tmp/b"],
    ["oci:/a:1", "oci:/a:1"],
    ["docker://busybox", "docker://docker.io/library/busybox:latest"],
    ["docker-archive:/a.tar:x:1", "docker-archive:/b/../a.tar:y:1"],
    ["oci-archive:/a.tar:1", "docker-archive:/a.tar:y:1"],
    ["docker-archive:-", "oci-archive:/dev/stdout"],
    ["dir:/tmp", "dir:/tmp/b"],
    ["oci:/tmp/a:1", "dir:/tmp/a"],
    ["dir:/tmp", "docker-archive:/tmp/a.tar"],
  ])("refuses %s and %s", (one, other) => {
    expect(thrownBy(() => check(one, "dir:/apart", other))).toMatchObject({ code: "usage" });
  });

  test("has nothing against what is apart", () => {
    check("dir:/a", "dir:/b", "oci:/ab:1", "oci:/ab:2", "oci-archive:/c", "docker-archive:-");
  });
});
