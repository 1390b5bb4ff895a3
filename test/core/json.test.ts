import { describe, expect, test } from "bun:test";

import { Failure } from "../../core/failure.ts";
import {
  encodeJson,
  encodeJsonBytes,
  foldName,
  goMap,
  isJsonObject,
  type Json,
  memberOf,
  parseForeignJson,
  parseStrictJson,
} from "../../core/json.ts";
import { limits } from "../../core/limits.ts";
import { failureOf } from "../support/failure-of.ts";
import { randomBytes } from "../support/random.ts";

const readers = [
  ["parseStrictJson", parseStrictJson],
  ["parseForeignJson", parseForeignJson],
] as const;

describe.each(readers)("%s", (_, parse) => {
  test.each([
    ["null", "null", null],
    ["a number with all its parts", " -12.50e+2 ", -1250],
    ["every escape", String.raw`"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"`, '"\\/\b\f\n\r\té😀'],
    ["half a pair, which stands for nothing", String.raw`"a\ud800b"`, "a\ufffdb"],
    ["blanks everywhere", ' [ 1 ,\t{ "a" : [ ] , "b" : { } } ]\r\n', [1, { a: [], b: {} }]],
  ])("reads %s", (_, text, value) => {
    expect(parse(text)).toEqual(value);
    expect(parse(new TextEncoder().encode(text))).toEqual(value);
  });

  test.each([
    ["nothing", "", "unexpected end of JSON input"],
    ["a page of HTML", "<html>", "invalid character '<' looking for beginning of value"],
    ["a missing value", '{"a":}', "invalid character '}' looking for beginning of value"],
    ["a comma too many", "[1,]", "invalid character ']' looking for beginning of value"],
    [
      "a comma too many in an object",
      '{"a":1,}',
      "invalid character '}' looking for beginning of object key string",
    ],
    ["a missing comma", '{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
    ["a missing comma in an array", "[1 2]", "invalid character '2' after array element"],
    ["a missing colon", '{"a" 1}', "invalid character '1' after object key"],
    ["a line end in a string", '"a\nb"', String.raw`invalid character '\n' in string literal`],
    ["an unknown escape", String.raw`"\x"`, "invalid character 'x' in string escape code"],
    [
      "a short escape",
      String.raw`"\u12g4"`,
      String.raw`invalid character 'g' in \u hexadecimal character escape`,
    ],
    ["a word that is none", "nul!", "invalid character '!' in literal null (expecting 'l')"],
    ["a minus alone", "-x", "invalid character 'x' in numeric literal"],
    ["a string without end", '"abc', "unexpected end of JSON input"],
    ["an escape without end", '"abc\\', "unexpected end of JSON input"],
    ["a byte order mark", "\ufeff{}", "invalid character '\ufeff' looking for beginning of value"],
  ])("refuses %s", (_, text, message) => {
    expect(failureOf(() => parse(text))).toMatchObject({ code: "corrupt", message });
    const bytes = new TextEncoder().encode(text);
    expect(failureOf(() => parse(bytes))).toMatchObject({ code: "corrupt", message });
  });

  test("takes names as data, whatever they are called (P4)", () => {
    const value = parse('{"__proto__":{"x":1},"constructor":2,"hasOwnProperty":3}');
    expect(Object.keys(value as object)).toEqual(["__proto__", "constructor", "hasOwnProperty"]);
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect({}).not.toHaveProperty("x");
  });

  test("keeps integers beyond 2^53 recognisable (P4)", () => {
    const [exact, beyond] = parse("[9007199254740991, 9007199254740993]") as number[];
    expect([Number.isSafeInteger(exact), Number.isSafeInteger(beyond)]).toEqual([true, false]);
  });

  test("goes as deep as the limit and no deeper", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    expect(() => parse(nested(limits.jsonDepth))).not.toThrow();
    expect(failureOf(() => parse(nested(limits.jsonDepth + 1)))).toMatchObject({
      code: "corrupt",
      message: "JSON is nested more than 64 deep",
    });
    expect(failureOf(() => parse("[".repeat(1_000_000)))).toBeInstanceOf(Failure);
  });

  test.each(["[", '{"a":', '"\\', '"\\u0041', "1", " ", '{"a":1,"b":2},'])(
    "reads or refuses a megabyte of %j at once (P6)",
    (piece) => {
      const text = piece.repeat(2 ** 20 / piece.length);
      const begun = performance.now();
      try {
        parse(text);
      } catch (error) {
        expect(error).toBeInstanceOf(Failure);
      }
      expect(performance.now() - begun).toBeLessThan(10_000);
    },
  );

  test("never fails with anything but a Failure, whatever it reads", () => {
    const alphabet = '{}[]",:\\u0041ntf-1.e \n\u00e9';
    for (let seed = 0; seed < 500; seed++) {
      const text = Array.from(
        randomBytes(`json ${seed}`, 40),
        (byte) => alphabet[byte % alphabet.length],
      ).join("");
      try {
        const value = parse(text);
        expect(parse(encodeJson(value))).toEqual(value);
        expect(value).toEqual(JSON.parse(text));
      } catch (error) {
        if (!(error instanceof Failure)) throw new Error(`seed ${seed}: ${text}`, { cause: error });
      }
    }
  });

  test("agrees with the runtime's own reader on documents that the runtime wrote", () => {
    for (let seed = 0; seed < 100; seed++) {
      const bytes = [...randomBytes(`document ${seed}`, 60)];
      const value = documentFrom(bytes);
      for (const indent of [0, 2]) {
        expect([seed, parse(JSON.stringify(value, null, indent))]).toEqual([seed, value]);
      }
    }
  });
});

