import { describe, expect, test } from "bun:test";

import {
  goFlag,
  goKeys,
  goStruct,
  goText,
  goTextMap,
  goTexts,
  goTime,
  readDocument,
} from "../../../core/manifest/go-schema.ts";
import { failureOf } from "../../support/failure-of.ts";

describe("goStruct", () => {
  const schema = goStruct({
    text: goText,
    flag: goFlag,
    texts: goTexts,
    map: goTextMap,
    keys: goKeys,
    time: goTime,
    inner: goStruct({ text: goText }),
  });

  test.each([
    "{}",
    '{"text":null,"flag":null,"texts":null,"map":null,"keys":null,"time":null,"inner":null}',
    '{"unknown":1}',
  ])("reads %s as nothing of everything", (text) => {
    expect(readDocument(schema, text, "thing")).toEqual({
      text: "",
      flag: false,
      texts: undefined,
      map: undefined,
      keys: undefined,
      time: undefined,
      inner: { text: "" },
    });
  });

  test("finds names in any letter case, deep down as well", () => {
    expect(readDocument(schema, '{"TEXT":"a","Inner":{"tExT":"b"}}', "thing")).toMatchObject({
      text: "a",
      inner: { text: "b" },
    });
  });

  test("says what is wrong, and where", () => {
    expect(failureOf(() => readDocument(schema, '{"inner":{"text":1}}', "thing"))).toMatchObject({
      code: "corrupt",
      message: "Invalid thing: inner.text is not of type string",
    });
  });
});

describe("goTime", () => {
  const read = (time: string) =>
    readDocument(goStruct({ time: goTime }), JSON.stringify({ time }), "thing").time;

  test.each([
    ["2020-01-02T03:04:05Z", "2020-01-02T03:04:05Z"],
    ["2020-01-02T03:04:05.000Z", "2020-01-02T03:04:05Z"],
    ["2020-01-02T03:04:05.1200Z", "2020-01-02T03:04:05.12Z"],
    ["2020-01-02T03:04:05.1234567899Z", "2020-01-02T03:04:05.123456789Z"],
    ["2020-01-02T03:04:05,5Z", "2020-01-02T03:04:05.5Z"],
    ["2020-01-02T03:04:05+00:00", "2020-01-02T03:04:05Z"],
    ["2020-01-02T03:04:05-00:00", "2020-01-02T03:04:05Z"],
    ["2020-01-02T03:04:05.50+23:59", "2020-01-02T03:04:05.5+23:59"],
    ["2020-02-29T03:04:05-02:00", "2020-02-29T03:04:05-02:00"],
    ["2000-02-29T23:59:59Z", "2000-02-29T23:59:59Z"],
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"],
  ])("reads %s as %s", (text, time) => {
    expect(read(text)).toBe(time);
  });

  test.each([
    "",
    "2020-01-02 03:04:05Z",
    "2020-01-02t03:04:05z",
    "2020-01-02T03:04:05",
    "2020-02-30T03:04:05Z",
    "2019-02-29T03:04:05Z",
    "1900-02-29T03:04:05Z",
    "2020-04-31T03:04:05Z",
    "2020-00-01T03:04:05Z",
    "2020-13-01T03:04:05Z",
    "2020-01-00T03:04:05Z",
    "2020-01-02T24:04:05Z",
    "2020-01-02T03:60:05Z",
    "2020-01-02T03:04:60Z",
    "2020-01-02T03:04:05.Z",
    "2020-01-02T03:04:05+24:00",
    "2020-01-02T03:04:05+00:60",
    "-0001-01-02T03:04:05Z",
  ])("refuses %j", (text) => {
    expect(failureOf(() => read(text))).toMatchObject({
      code: "corrupt",
      message: "Invalid thing: time is no time as RFC 3339 writes it",
    });
  });
});
