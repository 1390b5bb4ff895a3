// Rootless: programs run by a user of the test's own, whom the machine has never heard of.

import { chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type RunOptions, type RunResult, type Running, start } from "./run.ts";
import type { Workspace } from "./workspace.ts";

/** What tests of this kind ask for. */
export const rootlessNeeds = ["root", "unshare", "setpriv", "newuidmap"] as const;

const userId = 47_110;

/** How that user runs a program. */
type UserOptions = Omit<RunOptions, "program">;

/** A user without privileges, and with ids to give away. */
export class RootlessUser {
  readonly #place: Workspace;
  readonly userId = userId;
  readonly firstSubId = 4_711_000;

  /** Makes the user; `ids` is whether ids are set aside, and `place` becomes the user's own. */
  constructor(place: Workspace, ids: "sub-ids" | "own-id" = "sub-ids") {
    this.#place = place;
    const line = ids === "sub-ids" ? `somebody:${this.firstSubId}:65536\n` : "";
    const users = readFileSync("/etc/passwd", "utf8");
    const entry = `somebody:x:${userId}:${userId}::${place.path}:/bin/sh\n`;
    writeFileSync(place.at("passwd"), `${users}${entry}`);
    writeFileSync(place.at("subuid"), line);
    writeFileSync(place.at("subgid"), line);
    for (const each of ["", "run", "home"]) {
      if (each !== "") mkdirSync(place.at(each));
      chownSync(place.at(each), userId, userId);
    }
  }

  /** Runs a program to its end as `start` starts it. */
  run(words: readonly string[], options: UserOptions = { cwd: "/" }): Promise<RunResult> {
    return this.start(words, options).done;
  }

  /** Starts a program as that user, with mounts that end with it. */
  start(words: readonly string[], options: UserOptions): Running {
    const binds = ["passwd", "subuid", "subgid"].map(
      (each) => `mount --bind ${this.#place.at(each)} /etc/${each}`,
    );
    const script = [
      "set -e",
      ...binds,
      `exec setpriv --reuid ${userId} --regid ${userId} --clear-groups --inh-caps=-all "$@"`,
    ].join("\n");
    const apart = ["--mount", "--propagation=private", "--", "/bin/sh", "-c", script, "sh"];
    return start([...apart, ...words], {
      ...options,
      env: {
        HOME: this.#place.at("home"),
        XDG_RUNTIME_DIR: this.#place.at("run"),
        _CONTAINERS_ROOTLESS_UID: "",
        ...options.env,
      },
      program: "unshare",
    });
  }

  /** Ends on disposal the process that podman leaves to hold its mounts. */
  withPodman(): Disposable {
    return {
      [Symbol.dispose]: () => {
        const path = this.#place.at("run/libpod/tmp/pause.pid");
        if (existsSync(path)) process.kill(Number(readFileSync(path, "utf8")));
      },
    };
  }
}
