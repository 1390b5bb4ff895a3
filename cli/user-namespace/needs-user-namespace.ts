// Who needs a user namespace: those who touch a store of engines, and are not root.

import { existsSync, readFileSync } from "node:fs";
import type { Environment } from "../../core/environment.ts";
import { mayUnpack } from "./capabilities.ts";

/** Commands that open images, as the original has it: others leave such names alone. */
const commands: ReadonlySet<string> = new Set(["copy", "delete", "inspect", "layers"]);

/**
 * Tells whether a command has to run in a user namespace: because of the files of one of the images it
 * names, unless it runs in one already, or as somebody who may do everything.
 */
export function needsUserNamespace(
  { command, operands }: { readonly command: string; readonly operands: readonly string[] },
  { userId, variables }: Environment,
  status: () => string = ownStatus,
): boolean {
  if (!commands.has(command)) return false;
  if (!operands.some((each) => each.startsWith("containers-storage:"))) return false;
  if (userId === 0 && Number(variables["_CONTAINERS_ROOTLESS_UID"] ?? "") > 0) return false;
  const said = status();
  return said !== "" && !mayUnpack(said);
}

/** Empty where the system is not Linux, and has no such stores either. */
function ownStatus(): string {
  const path = "/proc/self/status";
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}
