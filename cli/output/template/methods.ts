// Methods: digests and times as a template sees them, and what it can call on them.

import {
  type BasicType,
  type GoFunction,
  type GoValue,
  int64Type,
  intType,
  stringType,
} from "./go-type.ts";
import { boolValue, integerValue, stringValue, templateFailure } from "./go-value.ts";
import {
  layOut,
  type Moment,
  momentText,
  months,
  nanosecondsOf,
  partsOf,
  weekdays,
  zeroMoment,
} from "./moment.ts";

const algorithmType: BasicType = {
  kind: "string",
  name: "digest.Algorithm",
  methods: { String: (receiver) => returning(() => stringValue(textIn(receiver))) },
};

/** The type of digests. */
export const digestType: BasicType = {
  kind: "string",
  name: "digest.Digest",
  methods: {
    Algorithm: (receiver) => returning(() => stringValue(cut(receiver).algorithm, algorithmType)),
    Encoded: (receiver) => returning(() => stringValue(cut(receiver).hex)),
    Hex: (receiver) => returning(() => stringValue(cut(receiver).hex)),
    String: (receiver) => returning(() => stringValue(textIn(receiver))),
  },
};

const monthType = namedNumbers("time.Month", (number) => months[number - 1] ?? "");
const weekdayType = namedNumbers("time.Weekday", (number) => weekdays[number] ?? "");

/** The type of points in time. */
export const timeType: BasicType = {
  kind: "time",
  name: "time.Time",
  methods: {
    Year: numbering((moment) => partsOf(moment).year),
    Month: numbering((moment) => partsOf(moment).month, monthType),
    Day: numbering((moment) => partsOf(moment).day),
    Hour: numbering((moment) => partsOf(moment).hour),
    Minute: numbering((moment) => partsOf(moment).minute),
    Second: numbering((moment) => partsOf(moment).second),
    Nanosecond: numbering((moment) => moment.nanoseconds),
    Weekday: numbering((moment) => partsOf(moment).weekday, weekdayType),
    YearDay: numbering((moment) => partsOf(moment).yearDay),
    Unix: numbering((moment) => moment.seconds, int64Type),
    UnixMilli: numbering((moment) => nanosecondsOf(moment) / 1_000_000n, int64Type),
    UnixMicro: numbering((moment) => nanosecondsOf(moment) / 1000n, int64Type),
    UnixNano: numbering(nanosecondsOf, int64Type),
    String: (receiver) => returning(() => stringValue(momentText(momentIn(receiver)))),
    GoString: (receiver) => returning(() => stringValue(goSyntax(momentIn(receiver)))),
    Format: (receiver) => ({
      parameters: [stringType],
      call: (layout) => stringValue(layOut(momentIn(receiver), textIn(layout))),
    }),
    UTC: (receiver) => returning(() => timeValue({ ...momentIn(receiver), offsetSeconds: 0 })),
    Local: (receiver) => returning(() => timeValue(local(momentIn(receiver)))),
    IsZero: (receiver) => returning(() => boolValue(differenceOf(receiver, zeroTime()) === 0n)),
    Equal: comparing((difference) => difference === 0n),
    Before: comparing((difference) => difference < 0n),
    After: comparing((difference) => difference > 0n),
  },
};

/** Returns a time as a value. */
export function timeValue(value: Moment): GoValue {
  return { kind: "time", type: timeType, value };
}

function zeroTime(): GoValue {
  return timeValue(zeroMoment);
}

/** A function without parameters. */
function returning(call: () => GoValue): GoFunction {
  return { parameters: [], call };
}

function numbering(read: (moment: Moment) => number | bigint, type = intType) {
  return (receiver: GoValue): GoFunction =>
    returning(() => integerValue(read(momentIn(receiver)), type));
}

function comparing(holds: (difference: bigint) => boolean) {
  return (receiver: GoValue): GoFunction => ({
    parameters: [timeType],
    call: (other) => boolValue(holds(differenceOf(receiver, other))),
  });
}

/** Numbers that print as names. */
function namedNumbers(name: string, spell: (number: number) => string): BasicType {
  return {
    kind: "integer",
    name,
    methods: {
      String: (receiver) => {
        const number = receiver.kind === "integer" ? Number(receiver.value) : 0;
        return returning(() => stringValue(spell(number)));
      },
    },
  };
}

function textIn(value: GoValue | undefined): string {
  return value?.kind === "string" ? value.value : "";
}

function momentIn(value: GoValue | undefined): Moment {
  return value?.kind === "time" ? value.value : zeroMoment;
}

function differenceOf(a: GoValue, b: GoValue | undefined): bigint {
  return nanosecondsOf(momentIn(a)) - nanosecondsOf(momentIn(b));
}

/** A digest may be no more than a claim: not every one has a colon. */
function cut(value: GoValue): { readonly algorithm: string; readonly hex: string } {
  const text = textIn(value);
  const colon = text.indexOf(":");
  if (colon < 0) throw templateFailure(`no ':' separator in digest ${JSON.stringify(text)}`);
  return { algorithm: text.slice(0, colon), hex: text.slice(colon + 1) };
}

function local(moment: Moment): Moment {
  const minutes = new Date(moment.seconds * 1000).getTimezoneOffset();
  return { ...moment, offsetSeconds: 0 - minutes * 60 };
}

function goSyntax(moment: Moment): string {
  const { year, month, day, hour, minute, second } = partsOf(moment);
  const zone = moment.offsetSeconds === 0 ? "time.UTC" : `time.Location("")`;
  const clock = [hour, minute, second, moment.nanoseconds].join(", ");
  return `time.Date(${year}, time.${months[month - 1] ?? ""}, ${day}, ${clock}, ${zone})`;
}
