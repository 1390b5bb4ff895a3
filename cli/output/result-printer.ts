// The result printer: what a command has done, as JSON on standard output.

import { ResultKeeper, resultVersion } from "../../core/copy/result.ts";
import { encodePretty, harmlessJson } from "./json.ts";
import { print } from "./print.ts";
import type { Progress } from "./progress.ts";

/** Prints the result of the command of that name when it has ended. */
export function resultPrinter(command: string): Progress {
  const keeper = new ResultKeeper();
  let seconds = 0;
  return {
    tell(event) {
      keeper.note(event);
      if (event.kind === "summary") seconds = event.seconds;
    },
    async end() {
      const { result } = keeper;
      const ok = result.failure === undefined;
      const json = encodePretty({ v: resultVersion, command, ok, seconds, ...result });
      await print(harmlessJson(json));
    },
    [Symbol.dispose]: () => {},
  };
}
