import { expect, test } from "bun:test";

import { Candidate } from "../../../../core/trust/gate.ts";
import { insecureAcceptAnything, reject } from "../../../../core/trust/requirements/basic.ts";
import { judging } from "../../../support/judging.ts";
import { sourceOf } from "../../../support/source-of.ts";

const candidate = new Candidate(sourceOf({ transport: "docker", text: "//busybox:latest" }));

test("insecureAcceptAnything accepts, and verifies nothing", async () => {
  expect(await insecureAcceptAnything.decide(candidate, judging())).toEqual({ allowed: true });
  expect(insecureAcceptAnything.verifiesSignatures).toBe(false);
});

test("reject refuses in the original's words", async () => {
  expect(await reject.decide(candidate, judging())).toEqual({
    allowed: false,
    reason: "Running image docker://busybox:latest is rejected by policy.",
  });
  expect(reject.verifiesSignatures).toBe(false);
});
