// Invocations: what a command line asks for, before anything is done.

import { describe, expect, test } from "bun:test";

import { defineTool, defineTree } from "../../cli/command.ts";
import { list, toggle } from "../../cli/flags/flag.ts";
import { missingCommand, parseInvocation, unknownCommand } from "../../cli/invocation.ts";

const loaded: string[] = [];

function toolNamed(name: string, hidden = false) {
  const tool = defineTool({
    name,
    usage: name,
    summary: `Does ${name}`,
    examples: [],
    flags: { all: toggle("all", "All", { shorthand: "a" }), tags: list("tags", "Tags") },
    hidden,
    run: () => {},
  });
  return async () => {
    loaded.push(name);
    return tool;
  };
}

const tree = defineTree({
  copy: toolNamed("copy"),
  "copy-all": toolNamed("copy-all"),
  hidden: toolNamed("hidden", true),
  inspect: toolNamed("inspect"),
});

const parse = (...words: readonly string[]) => parseInvocation(words, "skopeo", tree);

describe("parseInvocation", () => {
  test.each([
    [[], { kind: "nothing" }],
    [["--debug"], { kind: "nothing", global: { debug: true } }],
    [["--version"], { kind: "version" }],
    [["-v"], { kind: "version" }],
    [["--version", "bogus"], { kind: "version" }],
    [["--version", "--help"], { kind: "root-help" }],
    [["-vh"], { kind: "root-help" }],
    [["--help", "copy"], { kind: "root-help" }],
    [["--help", "bogus"], { kind: "root-help" }],
    [["bogus", "copy"], { kind: "unknown", word: "bogus" }],
    [["--", "copy"], { kind: "unknown", word: "copy" }],
    [["copy"], { kind: "tool", operands: [], flags: { all: false } }],
    [["--version", "copy", "a"], { kind: "tool", operands: ["a"] }],
    [["copy", "a", "-a", "b"], { kind: "tool", operands: ["a", "b"], flags: { all: true } }],
    [["copy", "inspect"], { kind: "tool", operands: ["inspect"] }],
    [["copy", "--help", "x"], { kind: "help" }],
    [["copy", "-ah"], { kind: "help" }],
    [["copy", "--", "--help"], { kind: "tool", operands: ["--help"] }],
    [["--policy", "copy", "inspect"], { kind: "tool", operands: [], global: { policy: "copy" } }],
    [["--policy=a", "copy", "--policy=b"], { kind: "tool", global: { policy: "b" } }],
    [
      ["copy", "x", "--debug", "y"],
      { kind: "tool", operands: ["x", "y"], global: { debug: true } },
    ],
    [["--debug", "copy", "--debug=false"], { kind: "tool", global: { debug: false } }],
    [["--tls-verify=false", "copy"], { kind: "tool", global: { tlsVerify: false } }],
    [["copy", "--tmpdir=/x"], { kind: "tool", global: { temporaryDirectory: "/x" } }],
  ])("understands %j", async (words, invocation) => {
    expect(await parse(...words)).toMatchObject(invocation);
  });

  test.each([
    [["--bogus"], "unknown flag: --bogus"],
    [["--bogus", "copy"], "unknown flag: --bogus"],
    [["bogus", "--foo"], "unknown flag: --foo"],
    [["--all", "copy"], "unknown flag: --all"],
    // Known before the command only.
    [["copy", "--version"], "unknown flag: --version"],
    [["copy", "--tls-verify"], "unknown flag: --tls-verify"],
    [["copy", "--help", "--bogus"], "unknown flag: --bogus"],
    [["copy", "--policy"], "flag needs an argument: --policy"],
    [
      ["--command-timeout", "5", "copy"],
      'invalid argument "5" for "--command-timeout" flag: time: missing unit in duration "5"',
    ],
  ])("refuses %j", async (words, message) => {
    expect(parse(...words)).rejects.toMatchObject({ code: "usage", message });
  });

  test("is not led astray by names that every object has", async () => {
    for (const word of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
      expect(await parse(word)).toMatchObject({ kind: "unknown", word });
    }
  });

  test("loads the command that is meant, and no other", async () => {
    loaded.length = 0;
    await parse("inspect", "copy");
    expect(loaded).toEqual(["inspect"]);
  });
});

describe("missingCommand", () => {
  test("says where help is, under the name the program was called by", () => {
    expect(missingCommand("skopeo").message).toBe(
      "Missing command 'skopeo COMMAND'\nTry 'skopeo --help' for more information",
    );
    expect(missingCommand("dray").message).toBe(
      "Missing command 'dray COMMAND'\nTry 'dray --help' for more information",
    );
  });
});

describe("unknownCommand", () => {
  const suggesting = (...names: string[]) =>
    `\n\nDid you mean this?\n${names.map((name) => `\t${name}\n`).join("")}`;
  test.each([
    ["bogus", ""],
    ["cpoy", suggesting("copy")],
    ["COPI", suggesting("copy")],
    ["co", suggesting("copy", "copy-all")],
    ["insp", suggesting("inspect")],
    ["hidde", ""],
  ])("answers %s", async (word, suggestions) => {
    const { message } = await unknownCommand(word, "skopeo", tree);
    expect(message).toBe(
      `Unrecognized command \`skopeo ${word}\`${suggestions}\nTry 'skopeo --help' for more information`,
    );
  });
});
