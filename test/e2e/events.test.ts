// Events and results: what programs are told of a copy, by the executable itself.

import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { eventSchema } from "../../core/copy/event-schema.ts";
import { resultSchema } from "../../core/copy/result-schema.ts";
import { startFaultyRegistry } from "../support/faulty-registry.ts";
import { schemaFaults } from "../support/json-schema-check.ts";
import { executable, run, runOnTerminal } from "../support/run.ts";
import { sampleImage, sampleList, writeDirectory, writeLayout } from "../support/sample-images.ts";
import { startRegistry } from "../support/registry-server.ts";
import { addSample } from "../support/push.ts";
import { Scene } from "../support/scene.ts";

const image = sampleImage({ seed: "events", format: "docker", layers: ["gzip", "none"] });

interface Line {
  readonly event: string;
  readonly [member: string]: unknown;
}

/** Returns the lines of a stream, each of which fits the schema. */
function linesIn(text: string): readonly Line[] {
  const lines: Line[] = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
  expect(lines.flatMap((line) => schemaFaults(line, eventSchema()))).toEqual([]);
  expect(lines.at(-1)?.event).toBe("summary");
  return lines;
}

function scene(): Scene {
  const made = new Scene();
  writeDirectory(made.at("image"), image);
  return made;
}

/** Runs a script of the shell, in which the executable is `dray`. */
function shell(here: Scene, script: string) {
  const whole = `dray() { ${executable} --insecure-policy "$@"; }; ${script}`;
  return run(["-c", whole], { cwd: here.path, program: "/bin/sh" });
}

/** Adds up a member of the lines of one event. */
function sum(lines: readonly Line[], event: string, member: string): number {
  return lines
    .filter((line) => line.event === event)
    .reduce((all, line) => all + Number(line[member]), 0);
}

describe("--events", () => {
  test("tells all of a copy in a file, while stdout says what it always says", async () => {
    await using here = scene();
    const plain = await here.dray("copy", "dir:image", "oci:one:1");
    const { code, stdout } = await here.dray(
      ...["copy", "--events", "events.jsonl", "dir:image", "oci:two:1"],
    );
    expect([code, stdout]).toEqual([0, plain.stdout]);
    const lines = linesIn(readFileSync(here.at("events.jsonl"), "utf8"));
    const [first] = lines;
    expect(first).toMatchObject({
      event: "copy-begun",
      source: "dir:image",
      destinations: ["oci:two:1"],
    });
    const summary = lines.at(-1);
    expect(summary?.["bytes"]).toMatchObject({
      read: sum(lines, "blob-moved", "bytes"),
      sent: sum(lines, "blob-ended", "size"),
    });
  });

  test("goes to an open descriptor, and to one of the program's own", async () => {
    await using here = scene();
    const third = await shell(here, "dray copy -q --events fd:3 dir:image oci:a:1 3>&1 >/dev/null");
    expect(linesIn(third.stdout).length).toBeGreaterThan(5);
    const first = await shell(here, "dray copy --events fd:1 dir:image oci:b:1 2>said");
    expect(linesIn(first.stdout).length).toBeGreaterThan(5);
    expect(readFileSync(here.at("said"), "utf8")).toContain("Writing manifest to image");
  });

  test("is no failure where the reader has left, and none where the disk is full", async () => {
    await using here = scene();
    const left = await shell(
      here,
      "{ dray copy -q --events fd:3 dir:image oci:a:1 3>&1 >&2; echo $? >code; } | head -c 20",
    );
    expect(left.stderr).toBe("");
    expect(readFileSync(here.at("code"), "utf8")).toBe("0\n");
    const full = await here.dray("copy", "-q", "--events", "/dev/full", "dir:image", "oci:b:1");
    expect(full.code).toBe(0);
    expect(full.stderr.match(/Cannot write any more events/g)).toHaveLength(1);
  });

  test("is refused before anything is written where it cannot be had", async () => {
    await using here = scene();
    for (const target of ["fd:77", "no/such/directory/events"]) {
      const { code, stderr } = await here.dray(
        ...["copy", "--events", target, "dir:image", "oci:there:1"],
      );
      expect(code).toBe(1);
      expect(stderr).toContain("Cannot write events to");
    }
    expect(existsSync(here.at("there"))).toBe(false);
  });

  test("waits for the reader of a pipe, and gives that up when it is told to", async () => {
    await using here = scene();
    const read = "mkfifo pipe; dray copy -q --events pipe dir:image oci:a:1 & cat pipe; wait $!";
    expect(linesIn((await shell(here, read)).stdout).length).toBeGreaterThan(5);
    const alone = await here.dray(
      ...["--command-timeout", "300ms", "copy", "--events", "pipe", "dir:image", "oci:b:1"],
    );
    expect(alone.code).toBe(1);
    expect(alone.wallMs).toBeLessThan(5000);
  });

  test("tells of each image of a list, and of what the policy said", async () => {
    await using here = new Scene();
    const list = sampleList({ seed: "events" });
    writeLayout(here.at("list"), { "1": list });
    await here.dray("copy", "-q", "--all", "--events", "events", "oci:list:1", "dir:there");
    const lines = linesIn(readFileSync(here.at("events"), "utf8"));
    const written = lines.filter(({ event }) => event === "manifest-written");
    expect(written.map(({ of, digest, instance }) => [of, digest, instance])).toEqual([
      ...list.images.map(({ manifest }, index) => ["image", manifest.digest, index]),
      ["list", list.manifest.digest, undefined],
    ]);
  });
});

