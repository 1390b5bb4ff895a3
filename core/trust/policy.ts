// Policy: policy.json, which says what may be carried.

import type { ImageName } from "../image/name.ts";
import type { PolicyScope } from "./decision.ts";
import type { Policy, PolicyRequirement } from "./gate.ts";
import { insecureAcceptAnything, reject } from "./requirements/basic.ts";
import { parseSignedBaseLayer } from "./requirements/signed-base-layer.ts";
import { parseSignedBy } from "./requirements/signed-by.ts";
import { parseSigstoreAttestation } from "./requirements/sigstore-attestation.ts";
import { parseSigstoreBundle } from "./requirements/sigstore-bundle.ts";
import { parseSigstoreSigned } from "./requirements/sigstore-signed.ts";
import {
  entriesOf,
  itemsOf,
  type Members,
  membersOf,
  parseDocument,
  type Placed,
  quoted,
  typeOf,
  unknownKey,
  wrong,
} from "./strict-json.ts";

/** What a policy asks a transport. */
export interface PolicyTransport {
  /** Throws if `scope` could never match an image of this transport. */
  checkPolicyScope(scope: string): void;
}

/** A policy that was written down. */
export interface ParsedPolicy extends Policy {
  /** All of its entries, the default first. */
  readonly entries: readonly PolicyEntry[];
}

/** The requirements for some images, and where they stand. */
export interface PolicyEntry {
  /** Absent: the default of the policy. */
  readonly scope?: PolicyScope;
  readonly requirements: readonly PolicyRequirement[];
}

/**
 * Parses a policy.json. For transports that are not in `transports`, any scope is taken.
 *
 * Fails with `config` on whatever could be read in two ways or that somebody may have meant otherwise:
 * unknown keys, repeated keys, wrong types, scopes that match nothing. The words are the original's.
 */
export function parsePolicy(
  bytes: Uint8Array,
  transports: Readonly<Record<string, PolicyTransport>>,
): ParsedPolicy {
  const document = parseDocument(bytes);
  const members = membersOf(document, ["default", "transports"]);
  const fallback = members.get("default");
  if (fallback === undefined) throw wrong(document, "Default policy is missing");
  const requirements = parseRequirements(fallback);
  const scopes = new Map<string, Scopes>();
  const perTransport = members.get("transports");
  if (perTransport !== undefined) {
    for (const [name, member] of entriesOf(perTransport)) {
      const transport = Object.hasOwn(transports, name) ? transports[name] : undefined;
      scopes.set(name, parseScopes(entriesOf(member), transport));
    }
  }
  return {
    entries: entriesIn(requirements, scopes),
    requirementsFor: (image) => select(image, scopes)?.requirements ?? requirements,
    scopeFor: (image) => select(image, scopes)?.scope,
  };
}

function entriesIn(
  fallback: Requirements,
  transports: ReadonlyMap<string, Scopes>,
): readonly PolicyEntry[] {
  const scoped = [...transports].flatMap(([transport, scopes]) =>
    [...scopes].map(([name, requirements]) => ({ scope: { transport, name }, requirements })),
  );
  return [{ requirements: fallback }, ...scoped];
}

type Requirements = readonly PolicyRequirement[];
type Scopes = ReadonlyMap<string, Requirements>;

/** The narrowest scope decides alone: nothing is inherited from wider ones. */
function select(
  image: ImageName,
  transports: ReadonlyMap<string, Scopes>,
): { readonly scope: PolicyScope; readonly requirements: Requirements } | undefined {
  const { transport } = image;
  const scopes = transports.get(transport);
  // An empty identity would match the transport's default before any namespace had a chance.
  const identity = image.policyIdentity === "" ? [] : [image.policyIdentity];
  for (const name of [...identity, ...image.policyNamespaces, ""]) {
    const requirements = scopes?.get(name);
    if (requirements !== undefined) return { scope: { transport, name }, requirements };
  }
  return undefined;
}

function parseScopes(entries: Members, transport: PolicyTransport | undefined): Scopes {
  const scopes = new Map<string, Requirements>();
  for (const [scope, member] of entries) {
    if (scope !== "" && transport !== undefined) checkScope(scope, member, transport);
    scopes.set(scope, parseRequirements(member));
  }
  return scopes;
}

function checkScope(scope: string, member: Placed, transport: PolicyTransport): void {
  try {
    transport.checkPolicyScope(scope);
  } catch (error) {
    throw unknownKey(member, scope, error);
  }
}

function parseRequirements(list: Placed): Requirements {
  const items = list.value === null ? [] : itemsOf(list);
  if (items.length === 0) {
    throw wrong(list, "List of verification policy requirements must not be empty");
  }
  return items.map(parseRequirement);
}

function parseRequirement(requirement: Placed): PolicyRequirement {
  const type = typeOf(requirement);
  switch (type) {
    case "insecureAcceptAnything":
      membersOf(requirement, ["type"]);
      return insecureAcceptAnything;
    case "reject":
      membersOf(requirement, ["type"]);
      return reject;
    case "signedBy":
      return parseSignedBy(requirement);
    case "sigstoreSigned":
      return parseSigstoreSigned(requirement);
    case "sigstoreBundle":
      return parseSigstoreBundle(requirement);
    case "sigstoreAttestation":
      return parseSigstoreAttestation(requirement);
    case "signedBaseLayer":
      return parseSignedBaseLayer(requirement);
    default:
      throw wrong(requirement, `Unknown policy requirement type ${quoted(type)}`);
  }
}
