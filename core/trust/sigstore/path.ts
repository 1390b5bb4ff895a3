// Path: from a certificate up to an authority that is trusted.
//
// See https://www.rfc-editor.org/rfc/rfc5280#section-6. Every certificate of the path has to be valid at
// one moment, which the caller names; revocation is not looked at, as Fulcio's certificates live for
// minutes.

import { limits } from "../../limits.ts";
import { Failure } from "../../failure.ts";
import { type Certificate, extensionIds, isSignedBy, keyOf } from "./certificate.ts";
import { publicKeyOf } from "./public-key.ts";

/** What a certificate is judged by. */
export interface PathWish {
  readonly leaf: Certificate;
  /** Certificates that may stand between; nobody vouches for them. */
  readonly intermediates: readonly Certificate[];
  /** Authorities that are trusted. */
  readonly roots: readonly Certificate[];
  readonly at: Date;
  /** What the leaf is used for; absent: signing code. */
  readonly purpose?: "timestamps";
}

const codeSigning = "1.3.6.1.5.5.7.3.3";
const timeStamping = "1.3.6.1.5.5.7.3.8";
const anyPurpose = "2.5.29.37.0";

/** Extensions that may be critical, because they are understood or say nothing against anybody. */
const understood: ReadonlySet<string> = new Set([
  extensionIds.keyUsage,
  extensionIds.alternativeNames,
  extensionIds.basicConstraints,
  extensionIds.policies,
  extensionIds.purposes,
]);

/**
 * Returns a path from the leaf to a root, both included, by which the leaf may be used so.
 *
 * Fails with `rejected` if there is none, and says why the most promising one is none.
 */
export function verifyPath(wish: PathWish): readonly Certificate[] {
  const search = new Search(wish);
  const path = search.from([wish.leaf]);
  if (path !== undefined) return path;
  throw rejected(search.why ?? "certificate signed by unknown authority");
}

class Search {
  /** Why a path that led on came to nothing. */
  why: string | undefined;
  readonly #wish: PathWish;
  #checks = 0;

  constructor(wish: PathWish) {
    this.#wish = wish;
  }

  from(path: readonly Certificate[]): readonly Certificate[] | undefined {
    const { roots, intermediates } = this.#wish;
    const last = path.at(-1);
    if (last === undefined) return undefined;
    const fault = faultOf(last, path.length - 1, this.#wish);
    if (fault !== undefined) {
      this.why ??= fault;
      return undefined;
    }
    if (roots.some((root) => same(root, last))) return path;
    if (path.length >= limits.certificatePath) {
      this.why ??= `a path of more than ${limits.certificatePath} certificates`;
      return undefined;
    }
    for (const issuer of [...roots, ...intermediates]) {
      if (Buffer.compare(issuer.subject, last.issuer) !== 0) continue;
      if (path.some((each) => same(each, issuer))) continue;
      if (!this.#isIssuedBy(last, issuer)) continue;
      const found = this.from([...path, issuer]);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
    if (++this.#checks > limits.certificateChecks) {
      throw rejected(`more than ${limits.certificateChecks} signatures of certificates to check`);
    }
    return isSignedBy(certificate, publicKeyOf(keyOf(issuer)).key);
  }
}

/** Returns what is wrong with a certificate that has so many others below it. */
function faultOf(
  certificate: Certificate,
  below: number,
  { at, purpose }: PathWish,
): string | undefined {
  const { notBefore, notAfter, extensions, purposes, authority, signsCertificates } = certificate;
  if (at < notBefore) {
    return `certificate has expired or is not yet valid: current time ${spelled(at)} is before ${spelled(notBefore)}`;
  }
  if (at > notAfter) {
    return `certificate has expired or is not yet valid: current time ${spelled(at)} is after ${spelled(notAfter)}`;
  }
  const name = extensions.has(extensionIds.nameConstraints);
  if (name) return "a certificate with name constraints";
  for (const [id, { critical }] of extensions) {
    if (critical && !understood.has(id)) return `unhandled critical extension ${id}`;
  }
  if (!suits(purposes, below, purpose)) return "certificate specifies an incompatible key usage";
  if (below === 0) return undefined;
  if (authority?.isAuthority !== true || signsCertificates === false) {
    return "certificate is not authorized to sign other certificates";
  }
  if (authority.pathLength !== undefined && below - 1 > authority.pathLength) {
    return "too many intermediates for path length constraint";
  }
  return undefined;
}

/** A certificate that gives no purpose may be used for any, but timestamps have to be given as one. */
function suits(
  purposes: Certificate["purposes"],
  below: number,
  purpose: PathWish["purpose"],
): boolean {
  if (purpose === "timestamps" && below === 0) return purposes?.includes(timeStamping) === true;
  const wanted = purpose === "timestamps" ? timeStamping : codeSigning;
  return purposes === undefined || [wanted, anyPurpose].some((id) => purposes.includes(id));
}

function same(one: Certificate, other: Certificate): boolean {
  return Buffer.compare(one.bytes, other.bytes) === 0;
}

function spelled(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, "Z");
}

function rejected(why: string): Failure {
  return new Failure("rejected", why);
}
