// The grammar of a command line: every spelling, and every sentence the original has for what is none.

import { describe, expect, test } from "bun:test";
import {
  duration,
  flagsIn,
  integer,
  list,
  maybeText,
  maybeToggle,
  text,
  toggle,
  unsigned,
} from "../../../cli/flags/flag.ts";
import { imageFlags } from "../../../cli/flags/image.ts";
import { Given, parseWords } from "../../../cli/flags/parse.ts";
import { Failure } from "../../../core/failure.ts";
import { failureOf } from "../../support/failure-of.ts";

const group = {
  all: toggle("all", "Copy all", { shorthand: "a" }),
  quiet: toggle("quiet", "Say nothing", { shorthand: "q" }),
  verify: maybeToggle("tls-verify", "Verify"),
  format: maybeText("format", "Format", { shorthand: "f" }),
  policy: text("policy", "Policy"),
  tags: list("additional-tag", "Tags"),
  timeoutMs: duration("command-timeout", "Timeout"),
  times: integer("retry-times", "Times"),
  copies: unsigned("copies", "Copies"),
  secret: toggle("secretive", "Hidden", { hidden: true }),
  source: imageFlags("src-"),
};

function parse(words: readonly string[], leading = false) {
  const given = new Given();
  const operands = parseWords(words, { flags: flagsIn(group), leading }, given);
  return { operands, values: given.valuesOf(group) };
}

