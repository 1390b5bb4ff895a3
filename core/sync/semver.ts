// Semantic versions and constraints on them, as lenient as the original reads both.
//
// See https://github.com/Masterminds/semver/blob/v3.4.0/README.md for what constraints look like.

import { Failure } from "../failure.ts";

/** A version such as `1.2.3-rc.1`. What follows a `+` says nothing about order. */
export interface Version {
  readonly major: bigint;
  readonly minor: bigint;
  readonly patch: bigint;
  /** Empty for a release. */
  readonly prerelease: string;
}

const versionShape =
  /^v?(\d{1,20})(?:\.(\d{1,20}))?(?:\.(\d{1,20}))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

/** Parses a version; minor and patch may be missing. Undefined where the text is none. */
export function parseVersion(text: string): Version | undefined {
  const [, major, minor = "0", patch = "0", prerelease = ""] = versionShape.exec(text) ?? [];
  if (major === undefined) return undefined;
  if (prerelease.split(".").some((part) => /^0\d+$/.test(part))) return undefined;
  return { major: BigInt(major), minor: BigInt(minor), patch: BigInt(patch), prerelease };
}

/** Orders versions, oldest first. */
export function compareVersions(one: Version, other: Version): number {
  return (
    compare(one.major, other.major) ||
    compare(one.minor, other.minor) ||
    compare(one.patch, other.patch) ||
    comparePrereleases(one.prerelease, other.prerelease)
  );
}

function compare<T extends bigint | string>(one: T, other: T): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function comparePrereleases(one: string, other: string): number {
  if (one === other) return 0;
  if (one === "") return 1;
  if (other === "") return -1;
  const [parts, others] = [one.split("."), other.split(".")];
  for (let index = 0; index < Math.max(parts.length, others.length); index++) {
    const [part, another] = [parts[index], others[index]];
    if (part === undefined) return -1;
    if (another === undefined) return 1;
    const [number, anotherNumber] = [part, another].map((each) => /^\d+$/.test(each));
    if (number && anotherNumber) {
      const order = compare(BigInt(part), BigInt(another));
      if (order !== 0) return order;
    } else if (number !== anotherNumber) return number ? -1 : 1;
    else if (part !== another) return compare(part, another);
  }
  return 0;
}

/** Tells whether a version is allowed. */
export type VersionConstraint = (version: Version) => boolean;

/** Parses a constraint such as `>=1.2, <2 || ~3.1`. Fails with `usage`, in the original's words. */
export function parseConstraint(text: string): VersionConstraint {
  const groups = withoutHyphens(text)
    .split("||")
    .map((group) => parseGroup(group, text));
  return (version) => groups.some((group) => group(version));
}

const operators = "=>|=<|>=|<=|!=|~>|=|>|<|~|\\^|";
const number = "v?(?:\\d{1,20}|[xX*])";
const constraintVersion = `(${number})(?:\\.(\\d{1,20}|[xX*]))?(?:\\.(\\d{1,20}|[xX*]))?(-[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?(?:\\+[0-9A-Za-z.-]+)?`;
const oneConstraint = new RegExp(`^(${operators})\\s*${constraintVersion}$`);

/** A range such as `1.2 - 2.3` stands for its two ends. */
function withoutHyphens(text: string): string {
  return text.replace(/(\S{1,256})\s+-\s+(\S{1,256})/g, ">=$1 <=$2");
}

function parseGroup(group: string, text: string): VersionConstraint {
  // An operator may stand apart from its version.
  const joined = group.trim().replace(/([=<>~^!])\s+/g, "$1");
  const parts = joined.split(/\s*,\s*|\s+/);
  const constraints = parts.map((part) => parseOne(part, text));
  const takesPrereleases = constraints.some(({ version }) => version.prerelease !== "");
  return (version) =>
    (version.prerelease === "" || takesPrereleases) &&
    constraints.every((constraint) => holds(constraint, version));
}

interface Constraint {
  readonly operator: string;
  readonly version: Version;
  /** Which parts are left open, by a wildcard or by saying nothing. */
  readonly open: "none" | "all" | "minor" | "patch";
}

function parseOne(part: string, text: string): Constraint {
  const [all, operator = "", major = "", minor, patch, prerelease = ""] =
    oneConstraint.exec(part) ?? [];
  if (all === undefined) throw new Failure("usage", `improper constraint: ${text}`);
  const digits = major.replace(/^v/, "");
  const isOpen = (each: string | undefined) => each === undefined || /^[xX*]$/.test(each);
  const open = isOpen(digits) ? "all" : isOpen(minor) ? "minor" : isOpen(patch) ? "patch" : "none";
  const valueOf = (each: string | undefined, known: boolean) => BigInt(known ? (each ?? 0) : 0);
  const version = {
    major: valueOf(digits, open !== "all"),
    minor: valueOf(minor, open === "patch" || open === "none"),
    patch: valueOf(patch, open === "none"),
    prerelease: prerelease.slice(1),
  };
  return { operator, version, open };
}

function holds(constraint: Constraint, found: Version): boolean {
  const { operator, version: wanted, open } = constraint;
  const order = compareVersions(found, wanted);
  switch (operator) {
    case "":
    case "=":
      return open === "none" ? order === 0 : isNear(constraint, found);
    case "!=":
      return !isSame(constraint, found, order);
    case ">":
      return isBeyond(constraint, found, order);
    case "<":
      return order < 0;
    case ">=":
    case "=>":
      return order >= 0;
    case "<=":
    case "=<":
      return isUpTo(constraint, found, order);
    case "~":
    case "~>":
      return isNear(constraint, found);
    default:
      return isCompatible(constraint, found, order);
  }
}

function isSame({ version: wanted, open }: Constraint, found: Version, order: number): boolean {
  if (open === "none") return order === 0;
  if (found.major !== wanted.major) return false;
  return open === "minor" || (open === "patch" && found.minor === wanted.minor);
}

/** What is beyond `11` is at least `12`. */
function isBeyond({ version: wanted, open }: Constraint, found: Version, order: number): boolean {
  if (open === "none" || found.major !== wanted.major) return order > 0;
  if (open === "minor") return false;
  return open === "patch" ? found.minor > wanted.minor : order > 0;
}

function isUpTo({ version: wanted, open }: Constraint, found: Version, order: number): boolean {
  if (open === "none") return order <= 0;
  if (found.major > wanted.major) return false;
  return !(found.major === wanted.major && found.minor > wanted.minor && open !== "minor");
}

function isNear({ version: wanted, open }: Constraint, found: Version): boolean {
  if (compareVersions(found, wanted) < 0) return false;
  const zero = wanted.major === 0n && wanted.minor === 0n && wanted.patch === 0n;
  if (zero && (open === "none" || open === "all")) return true;
  return found.major === wanted.major && (found.minor === wanted.minor || open === "minor");
}

/** As a caret means it: no change left of the first part that is not zero. */
function isCompatible(
  { version: wanted, open }: Constraint,
  found: Version,
  order: number,
): boolean {
  if (order < 0) return false;
  if (wanted.major > 0n || open === "minor") return found.major === wanted.major;
  if (found.major > 0n) return false;
  if (wanted.minor > 0n || open === "patch") return found.minor === wanted.minor;
  if (found.minor > 0n) return false;
  return found.patch === wanted.patch;
}
