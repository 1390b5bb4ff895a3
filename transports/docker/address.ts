// Addresses: where nobody may lead us, and where secrets may go.

import { Failure } from "../../core/failure.ts";
import { isWithin, parseIp } from "../../core/ip-address.ts";
import { redactedUrl } from "../../core/redact.ts";

/** Tells whether two URLs have scheme, host and port in common. Secrets stay within one origin. */
export function sameOrigin(one: URL, other: URL): boolean {
  return one.origin === other.origin;
}

/** Who leads us, and under which rules. */
export interface Guide {
  /** Any URL of the registry that names the address. */
  readonly registry: URL;
  /** Whether plain http and unverified certificates are allowed on this side. */
  readonly insecure: boolean;
}

/**
 * Fails with `refused` if `target` is no address to be led to by `guide`: another scheme than http(s),
 * http where the registry is spoken to by https and must be, or a kind of address that means something
 * else on every machine, unless the registry itself is of that kind.
 */
export function checkAddress(target: URL, guide: Guide): void {
  if (sameOrigin(target, guide.registry)) return;
  if (target.protocol !== "https:" && target.protocol !== "http:") {
    throw refused(target, `its scheme is ${target.protocol.slice(0, -1)}`);
  }
  if (target.protocol === "http:" && guide.registry.protocol === "https:" && !guide.insecure) {
    throw refused(target, "it leaves https for http", "allow it by --tls-verify=false");
  }
  const kind = kindOf(target.hostname);
  if (kind !== undefined && kind !== kindOf(guide.registry.hostname)) {
    throw refused(target, `it is a ${kind} address`);
  }
}

/**
 * Parses the address of a token service that `guide.registry` names.
 *
 * Beyond `checkAddress`, a literal address of this machine or link is taken only if it is the
 * registry's own host and port, and http only from a registry that is itself spoken to by http.
 */
export function parseRealm(text: string, guide: Guide): URL {
  const realm = URL.parse(text);
  if (realm === null) {
    throw new Failure("refused", "The realm of the registry's token service is no URL");
  }
  if (realm.protocol === "http:" && guide.registry.protocol !== "http:") {
    throw refused(realm, "it is a token service without https");
  }
  checkAddress(realm, guide);
  const own = realm.host === guide.registry.host;
  if (!own && parseIp(realm.hostname) !== undefined && kindOf(realm.hostname) !== undefined) {
    throw refused(realm, `it is a token service at a ${kindOf(realm.hostname)} address`);
  }
  // User information would be sent along as a password that nobody gave us.
  realm.username = realm.password = "";
  return realm;
}

/** Kinds of addresses that mean something else on every machine. */
type AddressKind = "loopback" | "link-local" | "metadata" | "unspecified" | "multicast";

const ranges: Readonly<Record<AddressKind, readonly string[]>> = {
  loopback: ["127.0.0.0/8", "::1/128"],
  metadata: ["169.254.169.254/32", "100.100.100.200/32", "fd00:ec2::254/128"],
  "link-local": ["169.254.0.0/16", "fe80::/10"],
  unspecified: ["0.0.0.0/8", "::/128"],
  multicast: ["224.0.0.0/4", "255.255.255.255/32", "ff00::/8"],
};

function kindOf(hostname: string): AddressKind | undefined {
  const name = hostname.replace(/\.$/, "");
  if (name === "localhost" || name.endsWith(".localhost")) return "loopback";
  if (name === "metadata.google.internal") return "metadata";
  const address = parseIp(name);
  if (address === undefined) return undefined;
  for (const [kind, of] of Object.entries(ranges)) {
    if (isWithin(address, of) || isWithin(embedded(address), of)) return kind as AddressKind;
  }
  return undefined;
}

/** The IPv4 address that a translating or compatible IPv6 address stands for. */
function embedded(address: Uint8Array): Uint8Array {
  if (!isWithin(address, ["64:ff9b::/96", "::/96"])) return address;
  // The two addresses below ::/96 that are none of IPv4.
  if (isWithin(address, ["::/127"])) return address;
  return Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...address.subarray(12));
}

function refused(target: URL, why: string, hint?: string): Failure {
  return new Failure("refused", `The registry leads to ${redactedUrl(target)}, but ${why}`, {
    hint,
  });
}
