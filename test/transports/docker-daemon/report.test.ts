import { describe, expect, test } from "bun:test";
import { streamOf } from "../../../core/blob/stream.ts";
import { messageOf, readReport } from "../../../transports/docker-daemon/report.ts";
import { rejection } from "../../support/rejection.ts";

const report = (text: string) => readReport(streamOf(new TextEncoder().encode(text)));

describe("readReport", () => {
  test.each([
    ["", []],
    ['{"stream":"Loaded image: a:1\\n"}\r\n', ["Loaded image: a:1"]],
    ['{"stream":"one"}\n{"status":"two","progressDetail":{}}\n', ["one", "two"]],
    ['{"id":"x"}\n\n', []],
  ])("%p is a success", async (text, lines) => {
    expect(await report(text)).toEqual(lines);
  });

  test.each([
    [
      '{"stream":"Loading"}\n{"errorDetail":{"message":"no space"},"error":"no space"}\n',
      'docker engine reported: "no space"',
    ],
    ['{"error":"bare"}', 'docker engine reported: "bare"'],
    ['{"errorDetail":{"code":1,"message":"said"}}', 'docker engine reported: "said"'],
    ['{"error":{"odd":1}}', 'docker engine reported: "{\\"odd\\":1}"'],
    [
      '{"stream":"Loaded image: a:1\\n"}\n{"stream":"Error unpacking image a:1: bad layer\\n"}\n',
      'docker engine reported: "Error unpacking image a:1: bad layer"',
    ],
    ['{"error":"a\\u001b[2Jb"}', 'docker engine reported: "a\\u001b[2Jb"'],
  ])("O1: %p is a failure", async (text, message) => {
    const failure = await rejection(report(text));
    expect([failure.code, failure.message.replace("\\x1b", "\\u001b")]).toEqual([
      "refused",
      message,
    ]);
  });

  test.each(["nonsense", '{"stream":"a"}\n{"str'])("%p is not understood", async (text) => {
    const failure = await rejection(report(text));
    expect(failure.code).toBe("corrupt");
    expect(failure.message).toStartWith("parsing docker load progress: ");
  });

  test("P1: an endless one is not read to its end", async () => {
    const endless = async function* () {
      for (;;) yield new TextEncoder().encode('{"stream":"on and on"}\n'.repeat(1000));
    };
    expect((await rejection(readReport(endless()))).message).toContain("exceeded");
  });
});

describe("messageOf", () => {
  test.each([
    ['{"message":"reference does not exist"}', "reference does not exist"],
    ['{"cause":"a","message":"a: b","response":500}', "a: b"],
    ["client version 1.22 is too old", "client version 1.22 is too old"],
    ['{"other":1}', '{"other":1}'],
    ["", ""],
  ])("%p", (body, message) => {
    expect(messageOf(body)).toBe(message);
  });
});