describe("a copy that has trouble", () => {
  test.each([
    ["blob-503", "request", "HTTP status 503"],
    ["cut-half", "download", ""],
    ["wait-seconds", "request", "HTTP status 429"],
  ] as const)("says what it tries again, and why: %s", async (fault, what, reason) => {
    await using here = new Scene();
    await using faulty = await startFaultyRegistry();
    const { code } = await here.dray(
      ...["copy", "-q", "--events", "events", "--src-tls-verify=false"],
      ...[`docker://${faulty.name(fault)}`, "dir:there"],
    );
    expect(code).toBe(0);
    const lines = linesIn(readFileSync(here.at("events"), "utf8"));
    const [retry] = lines.filter(({ event }) => event === "retry");
    expect(retry).toMatchObject({ what, side: "source", waitMs: expect.any(Number) });
    expect(String(retry?.["reason"])).toContain(reason);
    const retries = lines.filter(({ event }) => event === "retry").length;
    expect(lines.at(-1)?.["retries"]).toBe(retries);
  });

  test.each(["patch-503", "commit-500", "put-503"] as const)(
    "says of the destination what it tries again: %s",
    async (fault) => {
      await using here = scene();
      await using faulty = await startFaultyRegistry();
      const { code } = await here.dray(
        ...["copy", "-q", "--events", "events", "--dest-tls-verify=false"],
        ...["dir:image", `docker://${faulty.name(fault)}`],
      );
      expect(code).toBe(0);
      const lines = linesIn(readFileSync(here.at("events"), "utf8"));
      const retries = lines.filter(({ event }) => event === "retry");
      expect(retries.length).toBeGreaterThan(0);
      expect(retries[0]).toMatchObject({ side: "destination", waitMs: expect.any(Number) });
      expect(String(retries[0]?.["reason"])).toMatch(/50[03]/);
    },
  );

  test("says which of several destinations failed, and that the others did not", async () => {
    await using here = scene();
    const { code, stdout } = await here.dray(
      ...["copy", "--output", "json", "--events", "events", "--dest-tls-verify=false"],
      ...["dir:image", "oci:there:1", "--also", "docker://127.0.0.1:1/a", "--also", "dir:too"],
    );
    expect(code).toBe(3);
    const result = JSON.parse(stdout);
    expect(schemaFaults(result, resultSchema())).toEqual([]);
    expect(result).toMatchObject({ ok: false, failure: { code: "incomplete" } });
    const [copy] = result.copies;
    expect(copy.destinations.map(({ ok }: { ok: boolean }) => ok)).toEqual([true, false, true]);
    expect(copy.destinations[1].failure.message).toContain("connection refused");
    expect(result.summary).toMatchObject({ copies: 2, failures: 1 });
    const lines = linesIn(readFileSync(here.at("events"), "utf8"));
    const size = [...image.layers, image.config].reduce((all, { bytes }) => all + bytes.length, 0);
    expect(result.summary.bytes.read).toBe(size);
    expect(sum(lines, "blob-moved", "bytes")).toBeGreaterThan(size);
  });

  test("says of a blob that it is read once more", async () => {
    await using here = new Scene();
    await using faulty = await startFaultyRegistry();
    await here.dray(
      ...["copy", "-q", "--events", "events", "--src-tls-verify=false"],
      ...[`docker://${faulty.name("flip-once")}`, "dir:there"],
    );
    const lines = linesIn(readFileSync(here.at("events"), "utf8"));
    const [restarted] = lines.filter(({ event }) => event === "blob-restarted");
    expect(String(restarted?.["reason"])).toContain("Digest did not match");
  });

  test("says how often the command was repeated, and what it failed with in the end", async () => {
    await using here = scene();
    const { code, stdout, stderr } = await here.dray(
      ...["copy", "--retry-times", "2", "--retry-delay", "10ms", "--output", "json"],
      ...["--events", "events", "--dest-tls-verify=false", "dir:image", "docker://127.0.0.1:1/a"],
    );
    expect(code).toBe(1);
    const lines = linesIn(readFileSync(here.at("events"), "utf8"));
    const names = lines.map(({ event }) => event);
    expect(names.filter((name) => name === "copy-begun")).toHaveLength(3);
    expect(names.filter((name) => name === "copy-failed")).toHaveLength(3);
    expect(names.slice(-2)).toEqual(["failed", "summary"]);
    const commands = lines.filter(({ what }) => what === "command");
    expect(commands).toHaveLength(2);
    expect(Number(commands[0]?.["waitMs"])).toBeWithin(10, 12);
    const result = JSON.parse(stdout);
    expect(schemaFaults(result, resultSchema())).toEqual([]);
    expect(result).toMatchObject({ ok: false, copies: [{ ok: false, attempts: 3 }] });
    expect(stderr).toContain(result.failure.message.slice(0, 40));
  }, 120_000);
});

