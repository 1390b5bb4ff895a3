// Report: what an engine says about its work, line by line, errors among the rest.

import { collect } from "../../core/blob/collect.ts";
import type { ByteStream } from "../../core/blob/stream.ts";
import { Failure, inContext } from "../../core/failure.ts";
import { quoted } from "../../core/foreign-text.ts";
import { isJsonObject, type Json, memberOf, parseForeignJson } from "../../core/json.ts";
import { limits } from "../../core/limits.ts";

/**
 * Reads a report to its end, and returns what was told.
 *
 * The engine has begun it with the status of a success, so that what went wrong afterwards stands in it:
 * fails with `refused` then, and with `corrupt` if it cannot be understood.
 */
export async function readReport(body: ByteStream): Promise<readonly string[]> {
  const text = new TextDecoder().decode(await collect(body, limits.errorBodyBytes));
  return text.split("\n").flatMap((line) => (line.trim() === "" ? [] : told(parseLine(line))));
}

/** Returns the message of a refusal, which is JSON or plain text. */
export function messageOf(body: string): string {
  try {
    const answer = parseForeignJson(body);
    const message = isJsonObject(answer) ? memberOf(answer, "message") : undefined;
    return typeof message === "string" ? message : body;
  } catch (error) {
    if (error instanceof Failure && error.code === "corrupt") return body;
    throw error;
  }
}

/** Returns the error that a line of a report tells, if it is one of those that do. */
export function errorIn(line: Json): string | undefined {
  if (!isJsonObject(line)) return undefined;
  const detail = memberOf(line, "errorDetail");
  const message = isJsonObject(detail) ? memberOf(detail, "message") : undefined;
  const error = message ?? memberOf(line, "error");
  if (error === undefined) return undefined;
  return typeof error === "string" ? error : JSON.stringify(error);
}

/** Returns the failure for an error that stands in a report. */
export function reported(error: string): Failure {
  return new Failure("refused", `docker engine reported: ${quoted(error)}`);
}

function parseLine(line: string): Json {
  try {
    return parseForeignJson(line);
  } catch (error) {
    throw inContext("parsing docker load progress", error);
  }
}

function told(line: Json): readonly string[] {
  const error = errorIn(line);
  if (error !== undefined) throw reported(error);
  const said = isJsonObject(line) ? (memberOf(line, "stream") ?? memberOf(line, "status")) : line;
  const words = typeof said === "string" ? said.trim() : "";
  // Where containerd cannot unpack what it has loaded, even that is told as if all were well.
  if (/^Error /.test(words)) throw reported(words);
  return words === "" ? [] : [words];
}
