// PKI: certificates of one's own authorities, without any log.

import { Failure } from "../../failure.ts";
import { quoted } from "../../foreign-text.ts";
import { parseIp } from "../../ip-address.ts";
import { type Certificate, keyOf } from "./certificate.ts";
import { checkEmail, type ClaimedCertificates, verifyLeafPath } from "./fulcio.ts";
import { type PublicKey, publicKeyOf } from "./public-key.ts";

/** Whom one believes, and who is to have signed. */
export interface PkiIdentity {
  readonly roots: readonly Certificate[];
  /** Certificates that may stand between, besides those that come with a signature. */
  readonly intermediates: readonly Certificate[];
  readonly subjectEmail?: string;
  readonly subjectHostname?: string;
}

/**
 * Returns the key of a certificate that is good at one moment and names this identity.
 *
 * Fails with `rejected`, in the original's words.
 */
export function verifyPkiCertificate(
  { leaf, intermediates }: ClaimedCertificates,
  identity: PkiIdentity,
  at: Date,
): PublicKey {
  const { roots, subjectEmail, subjectHostname } = identity;
  const between = [...identity.intermediates, ...intermediates];
  verifyLeafPath({ leaf, intermediates: between, roots, at });
  if (subjectEmail !== undefined) checkEmail(leaf, subjectEmail);
  if (subjectHostname !== undefined && !isFor(leaf, subjectHostname)) {
    const found = leaf.names.hosts.map((each) => quoted(each)).join(" ");
    throw new Failure(
      "rejected",
      `Unexpected subject hostname: certificate is valid for [${found}], not ${quoted(subjectHostname)}`,
    );
  }
  return publicKeyOf(keyOf(leaf));
}

/** As https://www.rfc-editor.org/rfc/rfc6125#section-6.4: a star stands for one whole first label. */
function isFor({ names }: Certificate, host: string): boolean {
  const address = parseIp(host);
  if (address !== undefined) {
    // Those of IPv4 are four bytes in a certificate, and the last four of sixteen here.
    const four = address.subarray(12);
    return names.addresses.some(
      (each) =>
        Buffer.compare(each, address) === 0 ||
        (!host.includes(":") && Buffer.compare(each, four) === 0),
    );
  }
  const wanted = labelsOf(host);
  if (wanted === undefined) return false;
  return names.hosts.some((pattern) => {
    const labels = labelsOf(pattern);
    if (labels?.length !== wanted.length) return false;
    return labels.every(
      (label, index) => label === wanted[index] || (label === "*" && index === 0),
    );
  });
}

function labelsOf(host: string): readonly string[] | undefined {
  const labels = host.toLowerCase().replace(/\.$/, "").split(".");
  return labels.every((label) => /^[a-z0-9_*-]+$/.test(label)) ? labels : undefined;
}
