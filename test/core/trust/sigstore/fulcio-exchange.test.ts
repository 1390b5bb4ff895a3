import { describe, expect, test } from "bun:test";

import { parseIntermediates, parseLeaf } from "../../../../core/trust/sigstore/authorities.ts";
import { parseCertificate } from "../../../../core/trust/sigstore/certificate.ts";
import { verifyFulcioCertificate } from "../../../../core/trust/sigstore/fulcio.ts";
import { certifiedKey } from "../../../../core/trust/sigstore/fulcio-exchange.ts";
import { parseIdentityToken } from "../../../../core/trust/sigstore/identity-token.ts";
import { certificate } from "../../../support/authority.ts";
import { rejection } from "../../../support/rejection.ts";
import { withService } from "../../../support/service-access.ts";
import {
  type ServerWish,
  type SigstoreServers,
  startSigstoreServers,
} from "../../../support/sigstore-servers.ts";

const certify = (servers: SigstoreServers, token = servers.token()) =>
  withService((access) => certifiedKey(parseIdentityToken(token), new URL(servers.origin), access));

async function reasonWith(wish: ServerWish): Promise<string> {
  await using servers = startSigstoreServers(wish);
  return (await rejection(certify(servers))).message;
}

describe("certifiedKey", () => {
  test("returns a key, and a certificate for whomever the token is about", async () => {
    await using servers = startSigstoreServers();
    const { key, certificate: leaf, chain } = await certify(servers);
    const claimed = { leaf: parseLeaf(leaf), intermediates: parseIntermediates(chain) };
    const identity = {
      roots: [parseCertificate(servers.root.bytes)],
      oidcIssuer: servers.origin,
      subjectEmail: "jo@example.com",
    };
    verifyFulcioCertificate(claimed, identity, new Date());
    expect(key.type).toBe("private");
    expect(claimed.intermediates).toHaveLength(1);
  });

  test.each<[string, ServerWish, string]>([
    [
      "a refusal",
      { intercept: () => new Response("no", { status: 403 }) },
      "unexpected HTTP status 403",
    ],
    [
      "no certificate",
      { intercept: () => new Response("hello") },
      "answered without a certificate",
    ],
    [
      "a certificate of another key",
      { intercept: () => new Response(certificate().pem) },
      "certified another key than ours",
    ],
  ])("refuses %s", async (_, wish, why) => {
    expect(await reasonWith(wish)).toContain(why);
  });

  test("shows no token (O2)", async () => {
    await using servers = startSigstoreServers();
    const forged = `${servers.token().slice(0, -8)}AAAAAAAA`;
    const { message } = await rejection(certify(servers, forged));
    expect(message).toContain("unexpected HTTP status 401");
    expect(message).not.toContain(forged);
  });
});
