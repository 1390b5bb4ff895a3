// policy lint: what in a policy means something else than somebody may think.

import { realpathSync } from "node:fs";

import { locate, policyFile } from "../../core/config/locations.ts";
import { noPolicyFile, readPolicyFile } from "../../core/config/policy-file.ts";
import { Failure } from "../../core/failure.ts";
import { parsePolicy } from "../../core/trust/policy.ts";
import { transports } from "../../transports/table.ts";
import type { Call } from "../command.ts";
import { print } from "../output/print.ts";

/** Looks through a policy, and fails if there is an error in it. */
export async function lint(call: Call, path: string): Promise<void> {
  const { environment, global } = call;
  const { lintPolicy } = await import("../../core/trust/policy-lint.ts");
  const location = locate(policyFile, environment, path === "" ? global.policy : path);
  const found = await readPolicyFile(location, (bytes) => parsePolicy(bytes, transports));
  if (found === undefined) {
    throw new Failure("config", `There is nothing to look at: ${noPolicyFile(location)}`);
  }
  const findings = await lintPolicy(found.policy, {
    transports: Object.keys(transports),
    now: new Date(),
    realPath,
  });
  const lines = findings.map(
    ({ severity, where, message }) => `${found.file}: ${where}: ${severity}: ${message}\n`,
  );
  await print(lines.join(""));
  const errors = findings.filter(({ severity }) => severity === "error").length;
  if (errors === 0) return;
  throw new Failure("config", `${errors} ${errors === 1 ? "error" : "errors"} in ${found.file}`);
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
