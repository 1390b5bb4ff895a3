// Bundle verdict: whether one of an image's bundles is what a requirement asks for.

import { digestHex } from "../../content/digest.ts";
import { Failure } from "../../failure.ts";
import { quoted, shown } from "../../foreign-text.ts";
import { manifestDigest } from "../../manifest/manifest.ts";
import type { TrialOutcome } from "../decision.ts";
import type { Candidate, Judging, Verdict } from "../gate.ts";
import { parseBundle } from "../sigstore/bundle.ts";
import { bundleLogKeysOf } from "../sigstore/bundled-entry.ts";
import {
  type BundleTrust,
  verifyBundle,
  type VerifiedStatement,
} from "../sigstore/bundle-check.ts";
import { findBundles } from "../sigstore/find-bundles.ts";
import { valueAt } from "../sigstore/statement.ts";
import type { TimestampAuthority } from "../sigstore/timestamp.ts";
import type { AuthoritySources, BundleRule } from "./bundle-rule.ts";
import { readAuthorities, readPublicKeys } from "./trusted-keys.ts";

/** Decides by the first bundle that is accepted; if none is, says what is wrong with each. */
export async function decideByBundles(
  rule: BundleRule,
  candidate: Candidate,
  { tried }: Pick<Judging, "tried">,
): Promise<Verdict> {
  const bundles = await findBundles(candidate);
  if (bundles.length === 0) return refused("A Sigstore bundle was required, but none exists");
  const trust = await readTrust(rule);
  const { bytes } = await candidate.manifest();
  const digest = manifestDigest(bytes, "sha256");
  const reasons: string[] = [];
  for (const [index, bundle] of bundles.entries()) {
    const outcome = outcomeOf(bundle, { rule, trust, hex: digestHex(digest) });
    tried({ number: index + 1, form: "sigstore bundle", outcome });
    if (outcome.kind === "accepted") return { allowed: true };
    if (outcome.kind === "refused") reasons.push(outcome.reason);
  }
  const [only = ""] = reasons;
  return refused(
    reasons.length === 1
      ? only
      : `None of the Sigstore bundles were accepted, reasons: ${reasons.join("; ")}`,
  );
}

function refused(reason: string): Verdict {
  return { allowed: false, reason };
}

interface Trial {
  readonly rule: BundleRule;
  readonly trust: BundleTrust;
  /** Of the manifest's SHA-256: statements know no other digests. */
  readonly hex: string;
}

function outcomeOf(bytes: Uint8Array, { rule, trust, hex }: Trial): TrialOutcome {
  try {
    const statement = verifyBundle(parseBundle(bytes), trust);
    checkStatement(statement, rule, hex);
    return { kind: "accepted", by: statement.by, reference: `sha256:${hex}` };
  } catch (error) {
    if (!(error instanceof Failure) || error.code === "canceled") throw error;
    return { kind: "refused", reason: error.message };
  }
}

function checkStatement(
  { subjects, predicateType, json }: VerifiedStatement,
  rule: BundleRule,
  hex: string,
): void {
  if (rule.subjects === "one" && subjects.length !== 1) {
    throw rejected(`Statement about ${subjects.length} subjects is not accepted`);
  }
  if (!subjects.includes(hex)) {
    throw rejected(`Statement about ${quoted(subjects[0] ?? "something else")} does not match`);
  }
  if (predicateType !== rule.predicateType) {
    throw rejected(
      `Statement of type ${quoted(predicateType)} is not accepted, ${quoted(rule.predicateType)} is wanted`,
    );
  }
  for (const [pointer, wanted] of rule.assertions) {
    const found = valueAt(json, pointer);
    if (found === wanted) continue;
    const said = found === undefined ? "nothing" : shown(JSON.stringify(found));
    throw rejected(
      `Statement has ${said} at ${quoted(pointer)}, ${JSON.stringify(wanted)} is wanted`,
    );
  }
}

async function readTrust({ signers, rekorKeys }: BundleRule): Promise<BundleTrust> {
  const logKeys = rekorKeys && bundleLogKeysOf(await readPublicKeys(rekorKeys, "Rekor public key"));
  if (signers.kind === "keys") {
    const keys = await readPublicKeys(signers.keys, "public key");
    return { kind: "keys", keys, ...(logKeys !== undefined && { logKeys }) };
  }
  const { identity, timestampAuthority } = signers;
  return {
    kind: "certificate",
    ...(await readAuthority(signers)),
    identity,
    ...(logKeys !== undefined && { logKeys }),
    ...(timestampAuthority !== undefined && {
      timestampAuthority: await readAuthority(timestampAuthority),
    }),
  };
}

async function readAuthority({
  authorities,
  intermediates,
}: AuthoritySources): Promise<TimestampAuthority> {
  return {
    roots: await readAuthorities(authorities, "CA certificates"),
    between:
      intermediates === undefined
        ? []
        : await readAuthorities(intermediates, "CA intermediate certificates"),
  };
}

function rejected(why: string): Failure {
  return new Failure("rejected", why);
}
