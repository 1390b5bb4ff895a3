// The schema command: what the program says about its own JSON.

import { describe, expect, test } from "bun:test";

import { schema } from "../../../cli/commands/schema.ts";
import { runSource } from "../../support/run-source.ts";
import { failureOfTool } from "../../support/tool-call.ts";

describe("schema", () => {
  test.each(["deletion", "events", "plan", "result"])("prints that of %s", async (name) => {
    const { code, stdout } = await runSource(["schema", name]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).$schema).toBe("https://json-schema.org/draft/2020-12/schema");
  });

  test.each([[[]], [["x"]], [["events", "result"]], [["constructor"]]])(
    "refuses %j",
    async (words) => {
      expect((await failureOfTool(schema, words)).failure).toMatchObject({
        code: "usage",
        message: "Exactly one argument expected: deletion, events, plan or result",
      });
    },
  );
});
