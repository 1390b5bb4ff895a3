// signedBaseLayer: a requirement that policies may name, and that nobody ever evaluated.

import type { PolicyRequirement } from "../gate.ts";
import { parseSignedIdentity, type SignedIdentity } from "../identity.ts";
import { membersOf, needed, type Placed } from "../strict-json.ts";

/** Refuses every image, as the original does. */
export interface SignedBaseLayer extends PolicyRequirement {
  readonly type: "signedBaseLayer";
  readonly baseLayerIdentity: SignedIdentity;
}

/** Parses a signedBaseLayer requirement. Fails with `config`. */
export function parseSignedBaseLayer(requirement: Placed): SignedBaseLayer {
  const members = membersOf(requirement, ["type", "baseLayerIdentity"]);
  const identity = needed(requirement, members, "baseLayerIdentity");
  return {
    type: "signedBaseLayer",
    verifiesSignatures: false,
    baseLayerIdentity: parseSignedIdentity(identity),
    decide: async () => ({ allowed: false, reason: "signedBaseLayer not implemented yet!" }),
  };
}
