import { describe, expect, test } from "bun:test";

import { parsePublicKey } from "../../../../core/trust/sigstore/public-key.ts";
import { verifySet } from "../../../../core/trust/sigstore/rekor.ts";
import { uploadEntry } from "../../../../core/trust/sigstore/rekor-upload.ts";
import { rejection } from "../../../support/rejection.ts";
import { withService } from "../../../support/service-access.ts";
import { type ServerWish, startSigstoreServers } from "../../../support/sigstore-servers.ts";
import {
  logKeys,
  payloadOf,
  publicPem,
  rawSignature,
  signerKeys,
} from "../../../support/sigstore.ts";

const payload = payloadOf();
const signature = rawSignature(payload, signerKeys.privateKey);
const verifier = publicPem(signerKeys.publicKey);
const entry = { payload, signature, verifier };

async function upload(wish: ServerWish, times = 1): Promise<string> {
  await using servers = startSigstoreServers(wish);
  let set = "";
  for (let time = 0; time < times; time++) {
    set = await withService((access) => uploadEntry(entry, new URL(servers.origin), access));
  }
  return set;
}

describe("uploadEntry", () => {
  test.each([
    ["a new signature", 1],
    ["one that the log has already", 2],
  ])("returns a promise that can be verified for %s", async (_, times) => {
    const set = await upload({}, times);
    const logged = { payload, signature, verifier: parsePublicKey(verifier).bytes };
    const at = verifySet(set, logged, [logKeys.publicKey]);
    expect(Math.abs(Date.now() - at.getTime())).toBeLessThan(60_000);
  });

  const answering = (status: number, body: unknown, headers = {}): ServerWish => ({
    intercept: () => Response.json(body, { status, headers }),
  });
  test.each([
    ["no entry", answering(201, {}), "expected 1 Rekor entry, got 0"],
    ["two entries", answering(201, { a: {}, b: {} }), "expected 1 Rekor entry, got 2"],
    ["half an entry", answering(201, { a: { body: "x" } }), "an entry that lacks something"],
    ["a refusal", answering(400, "no"), "unexpected HTTP status 400"],
    ["a conflict without a place", answering(409, ""), "unexpected HTTP status 409"],
    [
      "a conflict that leads elsewhere",
      answering(409, "", { location: "http://127.0.0.1:1/../../etc/passwd" }),
      "unexpected HTTP status 409",
    ],
    ["trouble that does not pass", answering(503, ""), "unexpected HTTP status 503"],
  ])("refuses %s", async (_, wish, why) => {
    const { message } = await rejection(upload(wish));
    expect(message).toStartWith("Error uploading a log entry: ");
    expect(message).toContain(why);
  });
});
