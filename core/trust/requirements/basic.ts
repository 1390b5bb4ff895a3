// The requirements that look at nothing, insecureAcceptAnything and reject, and a policy of nothing else.

import { spelled } from "../../image/name.ts";
import type { Policy, PolicyRequirement } from "../gate.ts";

/** Accepts every image. */
export const insecureAcceptAnything: PolicyRequirement = {
  type: "insecureAcceptAnything",
  verifiesSignatures: false,
  decide: async () => ({ allowed: true }),
};

/** The policy that accepts every image. */
export const acceptEverything: Policy = { requirementsFor: () => [insecureAcceptAnything] };

/** Refuses every image. */
export const reject: PolicyRequirement = {
  type: "reject",
  verifiesSignatures: false,
  decide: async ({ name }) => ({
    allowed: false,
    reason: `Running image ${spelled(name)} is rejected by policy.`,
  }),
};
