import { describe, expect, test } from "bun:test";

import {
  bundleKeyFindings,
  sigstoreKeyFindings,
} from "../../../../core/trust/requirements/sigstore-keys.ts";
import type { SigstoreTrust } from "../../../../core/trust/requirements/sigstore-rule.ts";
import { authority, noon } from "../../../support/authority.ts";
import { publicPem, signerKeys } from "../../../support/sigstore.ts";

const contents = (...texts: readonly string[]) =>
  ({ kind: "contents", contents: texts.map((text) => Buffer.from(text)) }) as const;
const missing = { kind: "files", paths: ["/proc/no-key"] } as const;
const signedIdentity = { kind: "matchRepository" } as const;
const dayMs = 24 * 60 * 60 * 1000;
const at = (days: number) => new Date(noon.getTime() + days * dayMs);
const ending = (days: number) => authority("root", { from: at(-100), to: at(days) }).pem;

const look = (trust: SigstoreTrust, rekorKeys?: typeof missing) =>
  sigstoreKeyFindings(
    { trust, signedIdentity, ...(rekorKeys !== undefined && { rekorKeys }) },
    noon,
  );

describe("sigstoreKeyFindings", () => {
  test("has nothing to say of good keys and certificates", async () => {
    const keys = contents(publicPem(signerKeys.publicKey));
    expect(await look({ kind: "keys", keys })).toEqual([]);
    expect(await look({ kind: "pki", roots: contents(ending(100)), subjectEmail: "e" })).toEqual(
      [],
    );
  });

  test("finds what is missing, or no key", async () => {
    expect(await look({ kind: "keys", keys: missing }, missing)).toMatchObject([
      { severity: "error", message: expect.stringMatching(/no such file or directory$/) },
      { severity: "error", message: expect.stringMatching(/no such file or directory$/) },
    ]);
    expect(await look({ kind: "keys", keys: contents("no key") })).toMatchObject([
      { severity: "error", message: expect.stringMatching(/^in the policy: /) },
    ]);
  });

  test("finds certificates that have expired, or soon will", async () => {
    const trust = {
      kind: "pki",
      roots: contents(ending(20)),
      intermediates: contents(ending(-1)),
      subjectEmail: "e",
    } as const;
    expect(await look(trust)).toEqual([
      { severity: "warning", message: "certificate 1 expires on 2026-07-05" },
      { severity: "error", message: "certificate 1 has expired on 2026-06-14" },
    ]);
    const authorities = contents(ending(-1));
    expect(
      await look({ kind: "fulcio", authorities, oidcIssuer: "i", subjectEmail: "e" }),
    ).toMatchObject([{ severity: "error" }]);
  });
});

test("bundleKeyFindings looks at all that a rule names", async () => {
  const rule = { predicateType: "p", subjects: "one", assertions: new Map() } as const;
  const identity = {
    oidcIssuer: "i",
    subject: { kind: "email", name: "e" },
    extensions: new Map(),
  } as const;
  const authorities = contents(ending(20));
  const certificate = {
    kind: "certificate",
    authorities,
    intermediates: missing,
    identity,
  } as const;
  const found = await bundleKeyFindings(
    { ...rule, signers: certificate, rekorKeys: missing },
    noon,
  );
  expect(found.map(({ severity }) => severity)).toEqual(["warning", "error", "error"]);
  const keys = contents(publicPem(signerKeys.publicKey));
  expect(await bundleKeyFindings({ ...rule, signers: { kind: "keys", keys } }, noon)).toEqual([]);
});
