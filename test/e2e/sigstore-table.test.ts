// Sigstore table: the executable decides as the original does, policy by policy and image by image.

import { expect } from "bun:test";

import { testWith } from "../support/needs.ts";
import { kindOfReason, refusalIn } from "../support/refusals.ts";
import { SigstoreScene, sigstorePeers } from "../support/sigstore-scene.ts";
import { pushSignatures, signatureTable } from "../support/sigstore-table.ts";

const test = testWith(...sigstorePeers);

/** There are 720 pairs, which take minutes; and every fifth of them looks at each image. */
const step = 5;

test("sigstoreSigned decides as the original does, over a table of policies and images", async () => {
  await using scene = await SigstoreScene.open();
  const { digest } = scene.image.manifest;
  const { images, policies, files } = signatureTable(scene.host, digest);
  for (const [name, text] of Object.entries(files)) scene.write(name, text);
  for (const [repository, signatures] of Object.entries(images)) {
    await scene.push(`${repository}:1`);
    if (signatures.length === 0) continue;
    const target = { registry: `http://${scene.host}`, repository };
    await pushSignatures(target, digest, signatures);
  }
  const pairs = Object.entries(policies).flatMap(([policy, requirement]) =>
    Object.keys(images).map((image) => ({ policy, requirement, image })),
  );
  const chosen = pairs.filter((_, index) => index % step === 0);
  expect(chosen.length).toBeGreaterThanOrEqual(100);
  const decisions = { own: [] as string[], original: [] as string[] };
  const explained = new Set<string>();
  for (const { policy, requirement, image } of chosen) {
    const name = scene.name(`${image}:1`);
    const own = await scene.copy(requirement, name, "dir:own");
    const original = await scene.originalCopy(requirement, name, "dir:original");
    decisions.own.push(`${policy} ${image} ${own.code}`);
    decisions.original.push(`${policy} ${image} ${original.code}`);
    if (own.code === 0) continue;
    const reason = refusalIn(own);
    if (reason === undefined) throw new Error(own.stderr);
    // Every kind of refusal, once.
    const kind = kindOfReason(reason);
    if (!explained.has(kind)) await scene.explain(requirement, name, reason);
    explained.add(kind);
  }
  expect(decisions.own).toEqual(decisions.original);
  expect(explained.size).toBeGreaterThan(10);
  for (const code of [0, 1]) {
    expect(decisions.own.some((each) => each.endsWith(` ${code}`))).toBe(true);
  }
}, 300_000);
