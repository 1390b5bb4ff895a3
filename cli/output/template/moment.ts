// Moments: points in time as Go keeps them, and its way to lay them out.

/** A point in time, with the offset from UTC that its clock shows. */
export interface Moment {
  /** Since 1970 began, without the fraction. */
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly offsetSeconds: number;
}

/** The moment a time shows that was never set: the beginning of the year 1. */
export const zeroMoment: Moment = {
  seconds: -62_135_596_800,
  nanoseconds: 0,
  offsetSeconds: 0,
};

/** Reads a time as the JSON of images spells it (RFC 3339); undefined if it is none. */
export function readMoment(text: string): Moment | undefined {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))$/.exec(
    text,
  );
  if (match === null) return undefined;
  const [, day, clock, fraction = "", sign, hours = "0", minutes = "0"] = match;
  const local = Date.parse(`${day}T${clock}Z`);
  if (Number.isNaN(local)) return undefined;
  const offset = (Number(hours) * 60 + Number(minutes)) * 60;
  const offsetSeconds = sign === "-" ? 0 - offset : offset;
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, "0"));
  return { seconds: local / 1000 - offsetSeconds, nanoseconds, offsetSeconds };
}

/** Returns how many nanoseconds after 1970 began a moment is. */
export function nanosecondsOf({ seconds, nanoseconds }: Moment): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
}

/** Writes a time as JSON has it: RFC 3339 with as much of a fraction as there is. */
export function momentJson(moment: Moment): string {
  return layOut(moment, "2006-01-02T15:04:05.999999999Z07:00");
}

/** Writes a time as Go prints it. */
export function momentText(moment: Moment): string {
  return layOut(moment, "2006-01-02 15:04:05.999999999 -0700 MST");
}

/** The parts of a moment, as its clock and calendar show them. Months count from 1, Sunday is 0. */
export interface MomentParts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly weekday: number;
  readonly yearDay: number;
}

/** Returns what clock and calendar show at a moment. */
export function partsOf({ seconds, offsetSeconds }: Moment): MomentParts {
  const date = new Date((seconds + offsetSeconds) * 1000);
  const year = date.getUTCFullYear();
  const newYear = new Date(0).setUTCFullYear(year, 0, 1);
  return {
    year,
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    weekday: date.getUTCDay(),
    yearDay: Math.floor((date.getTime() - newYear) / 86_400_000) + 1,
  };
}

/** The names of the months, January first. */
export const months = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const;

/** The names of the days of the week, Sunday first. */
export const weekdays = [
  "Sunday",
  "Monday",
  "Tuesday",
  "Wednesday",
  "Thursday",
  "Friday",
  "Saturday",
] as const;

// The parts of Go's reference time, 2 January 2006, 15:04:05, the longer ones first.
const layoutParts =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|2006|2|_2006|__2|_2|3|4|5|PM|pm|-07:00:00|-070000|-07:00|-0700|-07|Z07:00:00|Z070000|Z07:00|Z0700|Z07|[.,](?:0+|9+)(?!\d)/g;

/** Writes a time after the pattern of `layout`, which shows how Go's reference time would look. */
export function layOut(moment: Moment, layout: string): string {
  const parts = partsOf(moment);
  return layout.replace(layoutParts, (part) => layOutPart(moment, parts, part));
}

function layOutPart(moment: Moment, parts: MomentParts, part: string): string {
  const month = months[parts.month - 1] ?? "";
  const weekday = weekdays[parts.weekday] ?? "";
  const hour = parts.hour % 12 === 0 ? 12 : parts.hour % 12;
  switch (part) {
    case "January":
      return month;
    case "Jan":
      return month.slice(0, 3);
    case "Monday":
      return weekday;
    case "Mon":
      return weekday.slice(0, 3);
    case "MST":
      return moment.offsetSeconds === 0 ? "UTC" : offset(moment, "-0700");
    case "002":
      return padded(parts.yearDay, 3);
    case "__2":
      return String(parts.yearDay).padStart(3, " ");
    case "01":
      return padded(parts.month, 2);
    case "1":
      return String(parts.month);
    case "02":
      return padded(parts.day, 2);
    case "2":
      return String(parts.day);
    case "_2":
      return String(parts.day).padStart(2, " ");
    case "03":
      return padded(hour, 2);
    case "3":
      return String(hour);
    case "15":
      return padded(parts.hour, 2);
    case "04":
      return padded(parts.minute, 2);
    case "4":
      return String(parts.minute);
    case "05":
      return padded(parts.second, 2);
    case "5":
      return String(parts.second);
    case "06":
      return padded(parts.year % 100, 2);
    case "2006":
      return padded(parts.year, 4);
    case "_2006":
      return `_${padded(parts.year, 4)}`;
    case "PM":
      return parts.hour < 12 ? "AM" : "PM";
    case "pm":
      return parts.hour < 12 ? "am" : "pm";
    default:
      return /^[.,]/.test(part) ? fraction(moment, part) : offset(moment, part);
  }
}

function fraction({ nanoseconds }: Moment, part: string): string {
  const digits = padded(nanoseconds, 9).slice(0, part.length - 1);
  if (part[1] === "0") return `${part[0]}${digits}`;
  const trimmed = digits.replace(/0+$/, "");
  return trimmed === "" ? "" : `${part[0]}${trimmed}`;
}

function offset({ offsetSeconds }: Moment, part: string): string {
  if (part.startsWith("Z") && offsetSeconds === 0) return "Z";
  const size = Math.abs(offsetSeconds);
  const units = [size / 3600, (size / 60) % 60, size % 60].map((each) =>
    padded(Math.floor(each), 2),
  );
  const count = part.replace(/[^0-9]/g, "").length / 2;
  const sign = offsetSeconds < 0 ? "-" : "+";
  return sign + units.slice(0, count).join(part.includes(":") ? ":" : "");
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}
