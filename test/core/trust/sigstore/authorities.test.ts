import { describe, expect, test } from "bun:test";

import {
  parseAuthorities,
  parseIntermediates,
  parseLeaf,
} from "../../../../core/trust/sigstore/authorities.ts";
import { encodePem } from "../../../../core/trust/sigstore/pem.ts";
import { authority, certificate } from "../../../support/authority.ts";
import { relabelled } from "../../../support/sigstore.ts";

const root = authority("root");
const other = authority("other");
const leaf = certificate({ issuer: root });
const garbage = encodePem({ label: "CERTIFICATE", bytes: new Uint8Array(10) });
const bytes = (text: string) => new TextEncoder().encode(text);

describe("parseAuthorities", () => {
  test("passes over what is unusable", () => {
    const text = `# trusted\n${root.pem}${garbage}${relabelled(root, "PUBLIC KEY")}${other.pem}`;
    expect(parseAuthorities(bytes(text))).toHaveLength(2);
  });

  test.each(["", garbage, relabelled(root, "TRUSTED CERTIFICATE")])("wants one in %j", (text) => {
    expect(() => parseAuthorities(bytes(text))).toThrow("no usable certificate");
  });
});

test("parseLeaf wants exactly one", () => {
  expect(parseLeaf(leaf.pem).bytes).toEqual(leaf.bytes);
  expect(() => parseLeaf("")).toThrow("0 certificates where one was expected");
  expect(() => parseLeaf(leaf.pem + root.pem)).toThrow("2 certificates where one was expected");
  expect(() => parseLeaf(garbage)).toThrow("malformed DER");
});

test("parseIntermediates leaves out the last, and takes nothing that is unusable", () => {
  expect(parseIntermediates(other.pem + root.pem).map((each) => each.bytes)).toEqual([other.bytes]);
  expect(parseIntermediates(root.pem)).toEqual([]);
  expect(parseIntermediates("")).toEqual([]);
  expect(() => parseIntermediates(garbage + root.pem)).toThrow("malformed DER");
});
