// dray schema: what the JSON that this program writes looks like.

import { deletionSchema } from "../../core/copy/deletion-schema.ts";
import { eventSchema } from "../../core/copy/event-schema.ts";
import { forecastSchema } from "../../core/copy/forecast-schema.ts";
import { resultSchema } from "../../core/copy/result-schema.ts";
import { Failure } from "../../core/failure.ts";
import type { JsonObject } from "../../core/json.ts";
import { defineTool } from "../command.ts";
import { print } from "../output/print.ts";

const schemas: Readonly<Record<string, () => JsonObject>> = {
  deletion: deletionSchema,
  events: eventSchema,
  plan: forecastSchema,
  result: resultSchema,
};

/** Prints the JSON schema of what `--events` writes, or of what `--output json` prints, dry runs included. */
export const schema = defineTool({
  name: "schema",
  usage: "schema deletion|events|plan|result",
  summary: "Print the JSON schema of --events, of --dry-run or of --output json",
  examples: ["schema events", "schema plan", "schema result", "schema deletion"],
  flags: {},
  async run({ operands }) {
    const [name = ""] = operands;
    const make = Object.hasOwn(schemas, name) ? schemas[name] : undefined;
    if (make === undefined || operands.length !== 1) {
      throw new Failure("usage", "Exactly one argument expected: deletion, events, plan or result");
    }
    await print(`${JSON.stringify(make(), undefined, 2)}\n`);
  },
});