/** Builds a document that the bytes describe. */
function documentFrom(bytes: number[], depth = 0): Json {
  const byte = bytes.pop() ?? 0;
  if (depth > 5 || byte < 60) return String.fromCodePoint(byte * 70 + 32).repeat(byte % 5);
  if (byte < 100) return byte / 8;
  if (byte < 120) return byte % 2 === 0;
  if (byte < 130) return null;
  const items = Array.from({ length: byte % 5 }, () => documentFrom(bytes, depth + 1));
  if (byte < 190) return items;
  return Object.fromEntries(items.map((item, index) => [`"${index}\\`, item]));
}

describe("parseStrictJson", () => {
  test.each([
    ["a repeated key", '{"x":1,"y":2,"x":1}', 'Duplicate key "x"'],
    ["a repeated key spelled otherwise", String.raw`{"x":1,"\u0078":2}`, 'Duplicate key "x"'],
    ["a repeated key deep inside", '[{"a":{"b":1,"b":1}}]', 'Duplicate key "b"'],
    [
      "a repeated key of a special name",
      '{"__proto__":1,"__proto__":2}',
      'Duplicate key "__proto__"',
    ],
    ["more behind the value", "{} {}", "Unexpected data after JSON object"],
  ])("refuses %s (G5)", (_, text, message) => {
    expect(failureOf(() => parseStrictJson(text))).toMatchObject({ code: "corrupt", message });
  });

  test("tells keys apart that differ in letter case", () => {
    expect(parseStrictJson('{"a":1,"A":2}')).toEqual({ a: 1, A: 2 });
  });

  test("refuses bytes that are not UTF-8", () => {
    const failure = failureOf(() => parseStrictJson(new Uint8Array([0x22, 0xff, 0x22])));
    expect(failure).toMatchObject({ code: "corrupt", message: "invalid UTF-8 in JSON text" });
  });
});

