// dray help: about the program or one of its commands.

import { Failure } from "../../core/failure.ts";
import { defineTool } from "../command.ts";
import { commandHelp, rootHelp, rootUsage } from "../help.ts";
import { print } from "../output/print.ts";

/** Shows help on what is named, or on everything. */
export const help = defineTool({
  name: "help",
  usage: "help [command]",
  summary: "Help about any command",
  examples: ["help", "help copy"],
  flags: {},
  async run({ operands, program, screen, tree }) {
    const [topic] = operands;
    if (topic === undefined) return print(await rootHelp(tree, program));
    if (Object.hasOwn(tree.subCommands, topic)) {
      const tool = await tree.subCommands[topic]?.();
      if (tool === undefined) throw new Failure("bug", `Command ${topic} is not there`);
      return print(commandHelp(tool, program));
    }
    // The original does not count this as a failure; keep.
    const topics = operands.map((word) => `\`${word}\``).join(" ");
    const usage = await rootUsage(tree, program);
    screen.line(`Unknown help topic [${topics}]\n${usage.replace(/\n$/, "")}`);
  },
});
