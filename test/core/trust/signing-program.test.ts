import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";

import { limits } from "../../../core/limits.ts";
import { findProgram, runProgram } from "../../../core/trust/signing-program.ts";
import { surroundingsWith } from "../../support/fake-program.ts";
import { failureOf } from "../../support/failure-of.ts";
import { Workspace } from "../../support/workspace.ts";

const input = Buffer.from("document");
const call = { program: "fake", args: [], input };

describe("runProgram", () => {
  test("gives a program its input, and returns what it says", async () => {
    using workspace = new Workspace();
    const surroundings = surroundingsWith(workspace, "fake", `cat; echo "$@" >&2; exit 3`);
    const args = ["--user", "$(x) `y`", "a b"];
    const { exitCode, output, said } = await runProgram({ ...call, args }, surroundings);
    expect({ exitCode, output: Buffer.from(output).toString(), said }).toEqual({
      exitCode: 3,
      output: "document",
      said: "--user $(x) `y` a b\n",
    });
  });

  test("tells it a line on descriptor 3, and nowhere else", async () => {
    using workspace = new Workspace();
    const script = `read line <&3; printf %s "$line"; printf %s "$*$(env)" | grep -c secret >&2`;
    const surroundings = surroundingsWith(workspace, "fake", script);
    const extra = { kind: "line", text: "secret" } as const;
    const { output, said } = await runProgram({ ...call, extra }, surroundings);
    expect(Buffer.from(output).toString()).toBe("secret");
    expect(said).toBe("0\n");
  });

  test("gives it a file as descriptor 3, of which nothing is left", async () => {
    using workspace = new Workspace();
    const script = `cat; cat /dev/fd/3; ls "$HERE" >&2`;
    const surroundings = surroundingsWith(workspace, "fake", script);
    const extra = { kind: "file", content: Buffer.from(" and file") } as const;
    const { output, said } = await runProgram({ ...call, extra }, surroundings);
    expect(Buffer.from(output).toString()).toBe("document and file");
    expect(said).toBe("bin\n");
    expect(readdirSync(workspace.path)).toEqual(["bin"]);
  });

  test("does not mind a program that wants to know nothing", async () => {
    using workspace = new Workspace();
    const surroundings = surroundingsWith(workspace, "fake", "exec 3<&-; exit 0");
    const extra = { kind: "line", text: "secret" } as const;
    expect(await runProgram({ ...call, extra }, surroundings)).toMatchObject({ exitCode: 0 });
  });

  test("P1: ends a program that has too much to say", async () => {
    using workspace = new Workspace();
    const surroundings = surroundingsWith(workspace, "fake", "exec cat /dev/zero");
    await expect(runProgram(call, surroundings)).rejects.toThrow(
      `exceeded maximum allowed size of ${limits.signatureBytes} bytes`,
    );
  });

  test("ends a program when the user has had enough", async () => {
    using workspace = new Workspace();
    const abort = new AbortController();
    const surroundings = surroundingsWith(workspace, "fake", "exec sleep 60", abort.signal);
    const running = runProgram(call, surroundings);
    setTimeout(() => abort.abort(), 20);
    await expect(running).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("findProgram", () => {
  test("B3: finds programs in absolute directories only", async () => {
    using workspace = new Workspace();
    const { environment } = surroundingsWith(workspace, "fake", "exit 0");
    expect(findProgram("fake", environment)).toBe(workspace.at("bin", "fake"));
    for (const PATH of ["", ".", "bin", "/nowhere"]) {
      const variables = { ...environment.variables, PATH };
      expect(failureOf(() => findProgram("fake", { ...environment, variables }))).toMatchObject({
        code: "config",
        message: `exec: "fake": executable file not found in $PATH`,
      });
    }
  });
});
