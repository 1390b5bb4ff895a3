// Helper programs: credential helpers as small real programs, made by the test.

import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Environment } from "../../core/environment.ts";

/** A directory of helpers that can be put on the PATH. */
export interface HelperPrograms {
  /** Such a PATH; shells and their tools are on it, too. */
  readonly path: string;
  /** Makes `docker-credential-NAME`, which runs `script` with its verb in $1 and stdin in $input. */
  add(name: string, script: string): void;
  /** Returns what the helpers were asked so far, as `NAME VERB INPUT`. */
  asked(): readonly string[];
}

/** A helper that keeps what it is given in files below `directory`, one for each server. */
export function keepingScript(directory: string): string {
  return `mkdir -p "${directory}"
case "$1" in
  store) server=$(printf %s "$input" | sed 's/.*"ServerURL":"\\([^"]*\\)".*/\\1/')
         printf %s "$input" > "${directory}/$(printf %s "$server" | tr / _)" ;;
  get) file="${directory}/$(printf %s "$input" | tr / _)"
       if [ -e "$file" ]; then cat "$file"; else echo "credentials not found in native keychain"; exit 1; fi ;;
  erase) rm "${directory}/$(printf %s "$input" | tr / _)" ;;
  list) printf '{'; comma=""; for file in "${directory}"/*; do
          [ -e "$file" ] && printf '%s"%s":"?"' "$comma" "$(basename "$file")" && comma=","
        done; printf '}' ;;
esac`;
}

/** Returns a script that answers every `get` with a name and a secret. */
export function answeringScript(username: string, secret: string): string {
  const answer = JSON.stringify({ ServerURL: "x", Username: username, Secret: secret });
  return `printf %s '${answer}'`;
}

/** Makes a place for helpers in `directory`. */
export function helperPrograms(directory: string): HelperPrograms {
  const log = join(directory, "asked");
  mkdirSync(directory, { recursive: true });
  return {
    path: `${directory}:/usr/local/bin:/usr/bin:/bin`,
    add(name, script) {
      const file = join(directory, `docker-credential-${name}`);
      const lines = ["#!/bin/sh", "input=$(cat)", `echo "${name} $1 $input" >> "${log}"`, script];
      writeFileSync(file, `${lines.join("\n")}\n`);
      chmodSync(file, 0o755);
    },
    asked: () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []),
  };
}

/** Returns the environment of somebody whose home is `home`. */
export function environmentAt(home: string, variables: Environment["variables"] = {}): Environment {
  return { variables, home, userId: 1000, os: "linux", architecture: "amd64" };
}
