// policy init: a policy to start from.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

import { locate, policyFile } from "../../core/config/locations.ts";
import { asFailure, during, Failure } from "../../core/failure.ts";
import type { Call } from "../command.ts";
import { print } from "../output/print.ts";

/**
 * Nothing from a registry that is not named, and all that is on this machine already. The first is what
 * has to be added to, so it is there to be copied.
 */
const startingPolicy = {
  default: [{ type: "reject" }],
  transports: {
    docker: { "registry.example.com/team": [{ type: "reject" }] },
    ...Object.fromEntries(
      [
        "containers-storage",
        "dir",
        "docker-archive",
        "docker-daemon",
        "oci",
        "oci-archive",
        "sif",
        "tarball",
      ].map((transport) => [transport, { "": [{ type: "insecureAcceptAnything" }] }]),
    ),
  },
};

/** Writes a policy to start from, and never over something that is there. */
export async function init({ environment, global }: Call, path: string): Promise<void> {
  const location = locate(policyFile, environment, path === "" ? global.policy : path);
  const file = location.kind === "named" ? location.path : location.paths[0];
  if (file === undefined) throw new Failure("usage", "Say where the policy is to be written");
  await during(`Cannot write policy ${JSON.stringify(file)}`, () => {
    if (location.kind === "default") mkdirSync(dirname(file), { recursive: true });
    write(file);
  });
  await print(`Wrote ${file}: registries are closed, add an entry for each that is to be open\n`);
}

function write(file: string): void {
  try {
    writeFileSync(file, `${JSON.stringify(startingPolicy, null, 2)}\n`, {
      flag: "wx",
      mode: 0o644,
    });
  } catch (error) {
    const failure = asFailure(error);
    if (!/file exists/.test(failure.message)) throw failure;
    throw new Failure("refused", "there is one already, and it stays as it is", {
      hint: "name another file, and compare",
      cause: error,
    });
  }
}
