import { describe, expect } from "bun:test";
import { generateKeyPairSync } from "node:crypto";

import { parseCertificate } from "../../../../core/trust/sigstore/certificate.ts";
import { verifyTimestamp } from "../../../../core/trust/sigstore/timestamp.ts";
import { authority, ecKeys, forCode, type Issued } from "../../../support/authority.ts";
import { testWith } from "../../../support/needs.ts";
import { randomBytes } from "../../../support/random.ts";
import { timestampIssuer, type TimestampIssuer, timestampOf } from "../../../support/timestamps.ts";

const test = testWith("openssl");
const seen = new TextEncoder().encode("a signature");

const trusting = (roots: readonly Issued[], between: readonly Issued[] = []) => ({
  roots: roots.map(({ bytes }) => parseCertificate(bytes)),
  between: between.map(({ bytes }) => parseCertificate(bytes)),
});
const verify = (issuer: TimestampIssuer, response = timestampOf(seen, issuer)) =>
  verifyTimestamp(response, seen, trusting([issuer.root]));

describe("verifyTimestamp", () => {
  for (const [name, keys] of [
    ["P-256", ecKeys()],
    ["P-384", ecKeys("P-384")],
    ["RSA", generateKeyPairSync("rsa", { modulusLength: 2048 })],
  ] as const) {
    test(`returns the time of an authority with ${name}`, () => {
      const at = verify(timestampIssuer({ keys }));
      expect(Math.abs(Date.now() - at.getTime())).toBeLessThan(60_000);
    });
  }

  test("takes certificates from the policy where none come along, and other hashes", () => {
    const issuer = timestampIssuer();
    const bare = timestampOf(seen, issuer, { certificates: false, hash: "sha512" });
    verifyTimestamp(bare, seen, trusting([issuer.root], [issuer.signer]));
    verifyTimestamp(bare, seen, trusting([issuer.signer]));
    expect(() => verifyTimestamp(bare, seen, trusting([issuer.root]))).toThrow(
      "not of an authority that is trusted",
    );
  });

  test("refuses what is about something else, or of somebody else", () => {
    const issuer = timestampIssuer();
    const response = timestampOf(seen, issuer);
    const other = new TextEncoder().encode("another signature");
    const trust = trusting([issuer.root]);
    expect(() => verifyTimestamp(response, other, trust)).toThrow("of another signature");
    const stranger = trusting([authority("timestamp root")]);
    expect(() => verifyTimestamp(response, seen, stranger)).toThrow("unknown authority");
    const weak = timestampOf(seen, issuer, { hash: "sha1" });
    expect(() => verifyTimestamp(weak, seen, trust)).toThrow(
      "the hash 1.3.14.3.2.26, which is not taken",
    );
  });

  test("refuses authorities that are there for other things, or no longer there", () => {
    // openssl gives no timestamps with these, so they are vouched for afterwards.
    const issuer = timestampIssuer();
    const response = timestampOf(seen, issuer, { certificates: false });
    const keys = { privateKey: issuer.signer.key, publicKey: issuer.signer.publicKey };
    const code = timestampIssuer({ keys, extensions: [forCode] });
    const any = timestampIssuer({ keys, extensions: [] });
    const ended = timestampIssuer({ keys, to: new Date(Date.now() - 60_000) });
    for (const [{ root, signer }, why] of [
      [code, "incompatible key usage"],
      [any, "incompatible key usage"],
      [ended, "has expired"],
    ] as const) {
      const trust = trusting([root], [signer]);
      expect(() => verifyTimestamp(response, seen, trust)).toThrow(why);
    }
  });

  test("never accepts a changed answer, and fails on each in the usual way", () => {
    const issuer = timestampIssuer();
    const response = timestampOf(seen, issuer);
    const at = verify(issuer, response).getTime();
    const trust = trusting([issuer.root]);
    const noise = randomBytes("timestamp", 3000);
    for (let round = 0; round < 1000; round++) {
      const [high = 0, low = 0, value = 0] = noise.subarray(round * 3);
      const place = (high * 256 + low) % response.length;
      const changed = round % 5 === 0 ? response.subarray(0, place) : response.with(place, value);
      try {
        // Parts that nobody signs, such as the version, may differ; what counts may not.
        expect(verifyTimestamp(changed, seen, trust).getTime()).toBe(at);
      } catch (error) {
        expect(["corrupt", "rejected"]).toContain(
          (error as { code?: string }).code ?? String(error),
        );
      }
    }
  });
});
