import { describe, expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { testWith } from "../support/needs.ts";
import { RootlessUser, rootlessNeeds } from "../support/rootless.ts";
import { Workspace } from "../support/workspace.ts";

/** A program that runs its words in a namespace, as the command line does. */
const runner = `
  import { runInUserNamespace } from "${join(import.meta.dir, "../../cli/user-namespace/run-in-user-namespace.ts")}";
  process.exitCode = await runInUserNamespace({
    command: process.argv.slice(2),
    variables: process.env,
    userId: process.getuid(),
    groupId: process.getgid(),
    warn: (message) => console.error(message),
    signal: new AbortController().signal,
    endedBy: () => 15,
  });
`;

async function runIn(workspace: Workspace, ids: "sub-ids" | "own-id", script: string) {
  await Bun.write(workspace.at("runner.ts"), runner);
  const user = new RootlessUser(workspace, ids);
  const words = [process.execPath, workspace.at("runner.ts"), "/bin/sh", "-c", script];
  return await user.run(words, { cwd: workspace.path });
}

describe("runInUserNamespace", () => {
  testWith(...rootlessNeeds)("makes somebody root, with ids to give away", async () => {
    using workspace = new Workspace();
    const { code, stdout, stderr } = await runIn(
      workspace,
      "sub-ids",
      'id -u; id -g; sed "s/  */ /g" /proc/self/uid_map; echo $_CONTAINERS_ROOTLESS_UID; touch x; chown 5:6 x; exit 7',
    );
    expect([code, stderr]).toEqual([7, ""]);
    expect(stdout.split("\n").map((line) => line.trim())).toEqual([
      "0",
      "0",
      "0 47110 1",
      "1 4711000 65536",
      "47110",
      "",
    ]);
    expect(await Bun.file(workspace.at("x")).stat()).toMatchObject({
      uid: 4_711_004,
      gid: 4_711_005,
    });
  });

  testWith(...rootlessNeeds)("passes on what was opened for the program, and named", async () => {
    using workspace = new Workspace();
    await Bun.write(workspace.at("runner.ts"), runner);
    const user = new RootlessUser(workspace, "own-id");
    const inside = ["/bin/sh", "-c", "echo a >&3; echo b >&5; cat /dev/fd/6"];
    const named = ["sh", "--events", "fd:3", "key:fd=5", "docker-archive:/dev/fd/6:a:1"];
    const words = [process.execPath, workspace.at("runner.ts"), ...inside, ...named];
    const outside = 'exec "$@" 3>three 5>five 6</etc/hostname';
    const { code, stdout } = await user.run(["/bin/sh", "-c", outside, "sh", ...words], {
      cwd: workspace.path,
    });
    expect([code, stdout]).toEqual([0, readFileSync("/etc/hostname", "utf8")]);
    const written = ["three", "five"].map((name) => readFileSync(workspace.at(name), "utf8"));
    expect(written).toEqual(["a\n", "b\n"]);
  });

  testWith(...rootlessNeeds)("does with one id where no others are set aside", async () => {
    using workspace = new Workspace();
    const { code, stdout, stderr } = await runIn(
      workspace,
      "own-id",
      'id -u; sed "s/  */ /g" /proc/self/uid_map',
    );
    expect(code).toBe(0);
    expect(stdout.split("\n").map((line) => line.trim())).toEqual(["0", "0 47110 1", ""]);
    expect(stderr).toBe(
      'Found no UID ranges set aside for user "somebody" in /etc/subuid.\n' +
        'Found no GID ranges set aside for user "somebody" in /etc/subgid.\n',
    );
  });
});
