// The log: levelled lines on stderr, in the forms that the original prints.

import { type ConsolaInstance, createConsola, type LogObject } from "consola/core";

import type { TransportLog } from "../../core/image/transport.ts";
import { harmless, isPlainWord, quoted } from "./quote.ts";

/** Values shown behind a message, by name. */
export type LogFields = Readonly<Record<string, string>>;

/** Takes what is worth telling besides the result. */
export interface Log extends TransportLog {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  /** Something failed, and the command goes on. */
  error(message: string, fields?: LogFields): void;
  /** The last words of a command that failed. */
  fatal(message: string): void;
}

/** Where the lines of a log go, and what they look like there. */
export interface LogOptions {
  /** Whether debug messages are shown. */
  readonly debug: boolean;
  /** Asked once, when the first line is due: the answer takes longer than the line. */
  readers(): Readers;
  now(): Date;
  /** Takes one line, without its end. */
  write(line: string): void;
}

/** Who reads a log: people on a terminal, perhaps in colours, or programs. */
export type Readers = "people" | "people-in-colors" | "programs";

/** Creates a log. The seconds shown on a terminal count from now. */
export function createLog(options: LogOptions): Log {
  const start = options.now();
  let readers: Readers | undefined;
  const create = () =>
    createConsola({
      level: options.debug ? 4 : 3,
      // Every line counts: consola would fold repeated ones.
      throttle: 0,
      throttleMin: Number.MAX_SAFE_INTEGER,
      reporters: [
        {
          log(record) {
            const line = lineOf(record, options.now());
            readers ??= options.readers();
            options.write(
              readers === "programs"
                ? forPrograms(line)
                : forPeople(line, start, readers === "people-in-colors"),
            );
          },
        },
      ],
    });
  let created: ConsolaInstance | undefined;
  // Most runs have nothing to say.
  const consola = () => (created ??= create());
  return {
    debug: (message, fields = {}) => {
      if (options.debug) consola().debug(message, fields);
    },
    info: (message, fields = {}) => consola().info(message, fields),
    warn: (message, fields = {}) => consola().warn(message, fields),
    error: (message, fields = {}) => consola().error(message, fields),
    fatal: (message) => consola().fatal(message, {}),
  };
}

interface Line {
  readonly level: Level;
  readonly message: string;
  readonly fields: readonly (readonly [string, string])[];
  readonly at: Date;
}

type Level = "debug" | "info" | "warning" | "error" | "fatal";

function lineOf(record: LogObject, at: Date): Line {
  const [message, fields] = record.args as [string, LogFields];
  return {
    level: record.type === "warn" ? "warning" : (record.type as Level),
    message,
    fields: Object.entries(fields).sort(([one], [other]) => (one < other ? -1 : 1)),
    at,
  };
}

function forPrograms({ level, message, fields, at }: Line): string {
  const pairs: (readonly [string, string])[] = [
    ["time", localTime(at)],
    ["level", level],
    ["msg", message],
    ...fields,
  ];
  return pairs.map(([key, value]) => `${key}=${word(value)}`).join(" ");
}

const colors: Readonly<Record<Level, number>> = {
  debug: 37,
  info: 36,
  warning: 33,
  error: 31,
  fatal: 31,
};

function forPeople({ level, message, fields, at }: Line, start: Date, colored: boolean): string {
  const paint = (text: string) => (colored ? `\x1b[${colors[level]}m${text}\x1b[0m` : text);
  const seconds = Math.floor((at.getTime() - start.getTime()) / 1000);
  const head = `${paint(level.slice(0, 4).toUpperCase())}[${String(seconds).padStart(4, "0")}]`;
  const pairs = fields.map(([key, value]) => `${paint(key)}=${word(value)}`).join(" ");
  return `${head} ${harmless(message).padEnd(44)} ${pairs}`.trimEnd();
}

function word(value: string): string {
  return isPlainWord(value) ? value : quoted(value);
}

/** RFC 3339 with the offset of the local time zone. */
function localTime(at: Date): string {
  const offset = -at.getTimezoneOffset();
  const local = new Date(at.getTime() + offset * 60_000).toISOString().slice(0, 19);
  if (offset === 0) return `${local}Z`;
  const two = (number: number) => String(Math.floor(number)).padStart(2, "0");
  const [hours, minutes] = [Math.abs(offset) / 60, Math.abs(offset) % 60];
  return `${local}${offset < 0 ? "-" : "+"}${two(hours)}:${two(minutes)}`;
}
