import { expect, test } from "bun:test";

import {
  readAuthorities,
  readPublicKeys,
} from "../../../../core/trust/requirements/trusted-keys.ts";
import { authority } from "../../../support/authority.ts";
import { publicPem, signerKeys } from "../../../support/sigstore.ts";

const held = (...texts: string[]) =>
  ({ kind: "contents", contents: texts.map((text) => Buffer.from(text)) }) as const;
const key = publicPem(signerKeys.publicKey);
const { pem } = authority("root");

test("readPublicKeys reads all, or none", async () => {
  expect(await readPublicKeys(held(key, key), "public key")).toHaveLength(2);
  expect(readPublicKeys(held(key, "x"), "public key")).rejects.toThrow(
    "parsing public key 2: PEM decoding failed",
  );
});

test("readAuthorities reads all files, of which each has to have one", async () => {
  expect(await readAuthorities(held(pem + pem, pem), "CA certificates")).toHaveLength(3);
  expect(readAuthorities(held(pem, key), "CA certificates")).rejects.toThrow(
    "parsing CA certificates: no usable certificate in it",
  );
});