describe("--output json", () => {
  test("prints the result to stdout alone, and the digest that is written down", async () => {
    await using here = scene();
    const { code, stdout, stderr } = await here.dray(
      ...["copy", "--output", "json", "--digestfile", "digest", "dir:image", "oci:there:1"],
    );
    expect(code).toBe(0);
    const result = JSON.parse(stdout);
    expect(schemaFaults(result, resultSchema())).toEqual([]);
    const [there] = result.copies[0].destinations;
    expect(there.digest).toBe(readFileSync(here.at("digest"), "utf8"));
    expect(stderr).toContain("Writing manifest to image destination");
    const again = await here.dray("copy", "-q", "--output=json", "dir:image", "oci:there:1");
    expect(again.stderr).toBe("");
    const { blobs } = JSON.parse(again.stdout).summary;
    expect(blobs.reused).toBeGreaterThan(0);
  });

  test.each([
    ["--output json and --events", ["--output", "json", "--events", "fd:1"], "oci:there:1"],
    ["the image and --output json", ["--output", "json"], "docker-archive:-:a:1"],
    ["the image and --events", ["--events", "fd:1"], "oci-archive:-"],
  ])("is refused where it would not be alone: %s", async (takers, flags, to) => {
    await using here = scene();
    const { code, stdout, stderr } = await here.dray("copy", ...flags, "dir:image", to);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(`Only one of ${takers} can have standard output`);
  });

  test("fails where stdout cannot be written", async () => {
    await using here = scene();
    const { code, stderr } = await shell(
      here,
      "dray copy --output json dir:image oci:there:1 >/dev/full",
    );
    expect(code).toBe(1);
    expect(stderr).toContain("Cannot write to standard output");
  });
});

