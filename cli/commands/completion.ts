// dray completion: scripts that teach a shell the commands and their flags.

import { Failure } from "../../core/failure.ts";
import { listedTransports } from "../../core/image/parse-name.ts";
import { transports } from "../../transports/table.ts";
import { defineTool } from "../command.ts";
import { completions } from "../completion.ts";
import { vocabularyOf } from "../help.ts";
import { print } from "../output/print.ts";

const shells = Object.keys(completions).join("|");

/** Prints the completion script for a shell. */
export const completion = defineTool({
  name: "completion",
  usage: `completion ${shells}`,
  summary: "Generate the autocompletion script for the specified shell",
  examples: ["completion bash"],
  flags: {},
  hidden: true,
  async run({ operands, program, tree }) {
    const [shell] = operands;
    const render =
      shell !== undefined && Object.hasOwn(completions, shell) ? completions[shell] : undefined;
    if (render === undefined || operands.length !== 1) {
      throw new Failure("usage", `Usage: ${program} completion ${shells}`);
    }
    const names = listedTransports(transports);
    const images = names.map((name) => (name === "docker" ? "docker://" : `${name}:`));
    await print(render({ ...(await vocabularyOf(tree)), program, images }));
  },
});
