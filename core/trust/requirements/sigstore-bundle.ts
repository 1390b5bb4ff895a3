// sigstoreBundle: a requirement of our own, for signatures as cosign makes them since its version 3.

import type { PolicyRequirement } from "../gate.ts";
import { membersOf, type Placed, textIn } from "../strict-json.ts";
import { bundleMembers, describeBundleRule, parseBundleTrust } from "./bundle-members.ts";
import type { BundleRule } from "./bundle-rule.ts";

/** Wants a bundle that says that somebody has signed this manifest, under whatever name. */
export interface SigstoreBundle extends PolicyRequirement, BundleRule {
  readonly type: "sigstoreBundle";
}

const signing = "https://sigstore.dev/cosign/sign/v1";

/** Parses a sigstoreBundle requirement, and reads no key. Fails with `config`. */
export function parseSigstoreBundle(requirement: Placed): SigstoreBundle {
  const members = membersOf(requirement, bundleMembers);
  const rule: BundleRule = {
    ...parseBundleTrust(requirement, members),
    predicateType: textIn(members, "predicateType") ?? signing,
    subjects: "one",
    assertions: new Map(),
  };
  return {
    type: "sigstoreBundle",
    verifiesSignatures: true,
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
