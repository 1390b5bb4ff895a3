// Scope: the keys by which policy.json singles out images of a store.

import { isDigest } from "../../core/content/digest.ts";
import { Failure } from "../../core/failure.ts";
import { isId } from "./name.ts";

/** Fails with `config` unless `scope` is a store in brackets, and perhaps names or IDs of images. */
export function checkScope(scope: string): void {
  const end = scope.indexOf("]");
  if (!scope.startsWith("[") || end < 0) throw invalid("invalid reference");
  const inside = scope.slice(1, end);
  const at = inside.indexOf("@");
  if (at === 0 || inside === "") throw invalid("invalid reference");
  const root = inside.slice(at + 1);
  if (!root.startsWith("/")) throw invalid("path name is not absolute");
  const fields = scope.slice(end + 1).split("@");
  const [, second, third, ...surplus] = fields;
  if (surplus.length > 0) throw invalid("invalid reference");
  if (second === undefined) return;
  if (third === undefined) {
    if (isDigest(second) || isId(second)) return;
    throw invalid(`${second} is neither a valid digest(${digestWords}) nor a valid ID(${idWords})`);
  }
  if (!isDigest(second)) throw invalid(digestWords);
  if (!isId(third)) throw invalid(idWords);
}

const digestWords = "invalid checksum digest format";
const idWords = "image IDs have 64 lower-case hexadecimal digits";

function invalid(message: string): Failure {
  return new Failure("config", message);
}