describe("parseForeignJson", () => {
  test("takes the last of repeated keys, in its place", () => {
    const value = parseForeignJson('{"x":1,"y":2,"x":3}');
    expect(Object.entries(value as object)).toEqual([
      ["y", 2],
      ["x", 3],
    ]);
  });

  test("reads bytes that are not UTF-8 as U+FFFD", () => {
    expect(parseForeignJson(new Uint8Array([0x22, 0xff, 0x22]))).toBe("\ufffd");
  });

  test("refuses more behind the value in Go's words", () => {
    expect(failureOf(() => parseForeignJson("{} x"))).toMatchObject({
      code: "corrupt",
      message: "invalid character 'x' after top-level value",
    });
  });
});

describe("memberOf", () => {
  test.each([
    ["the exact name", '{"os":"a"}', "a"],
    ["another letter case", '{"OS":"a"}', "a"],
    ["letters that Unicode folds to ASCII", '{"o\u017f":"a"}', "a"],
    ["the last of several spellings", '{"os":"a","OS":"b"}', "b"],
    ["the last, also where it was repeated", '{"OS":"a","os":"b","OS":"c"}', "c"],
    ["no null", '{"os":"a","OS":null}', "a"],
    ["nothing of another name", '{"o s":"a"}', undefined],
  ])("finds %s", (_, text, found) => {
    const object = parseForeignJson(text);
    expect<unknown>(isJsonObject(object) && memberOf(object, "os")).toBe(found);
  });
});

describe("foldName", () => {
  test("joins exactly the names that Go joins", () => {
    expect(foldName("Layer\u017f")).toBe(foldName("layers"));
    expect(foldName("\u212a")).toBe(foldName("k"));
    expect(foldName("stra\u00dfe")).not.toBe(foldName("strasse"));
  });
});

describe("isJsonObject", () => {
  test.each([
    ["{}", true],
    ["[]", false],
    ["null", false],
    ['""', false],
  ])("is asked about %s and says %p", (text, answer) => {
    expect(isJsonObject(parseForeignJson(text))).toBe(answer);
  });
});

describe("encodeJson", () => {
  test("escapes what Go escapes, and nothing else", () => {
    expect(encodeJson('<a&b>\u2028\u2029\b\f\n\r\t\u0001\u007f"\\/é😀')).toBe(
      String.raw`"\u003ca\u0026b\u003e\u2028\u2029\b\f\n\r\t\u0001` + '\u007f\\"\\\\/é😀"',
    );
  });

  test("writes half a pair as Go writes bytes that are not UTF-8", () => {
    expect(encodeJson("a\ud800b\udc00")).toBe(String.raw`"a\ufffdb\ufffd"`);
    expect(encodeJson("\\ud800")).toBe(String.raw`"\\ud800"`);
  });

  test("keeps the order of members, and leaves undefined ones out", () => {
    expect(encodeJson({ b: 1, a: undefined, c: [true, null, 10n] })).toBe(
      '{"b":1,"c":[true,null,10]}',
    );
  });

  test("sorts a Map by the bytes of its keys", () => {
    const map = goMap({ "10": 1, "9": 2, "\uffff": 3, "😀": 4, é: 5, Z: 6, a: 7 });
    expect(encodeJson(map)).toBe('{"10":1,"9":2,"Z":6,"a":7,"é":5,"\uffff":3,"😀":4}');
  });

  test("indents like Go", () => {
    expect(encodeJson({ a: [], b: {}, c: [1, { d: "x" }], e: new Map() }, "    ")).toBe(
      [
        "{",
        '    "a": [],',
        '    "b": {},',
        '    "c": [',
        "        1,",
        "        {",
        '            "d": "x"',
        "        }",
        "    ],",
        '    "e": {}',
        "}",
      ].join("\n"),
    );
  });

  test.each([Number.NaN, undefined, () => 1])("finds a bug in writing %p", (value) => {
    expect(failureOf(() => encodeJson([value]))).toMatchObject({ code: "bug" });
  });

  test("encodeJsonBytes gives the same as UTF-8", () => {
    expect(new TextDecoder().decode(encodeJsonBytes({ é: 1 }))).toBe('{"é":1}');
  });
});