describe("parseWords", () => {
  test("leaves everything at rest when nothing is said", () => {
    const { operands, values } = parse([]);
    expect(operands).toEqual([]);
    expect(values).toMatchObject({ all: false, policy: "", tags: [], timeoutMs: 0, times: 0 });
    expect(values.verify).toBeUndefined();
    expect(values.format).toBeUndefined();
    expect(values.source.creds).toBeUndefined();
  });

  test.each([
    ["a value behind an equals sign", ["--policy=x"], { policy: "x" }],
    ["a value in the next word", ["--policy", "x"], { policy: "x" }],
    ["a value that looks like a flag", ["--policy", "--all"], { policy: "--all", all: false }],
    ["a value with an equals sign", ["--policy=a=b"], { policy: "a=b" }],
    ["an empty value", ["--policy="], { policy: "" }],
    ["an empty value where absent is another thing", ["--format="], { format: "" }],
    ["a lone dash as a value", ["--policy", "-"], { policy: "-" }],
    ["a toggle alone", ["--all"], { all: true }],
    ["a toggle switched off", ["--all=false"], { all: false }],
    ["a toggle switched off by a digit", ["--tls-verify=0"], { verify: false }],
    ["a toggle of three states, alone", ["--tls-verify"], { verify: true }],
    ["letters together", ["-aq"], { all: true, quiet: true }],
    ["a letter with its value attached", ["-foci"], { format: "oci" }],
    ["a letter with its value behind an equals sign", ["-f=oci"], { format: "oci" }],
    ["a letter with its value in the next word", ["-f", "oci"], { format: "oci" }],
    ["a last letter that takes a value", ["-aqf", "oci"], { all: true, format: "oci" }],
    ["a value that looks like letters", ["-fq"], { format: "q", quiet: false }],
    ["a value that begins with an equals sign", ["-f==x"], { format: "=x" }],
    ["a value that is an equals sign", ["-f="], { format: "=" }],
    ["a letter switched off", ["-q=false"], { quiet: false }],
    ["the last of several values", ["--policy=a", "--policy", "b"], { policy: "b" }],
    [
      "all values of a list",
      ["--additional-tag=a,b", "--additional-tag", "c"],
      { tags: ["a", "b", "c"] },
    ],
    ["a span of time", ["--command-timeout=1m30s"], { timeoutMs: 90_000 }],
    ["a hidden flag", ["--secretive"], { secret: true }],
    ["another name of a flag", ["--screds=u:p"], { source: { creds: "u:p" } }],
  ])("takes %s", (_, words, values) => {
    expect(parse(words)).toMatchObject({ operands: [], values });
  });

  test.each([
    [
      ["a", "--all", "b"],
      ["a", "b"],
    ],
    // A toggle does not take the next word.
    [["--all", "false"], ["false"]],
    [["-"], ["-"]],
    [[""], [""]],
    [
      ["--all", "--", "--policy", "-q"],
      ["--policy", "-q"],
    ],
    [
      ["a", "--", "--"],
      ["a", "--"],
    ],
  ])("finds the operands of %j", (words, operands) => {
    expect(parse(words).operands).toEqual(operands);
  });

  test.each([
    [
      ["--all", "copy", "--bogus"],
      ["copy", "--bogus"],
    ],
    [
      ["--policy", "copy", "x", "--all"],
      ["x", "--all"],
    ],
    [
      ["--", "copy"],
      ["--", "copy"],
    ],
    [["--all"], []],
  ])("ends at the first operand of %j where that is asked for", (words, rest) => {
    expect(parse(words, true).operands).toEqual(rest);
  });

  test.each([
    [["--bogus"], "unknown flag: --bogus"],
    [["--bogus=x"], "unknown flag: --bogus"],
    [["--constructor"], "unknown flag: --constructor"],
    [["--no-all"], "unknown flag: --no-all"],
    [["--al"], "unknown flag: --al"],
    [["---x"], "bad flag syntax: ---x"],
    [["--=x"], "bad flag syntax: --=x"],
    [["-z"], "unknown shorthand flag: 'z' in -z"],
    [["-qz"], "unknown shorthand flag: 'z' in -z"],
    [["-a="], "unknown shorthand flag: '=' in -="],
    [["-é"], "unknown shorthand flag: 'Ã' in -é"],
    [["-'"], "unknown shorthand flag: '\\'' in -'"],
    [["-raw"], "unknown shorthand flag: 'r' in -raw"],
    [["--policy"], "flag needs an argument: --policy"],
    [["-f"], "flag needs an argument: 'f' in -f"],
    [["-aqf"], "flag needs an argument: 'f' in -f"],
    [
      ["--command-timeout", "5"],
      'invalid argument "5" for "--command-timeout" flag: time: missing unit in duration "5"',
    ],
    [
      ["--tls-verify=maybe"],
      'invalid argument "maybe" for "--tls-verify" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
    [
      ["--retry-times", "x"],
      'invalid argument "x" for "--retry-times" flag: strconv.ParseInt: parsing "x": invalid syntax',
    ],
    [
      ["--copies", "-1"],
      'invalid argument "-1" for "--copies" flag: strconv.ParseUint: parsing "-1": invalid syntax',
    ],
    [
      ["-a=x"],
      'invalid argument "x" for "-a, --all" flag: strconv.ParseBool: parsing "x": invalid syntax',
    ],
    [
      ["--all="],
      'invalid argument "" for "-a, --all" flag: strconv.ParseBool: parsing "": invalid syntax',
    ],
    [
      ["--additional-tag", 'a"b'],
      'invalid argument "a\\"b" for "--additional-tag" flag: parse error on line 1, column 2: bare " in non-quoted-field',
    ],
  ])("refuses %j", (words, message) => {
    expect(failureOf(() => parse(words))).toMatchObject({ code: "usage", message });
  });

  test.each([
    [["--formt"], "did you mean --format?"],
    [["--Policy=x"], "did you mean --policy?"],
    [["-quiet"], "did you mean --quiet?"],
    [["-policy=x"], "did you mean --policy=x?"],
    // Hidden flags stay hidden.
    [["--secretiv"], undefined],
    [["--entirely-different"], undefined],
  ])("gives the right hint after %j", (words, hint) => {
    const caught = (() => {
      try {
        return parse(words);
      } catch (error) {
        return error;
      }
    })();
    expect(caught).toBeInstanceOf(Failure);
    expect((caught as Failure).hint).toBe(hint);
  });

  test("never throws anything but a Failure, whatever it is given", () => {
    const pieces = [
      "--",
      "-",
      "=",
      "all",
      "a",
      "q",
      "f",
      "policy",
      "additional-tag",
      "command-timeout",
      '"',
      ",",
      "1",
      "s",
      "é",
      "\u0000",
      "\n",
      "𝄞",
      "\ud800",
      "__proto__",
      "x",
    ];
    for (let seed = 1; seed <= 3000; seed++) {
      const next = numbers(seed);
      const words = Array.from({ length: next(4) }, () =>
        Array.from({ length: next(6) }, () => pieces[next(pieces.length)]).join(""),
      );
      try {
        parse(words);
      } catch (error) {
        if (!(error instanceof Failure && error.code === "usage")) {
          throw new Error(`seed ${seed}: ${JSON.stringify(words)}`, { cause: error });
        }
      }
    }
  });
});

/** Numbers below a limit that depend on the seed alone. */
function numbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
