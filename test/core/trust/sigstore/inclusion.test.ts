import { describe, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";

import { type InclusionProof, verifyInclusion } from "../../../../core/trust/sigstore/inclusion.ts";
import { ecKeys } from "../../../support/authority.ts";
import { TestLog } from "../../../support/test-log.ts";

const keys = ecKeys();
const entry = (index: number) => new TextEncoder().encode(`entry ${index}`);

function logOf(size: number, log = new TestLog(keys.privateKey)): TestLog {
  for (let index = 0; index < size; index++) log.add(entry(index));
  return log;
}

function proofOf(log: TestLog, index: number): InclusionProof {
  const { logIndex, treeSize, rootHash, hashes, checkpoint } = log.prove(index);
  return {
    index: Number(logIndex),
    size: Number(treeSize),
    root: Buffer.from(rootHash, "base64"),
    path: hashes.map((hash) => Buffer.from(hash, "base64")),
    checkpoint: checkpoint.envelope,
  };
}

const verify = (body: Uint8Array, proof: InclusionProof, key = keys.publicKey) =>
  verifyInclusion(body, proof, [key]);

describe("verifyInclusion", () => {
  test("takes every entry of logs of every size", () => {
    for (let size = 1; size <= 17; size++) {
      const log = logOf(size);
      for (let index = 0; index < size; index++) verify(entry(index), proofOf(log, index));
    }
  });

  test("takes no entry for another one", () => {
    for (let size = 2; size <= 9; size++) {
      const log = logOf(size);
      for (let index = 0; index < size; index++) {
        const proof = proofOf(log, index);
        for (let other = 0; other < size; other++) {
          if (other === index) continue;
          expect(() => verify(entry(other), proof)).toThrow();
          expect(() => verify(entry(index), { ...proof, index: other })).toThrow();
        }
      }
    }
  });

  test("takes a log with a key of Ed25519", () => {
    const ed25519 = generateKeyPairSync("ed25519");
    const log = logOf(5, new TestLog(ed25519.privateKey));
    verify(entry(3), proofOf(log, 3), ed25519.publicKey);
    expect(() => verify(entry(3), proofOf(log, 3))).toThrow("not signed with a key");
  });

  const log = logOf(11);
  const good = proofOf(log, 6);
  const nothing = Buffer.alloc(32);
  const other = logOf(11, new TestLog(ecKeys().privateKey));
  const longer = logOf(12);

  test.each<[string, InclusionProof, string]>([
    ["a wrong sibling", { ...good, path: good.path.with(1, nothing) }, "does not lead to the root"],
    ["siblings in another order", { ...good, path: good.path.toReversed() }, "does not lead"],
    ["a path that is cut", { ...good, path: good.path.slice(0, -1) }, "is too short"],
    ["no path", { ...good, path: [] }, "is too short"],
    ["a path that goes on", { ...good, path: [...good.path, nothing] }, "is too long"],
    ["an index that is none", { ...good, index: 11 }, "has no entry 11"],
    ["an index below all", { ...good, index: -1 }, "has no entry -1"],
    ["another root", { ...good, root: nothing }, "does not lead to the root"],
    [
      "the checkpoint of another log",
      { ...good, checkpoint: other.prove(6).checkpoint.envelope },
      "key that is trusted",
    ],
    [
      "a later checkpoint",
      { ...good, checkpoint: longer.prove(6).checkpoint.envelope },
      "signed a tree of 12 entries",
    ],
    ["the root of another tree", { ...good, checkpoint: log.sign(nothing, 11) }, "does not lead"],
    ["an empty tree", { ...good, size: 0, checkpoint: log.sign(good.root, 0) }, "has no entry 6"],
    ["another size", { ...good, size: 10 }, "and the proof is for 10"],
  ])("refuses %s", (_, proof, why) => {
    expect(() => verify(entry(6), proof)).toThrow(why);
  });

  test("refuses a changed entry, and a node that is taken for one", () => {
    verify(entry(6), good);
    expect(() => verify(entry(7), good)).toThrow("does not lead to the root");
    const [sibling = nothing, ...above] = good.path;
    const node = Buffer.concat([sibling, sibling]);
    const shorter = { ...good, index: 3, size: 6, path: above, checkpoint: log.sign(good.root, 6) };
    expect(() => verify(node, shorter)).toThrow();
  });
});
