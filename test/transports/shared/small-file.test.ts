import { describe, expect, test } from "bun:test";
import { readFileSync, statSync } from "node:fs";
import { writeSmallFile } from "../../../transports/shared/small-file.ts";
import { Workspace } from "../../support/workspace.ts";

describe("writeSmallFile", () => {
  test.each([true, false])("writes all of it with its mode (on the disk: %p)", (durable) => {
    using workspace = new Workspace();
    const path = workspace.at("file");
    writeSmallFile(path, Buffer.from("content"), { mode: 0o600, durable });
    expect(readFileSync(path, "utf8")).toBe("content");
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("replaces nothing", () => {
    using workspace = new Workspace();
    const path = workspace.at("file");
    writeSmallFile(path, Buffer.from("first"), { mode: 0o600 });
    expect(() => writeSmallFile(path, Buffer.from("second"), { mode: 0o600 })).toThrow(
      expect.objectContaining({ code: "io" }),
    );
    expect(readFileSync(path, "utf8")).toBe("first");
  });
});
