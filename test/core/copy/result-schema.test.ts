import { describe, expect, test } from "bun:test";

import { resultSchema } from "../../../core/copy/result-schema.ts";
import { ResultKeeper, resultVersion } from "../../../core/copy/result.ts";
import { copyBetween, holding } from "../../support/engine.ts";
import { FaultyTransport } from "../../support/faulty.ts";
import { schemaFaults } from "../../support/json-schema-check.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { sampleImage, sampleList } from "../../support/sample-images.ts";

const schema = resultSchema();

describe("resultSchema", () => {
  test.each([
    ["an image", sampleImage({ seed: "result", layers: ["none"] })],
    ["a list", sampleList({ seed: "result" })],
  ])("fits the result of copying %s, wherever that fails", async (_, sample) => {
    const traits = { layers: "compress" } as const;
    for (let at = 1; ; at++) {
      const keeper = new ResultKeeper();
      const into = new FaultyTransport(new MemoryTransport({ traits }), at);
      const tell = keeper.note.bind(keeper);
      await copyBetween(holding(sample), into, { tell, images: "all" }).catch(() => 0);
      if (into.failed) tell({ kind: "failed", code: "io", message: "no", hint: "try" });
      const { result } = keeper;
      const ok = result.failure === undefined;
      const printed = { v: resultVersion, command: "copy", ok, seconds: 0.5, ...result };
      expect(schemaFaults(JSON.parse(JSON.stringify(printed)), schema)).toEqual([]);
      if (!into.failed) break;
    }
  });

  test("does not fit what lacks a member, or has one that is not described", () => {
    expect(schemaFaults({ v: 1 }, schema)).toContain("$: has no copies");
    expect(schemaFaults({ v: 2, more: 1 }, schema)).toContain("$: nobody described more");
  });
});
