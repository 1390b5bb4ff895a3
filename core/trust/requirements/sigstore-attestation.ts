// sigstoreAttestation: a requirement of our own, for what somebody has attested about an image.

import type { PolicyRequirement } from "../gate.ts";
import { checkPointer } from "../sigstore/statement.ts";
import {
  entriesOf,
  type Members,
  membersOf,
  type Placed,
  quoted,
  textIn,
  wrong,
} from "../strict-json.ts";
import { bundleMembers, describeBundleRule, parseBundleTrust } from "./bundle-members.ts";
import type { AssertedValue, BundleRule } from "./bundle-rule.ts";

/** Wants a statement of one type about this manifest that holds certain values. */
export interface SigstoreAttestation extends PolicyRequirement, BundleRule {
  readonly type: "sigstoreAttestation";
}

/** Parses a sigstoreAttestation requirement, and reads no key. Fails with `config`. */
export function parseSigstoreAttestation(requirement: Placed): SigstoreAttestation {
  const members = membersOf(requirement, [...bundleMembers, "assertions"]);
  const predicateType = textIn(members, "predicateType");
  if (predicateType === undefined) throw wrong(requirement, "predicateType not specified");
  const rule: BundleRule = {
    ...parseBundleTrust(requirement, members),
    predicateType,
    subjects: "several",
    assertions: assertionsIn(members),
  };
  return {
    type: "sigstoreAttestation",
    // It says something about the image, and not that somebody stands for it.
    verifiesSignatures: false,
    readsBundles: true,
    ...rule,
    wants: describeBundleRule(rule),
    async checkKeys(now) {
      const { bundleKeyFindings } = await import("./sigstore-keys.ts");
      return bundleKeyFindings(rule, now);
    },
    async decide(candidate, judging) {
      const { decideByBundles } = await import("./bundle-verdict.ts");
      return decideByBundles(rule, candidate, judging);
    },
  };
}

function assertionsIn(members: Members): ReadonlyMap<string, AssertedValue> {
  const assertions = new Map<string, AssertedValue>();
  const object = members.get("assertions");
  if (object === undefined) return assertions;
  for (const [pointer, member] of entriesOf(object)) {
    const { value } = member;
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") {
      throw wrong(member, `assertion ${quoted(pointer)} is neither text, number nor truth value`);
    }
    checkPointer(pointer);
    assertions.set(pointer, value);
  }
  return assertions;
}
