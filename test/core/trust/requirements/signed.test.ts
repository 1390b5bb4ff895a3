import { describe, expect, test } from "bun:test";

import { digestOf } from "../../../../core/content/digest.ts";
import {
  encodeSignatureBlob,
  type SignatureContent,
} from "../../../../core/content/signature-blob.ts";
import { Failure } from "../../../../core/failure.ts";
import { Candidate } from "../../../../core/trust/gate.ts";
import {
  decideBySignatures,
  type SignatureWish,
  type VerifiedClaims,
} from "../../../../core/trust/requirements/signed.ts";
import { judging } from "../../../support/judging.ts";
import { rejection } from "../../../support/rejection.ts";
import { sourceOf } from "../../../support/source-of.ts";

const bytes = Buffer.from("{}");
const name = { docker: "docker.io/library/a:1" };

/** A candidate with signatures that say how they are to fare. */
function candidateOf(...said: readonly (string | SignatureContent)[]): Candidate {
  const signatures = said.map((each) =>
    typeof each === "string" ? Buffer.from(`\x90${each}`, "latin1") : encodeSignatureBlob(each),
  );
  return new Candidate(
    sourceOf(name, {
      readManifest: async () => ({ bytes, mediaType: "" }),
      readSignatures: async () => signatures,
    }),
  );
}

const claims: Readonly<Record<string, VerifiedClaims>> = {
  good: { digest: digestOf(bytes), reference: "docker.io/library/a:1", by: "key K" },
  long: { digest: digestOf(bytes, "sha512"), reference: "a:1", by: "key K" },
  moved: {
    digest: digestOf(Buffer.from("other")),
    reference: "docker.io/library/b:1",
    by: "key K",
  },
  stranger: { digest: digestOf(bytes), reference: "docker.io/library/b:1", by: "key K" },
};

const wish: SignatureWish = {
  signedIdentity: { kind: "matchRepoDigestOrExact" },
  attempt(content) {
    if (content.kind === "sigstore") return { form: "sigstore" };
    const said = Buffer.from(content.message).subarray(1).toString();
    const verify = async () => {
      const found = claims[said];
      if (found !== undefined) return found;
      throw said === "bug" ? new TypeError("x is not a function") : new Failure("rejected", said);
    };
    return { form: "test", verify };
  },
};

const sigstore: SignatureContent = {
  kind: "sigstore",
  mediaType: "a/b",
  payload: bytes,
  annotations: {},
};

describe("decideBySignatures", () => {
  test.each<[string, readonly (string | SignatureContent)[]]>([
    ["one that is good", ["good"]],
    ["a good one behind others", ["forged", sigstore, "moved", "stranger", "good"]],
    ["one for the digest of another algorithm", ["long"]],
  ])("allows an image with %s", async (_, said) => {
    expect(await decideBySignatures(candidateOf(...said), judging(), wish)).toEqual({
      allowed: true,
    });
  });

  test.each<[string, readonly (string | SignatureContent)[], string]>([
    ["none", [], "A signature was required, but no signature exists"],
    ["one of another kind", [sigstore], "A signature was required, but no signature exists"],
    ["one that is forged", ["forged"], "forged"],
    [
      "one for other bytes, whatever it calls them",
      ["moved"],
      `Signature for digest ${claims["moved"]?.digest} does not match`,
    ],
    [
      "one for another name",
      ["stranger"],
      'Signature for identity "docker.io/library/b:1" is not accepted',
    ],
    [
      "several that are bad",
      ["forged", sigstore, "stranger"],
      'None of the signatures were accepted, reasons: forged; Signature for identity "docker.io/library/b:1" is not accepted',
    ],
  ])("refuses an image with %s", async (_, said, reason) => {
    expect(await decideBySignatures(candidateOf(...said), judging(), wish)).toEqual({
      allowed: false,
      reason,
    });
  });

  test("says more of an image without a signature, if there is more to say", async () => {
    const remark = (contents: readonly SignatureContent[]) => ` (${contents.length} others)`;
    expect(
      await decideBySignatures(candidateOf(sigstore), judging(), { ...wish, remark }),
    ).toMatchObject({ reason: "A signature was required, but no signature exists (1 others)" });
  });

  test("tells how each fared, up to the first that is accepted", async () => {
    const watched = judging();
    await decideBySignatures(candidateOf("forged", sigstore, "good", "good"), watched, wish);
    expect(watched.trials).toEqual([
      { number: 1, form: "test", outcome: { kind: "refused", reason: "forged" } },
      {
        number: 2,
        form: "sigstore",
        outcome: { kind: "ignored", reason: "the requirement is about others" },
      },
      {
        number: 3,
        form: "test",
        outcome: { kind: "accepted", by: "key K", reference: "docker.io/library/a:1" },
      },
    ]);
  });

  test("G4: fails, rather than decide, if one of the signatures cannot be read", async () => {
    const source = sourceOf(name, {
      readManifest: async () => ({ bytes, mediaType: "" }),
      readSignatures: async () => [Buffer.from("\x90good", "latin1"), Buffer.from("{}")],
    });
    const failure = await rejection(decideBySignatures(new Candidate(source), judging(), wish));
    expect(failure.message).toBe("unrecognized signature format, starting with binary 0x7b");
  });

  test("G4: fails, rather than go on, where a verification contradicts itself", async () => {
    const deciding = decideBySignatures(candidateOf("bug", "good"), judging(), wish);
    await expect(deciding).rejects.toThrow("x is not a function");
  });
});