describe("sync", () => {
  test("prints what became of each image, and tells them apart in its events", async () => {
    await using here = new Scene();
    await using registry = startRegistry();
    for (const tag of ["1", "2"]) {
      const sample = sampleImage({ seed: `sync ${tag}` });
      addSample(registry.repository("from/here"), tag, sample);
    }
    const sync = async () => {
      const { code, stdout } = await here.dray(
        ...[
          "sync",
          "--src",
          "docker",
          "--dest",
          "docker",
          "--output",
          "json",
          "--events",
          "events",
        ],
        ...["--src-tls-verify=false", "--dest-tls-verify=false"],
        ...[`${registry.host}/from/here`, `${registry.host}/to`],
      );
      expect(code).toBe(0);
      const result = JSON.parse(stdout);
      expect(schemaFaults(result, resultSchema())).toEqual([]);
      return result;
    };
    const first = await sync();
    expect(first.command).toBe("sync");
    const sources = [1, 2].map((tag) => `docker://${registry.host}/from/here:${tag}`);
    const named = (result: { copies: { source: string }[] }) =>
      result.copies.map(({ source }) => source).sort();
    expect(named(first)).toEqual(sources);
    expect(first.summary).toMatchObject({ copies: 2, manifests: 2 });
    const lines = linesIn(readFileSync(here.at("events"), "utf8"));
    expect(new Set(lines.map(({ copy }) => copy))).toEqual(new Set([0, 1, undefined]));

    const second = await sync();
    expect(named(second)).toEqual(sources);
    const there = second.copies.map(
      (copy: { destinations: { present: boolean; digest: string }[] }) => copy.destinations[0],
    );
    expect(there).toMatchObject([{ present: true }, { present: true }]);
    expect(second.summary).toMatchObject({ copies: 2, manifests: 0, bytes: { read: 0 } });
  });
});

describe("--progress", () => {
  test("json tells events on stderr, and nothing on stdout", async () => {
    await using here = scene();
    const { stdout, stderr } = await here.dray(
      ...["copy", "--progress", "json", "dir:image", "oci:there:1"],
    );
    expect(stdout).toBe("");
    expect(linesIn(stderr).length).toBeGreaterThan(5);
  });

  test("plain keeps the lines on stdout, and sums up on stderr", async () => {
    await using here = scene();
    const auto = await here.dray("copy", "dir:image", "oci:one:1");
    const plain = await here.dray("copy", "--progress", "plain", "dir:image", "oci:two:1");
    expect(plain.stdout).toBe(auto.stdout);
    expect(auto.stderr).toBe("");
    expect(plain.stderr).toMatch(/^\S+ moved in 3 blobs, .* s\n$/);
  });

  test("none, and --quiet with any kind, say nothing", async () => {
    await using here = scene();
    for (const flags of [["--progress", "none"], ["-q", "--progress", "json"], ["-q"]]) {
      const { code, stdout, stderr } = await here.dray("copy", ...flags, "dir:image", "dir:there");
      expect([code, stdout, stderr]).toEqual([0, "", ""]);
    }
  });

  test("draws no bars on a terminal that cannot, nor where it is plain", async () => {
    await using here = scene();
    const args = ["--insecure-policy", "copy", "dir:image", "oci:there:1"];
    const dumb = await runOnTerminal(args, { cwd: here.path, env: { TERM: "dumb" } });
    expect(dumb.drawn).toContain("Copying blob sha256:");
    expect(dumb.drawn).not.toContain("\u001b[");
    const plain = await runOnTerminal([...args, "--progress=plain"], { cwd: here.path });
    expect(plain.drawn).toContain("Copying blob sha256:");
    expect(plain.drawn).not.toContain("\u001b[");
  });
});

test("schema prints what the streams are checked against", async () => {
  await using here = new Scene();
  expect(JSON.parse((await here.dray("schema", "events")).stdout)).toEqual(eventSchema());
  expect(JSON.parse((await here.dray("schema", "result")).stdout)).toEqual(resultSchema());
});
