// The program: the name it goes by.

/** The name the program was called by. It answers to both. */
export type Program = "dray" | "skopeo";

/** Returns the name behind the word that the program was called by, which may be a path. */
export function programCalled(word: string): Program {
  return `/${word}`.endsWith("/skopeo") ? "skopeo" : "dray";
}
