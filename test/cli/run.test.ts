// One run of the program: streams, exit codes, and how it ends before its time.

import { describe, expect, test } from "bun:test";

import { runSource, startSource, timeless } from "../support/run-source.ts";
import { sampleImage, writeDirectory } from "../support/sample-images.ts";
import { Workspace } from "../support/workspace.ts";

describe("run", () => {
  test("prints the version on stdout, however it is asked for", async () => {
    for (const words of [["--version"], ["-v"], ["--debug", "--version"]]) {
      const { code, stdout, stderr } = await runSource(words);
      expect({ code, stdout, stderr }).toEqual({
        code: 0,
        stdout: "dray version 0.0.0-source\n",
        stderr: "",
      });
    }
  });

  test("prints help that was asked for on stdout, and succeeds", async () => {
    const { code, stdout, stderr } = await runSource(["manifest-digest", "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(`Compute a manifest digest of a file

Usage:
dray manifest-digest MANIFEST-FILE

Examples:
dray manifest-digest manifest.json

Flags:
  -h, --help   help for manifest-digest

`);
  });

  test("prints failures on stderr, with a hint on a line of its own", async () => {
    const { code, stdout, stderr } = await runSource(["copy", "--formt=oci"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(timeless(stderr)).toBe(
      'level=fatal msg="unknown flag: --formt"\nhint: did you mean --format?\n',
    );
  });

  test("shows the whole help where words are too few or too many", async () => {
    const { code, stdout, stderr } = await runSource(["copy", "dir:a"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toStartWith('Container "IMAGE-NAME" uses a "transport":"details" format.\n');
    expect(timeless(stderr)).toEndWith('\n\nlevel=fatal msg="Exactly two arguments expected"\n');
  });

  test.each([
    [[], "Missing command 'dray COMMAND'\\nTry 'dray --help' for more information"],
    [["bogus"], "Unrecognized command `dray bogus`\\nTry 'dray --help' for more information"],
    [
      ["--insecure-policy", "--require-signed"],
      "--insecure-policy and --require-signed are mutually exclusive",
    ],
    [
      ["copy", "--insecure-policy", "--require-signed"],
      "--insecure-policy and --require-signed are mutually exclusive",
    ],
  ])("refuses %j", async (words, message) => {
    const { code, stderr } = await runSource(words);
    expect(code).toBe(1);
    expect(timeless(stderr)).toBe(`level=fatal msg="${message}"\n`);
  });

  test("warns of what is deprecated, and goes on", async () => {
    const { stderr } = await runSource(["--tls-verify=false", "delete"]);
    expect(timeless(stderr)).toBe(
      "level=warning msg=\"'--tls-verify' is deprecated, please set this on the specific subcommand\"\n" +
        'level=fatal msg="Usage: delete imageReference"\n',
    );
  });

  test("shows where a failure came from only with --debug", async () => {
    const words = ["manifest-digest", "/proc/no-such-file"];
    const quiet = await runSource(words);
    const loud = await runSource(["--debug", ...words]);
    expect(timeless(quiet.stderr)).toBe(
      'level=fatal msg="Error reading manifest from /proc/no-such-file: open /proc/no-such-file: no such file or directory"\n',
    );
    expect(loud.stderr).toContain("ENOENT");
    expect(loud.stderr).toMatch(/^ +at /m);
  });

  test("O2: shows no secret of the command line, however much it tells", async () => {
    let seen = "";
    using registry = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch(request) {
        seen += request.headers.get("authorization") ?? "";
        const realm = new URL("/token", request.url);
        const headers = { "www-authenticate": `Bearer realm="${realm}",service="here"` };
        return new Response("go away", { status: 401, headers });
      },
    });
    const image = `docker://127.0.0.1:${registry.port}/a`;
    const basic = btoa("me:pl4nted");
    for (const secret of ["--creds=me:pl4nted", "--registry-token=pl4nted"]) {
      const words = ["--debug", "list-tags", "--tls-verify=false", secret, image];
      const { code, stderr } = await runSource(words);
      expect(code).toBe(1);
      expect(stderr).toContain(`127.0.0.1:${registry.port}`);
      expect(stderr).not.toContain("pl4nted");
      expect(stderr).not.toContain(basic);
    }
    // They were used, that is.
    expect(seen).toContain(`Basic ${basic}`);
    expect(seen).toContain("Bearer pl4nted");
  });

  test("does not mind a reader that has left", async () => {
    const script = `"$0" "$@" | head -c 1 >/dev/null; echo "\${PIPESTATUS[0]}"`;
    const main = `${import.meta.dir}/../../cli/main.ts`;
    const child = Bun.spawn(["bash", "-c", script, process.execPath, main, "copy", "--help"], {
      stdout: "pipe",
      stderr: "pipe",
    });
    expect(await child.stdout.text()).toBe("0\n");
    expect(await child.stderr.text()).toBe("");
  });

  test("says so where the output cannot be written", async () => {
    const main = `${import.meta.dir}/../../cli/main.ts`;
    const script = `"$0" "$@" >/dev/full`;
    const child = Bun.spawn(["bash", "-c", script, process.execPath, main, "copy", "--help"], {
      stderr: "pipe",
    });
    expect(timeless(await child.stderr.text())).toContain(
      "Cannot write to standard output: write: no space left on device",
    );
    expect(await child.exited).toBe(1);
  });
});

describe("ending", () => {
  /** Takes connections and never says a word. */
  function silence() {
    const heard = Promise.withResolvers<void>();
    const server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { data: () => heard.resolve() },
    });
    const image = `docker://127.0.0.1:${server.port}/a/b`;
    return { image, heard: heard.promise, [Symbol.dispose]: () => server.stop(true) };
  }

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("ends on %s with exit code %d", async (signal, exitCode) => {
    using registry = silence();
    const running = startSource(["list-tags", "--tls-verify=false", registry.image]);
    await registry.heard;
    running.kill(signal);
    const { code, stdout, stderr } = await running.done;
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: "" });
    expect(timeless(stderr)).toMatch(new RegExp(`level=fatal msg=".*canceled by ${signal}"\n$`));
  });

  test("ends when its time has passed", async () => {
    using registry = silence();
    const { code, stderr } = await runSource([
      "--command-timeout=200ms",
      "list-tags",
      "--tls-verify=false",
      registry.image,
    ]);
    expect(code).toBe(1);
    expect(timeless(stderr)).toMatch(/context deadline exceeded"\n$/);
  });

  test.each(["0", "-1s"])("has all the time there is with --command-timeout=%s", async (time) => {
    using workspace = new Workspace();
    writeDirectory(workspace.at("image"), sampleImage());
    const { code, stderr } = await runSource([
      `--command-timeout=${time}`,
      "inspect",
      `dir:${workspace.at("image")}`,
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
});
