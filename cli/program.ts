// The program: the name it goes by.

import { basename } from "node:path";

/** The name the program was called by. It answers to both. */
export type Program = "dray" | "skopeo";

/** Returns the name behind the word that the program was called by, which may be a path. */
export function programCalled(word: string): Program {
  return basename(word) === "skopeo" ? "skopeo" : "dray";
}
