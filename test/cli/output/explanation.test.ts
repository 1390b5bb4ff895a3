import { describe, expect, test } from "bun:test";

import { explanationData, renderExplanation } from "../../../cli/output/explanation.ts";
import type { Decision } from "../../../core/trust/decision.ts";

const name = {
  transport: "docker",
  text: "//a.example/b/c:1",
  policyIdentity: "a.example/b/c:1",
  policyNamespaces: ["a.example/b/c", "a.example/b", "a.example", "*.example"],
};
const refused: Decision = {
  verdict: "rejected",
  image: "docker://a.example/b/c:1",
  by: "rules",
  rules: ["signedBy", "reject"],
  scope: { transport: "docker", name: "a.example/b" },
  answers: [
    {
      rule: "signedBy",
      wants: { keys: "/k", identity: "matchExact" },
      allowed: false,
      reason: "None of them\u001b[2J",
      trials: [
        { number: 1, form: "simple signing", outcome: { kind: "refused", reason: "expired" } },
        { number: 2, form: "sigstore", outcome: { kind: "ignored", reason: "others only" } },
        {
          number: 3,
          form: "simple signing",
          outcome: { kind: "accepted", by: "key F", reference: "a.example/x:1" },
        },
      ],
    },
  ],
  refusedBy: "signedBy",
  reason: "None of them\u001b[2J",
};

describe("renderExplanation", () => {
  test("shows which requirement decided, and by which signatures", () => {
    expect(renderExplanation({ name, policyFile: "/p.json", decisions: [refused] })).toBe(
      `docker://a.example/b/c:1
├─ policy: /p.json
├─ scope: transports.docker["a.example/b"]
│  ├─ no entry for a.example/b/c:1
│  └─ no entry for a.example/b/c
├─ requirement 1 of 2: signedBy, not met
│  ├─ keys: /k
│  ├─ identity: matchExact
│  ├─ signature 1, simple signing: refused, expired
│  ├─ signature 2, sigstore: passed over, others only
│  ├─ signature 3, simple signing: accepted, by key F, for a.example/x:1
│  └─ None of them\\x1b[2J
├─ requirement 2 of 2: reject, not asked
└─ rejected by signedBy: None of them\\x1b[2J
`,
    );
  });

  test("shows a list that was let in by its images, and the default of the policy", () => {
    const digest = `sha256:${"0".repeat(64)}` as Decision["digest"] & string;
    const image: Decision = {
      verdict: "admitted",
      image: "docker://a.example/b/c:1",
      digest,
      by: "rules",
      rules: ["insecureAcceptAnything"],
      answers: [{ rule: "insecureAcceptAnything", allowed: true, trials: [] }],
    };
    const list: Decision = { ...image, by: "images", rules: [], answers: [] };
    expect(renderExplanation({ name, decisions: [image, list] })).toBe(
      `docker://a.example/b/c:1 ${digest}
├─ policy: built in: accepts every image
├─ scope: default
│  ├─ no entry for a.example/b/c:1
│  ├─ no entry for a.example/b/c
│  ├─ no entry for a.example/b
│  ├─ no entry for a.example
│  ├─ no entry for *.example
│  └─ no entry for the transport docker
├─ requirement 1 of 1: insecureAcceptAnything, met
└─ admitted
docker://a.example/b/c:1 ${digest}
├─ policy: built in: accepts every image
├─ a list, let in by its images
└─ admitted
`,
    );
  });
});

test("explanationData has the same, for programs", () => {
  expect(explanationData({ name, policyFile: "/p.json", decisions: [refused] })).toEqual({
    image: "docker://a.example/b/c:1",
    policyIdentity: "a.example/b/c:1",
    policyNamespaces: name.policyNamespaces,
    policyFile: "/p.json",
    verdict: "rejected",
    decisions: [{ ...refused, passedOver: ["a.example/b/c:1", "a.example/b/c"] }],
  });
});
