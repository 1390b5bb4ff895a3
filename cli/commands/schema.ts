// dray schema: what the JSON that this program writes looks like.

import { eventSchema } from "../../core/copy/event-schema.ts";
import { resultSchema } from "../../core/copy/result-schema.ts";
import { Failure } from "../../core/failure.ts";
import type { JsonObject } from "../../core/json.ts";
import { defineTool } from "../command.ts";
import { print } from "../output/print.ts";

const schemas: Readonly<Record<string, () => JsonObject>> = {
  events: eventSchema,
  result: resultSchema,
};

/** Prints the JSON schema of what `--events` writes, or of what `--output json` prints. */
export const schema = defineTool({
  name: "schema",
  usage: "schema events|result",
  summary: "Print the JSON schema of --events, or of --output json",
  examples: ["schema events", "schema result"],
  flags: {},
  async run({ operands }) {
    const [name = ""] = operands;
    const make = Object.hasOwn(schemas, name) ? schemas[name] : undefined;
    if (make === undefined || operands.length !== 1) {
      throw new Failure("usage", "Exactly one argument expected: events or result");
    }
    await print(`${JSON.stringify(make(), undefined, 2)}\n`);
  },
});
