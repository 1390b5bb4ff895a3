import { describe, expect, test } from "bun:test";

import { mismatchOf, parsePolicyCases } from "../../../core/trust/policy-cases.ts";
import { failureOf } from "../../support/failure-of.ts";

describe("parsePolicyCases", () => {
  test("reads a table", () => {
    const text = `# images of the team
docker://a.example/b:1    accept

  dir:/x\treject
docker://busybox  reject  is rejected by policy\r
`;
    expect(parsePolicyCases(text)).toEqual([
      { line: 2, image: "docker://a.example/b:1", expected: "accept", because: "" },
      { line: 4, image: "dir:/x", expected: "reject", because: "" },
      {
        line: 5,
        image: "docker://busybox",
        expected: "reject",
        because: "is rejected by policy",
      },
    ]);
    expect(parsePolicyCases("\n#\n")).toEqual([]);
  });

  test.each(["dir:/x", "dir:/x accepted", "dir:/x Reject", "dir:/x accept because", "accept"])(
    "refuses %p",
    (line) => {
      expect(failureOf(() => parsePolicyCases(`#\n${line}`))).toMatchObject({
        code: "config",
        message: `Line 2 is no case: "${line}"`,
      });
    },
  );
});

describe("mismatchOf", () => {
  const accepting = { line: 1, image: "dir:x", expected: "accept", because: "" } as const;
  const rejecting = { ...accepting, expected: "reject", because: "no key" } as const;
  const rejected = (reason: string) => ({ kind: "rejected", reason }) as const;

  test("says nothing of what was expected", () => {
    expect(mismatchOf(accepting, { kind: "accepted" })).toBeUndefined();
    expect(mismatchOf(rejecting, rejected("there is no key"))).toBeUndefined();
    expect(mismatchOf({ ...rejecting, because: "" }, rejected("whatever"))).toBeUndefined();
  });

  test("says what was not", () => {
    expect(mismatchOf(accepting, rejected("why"))).toBe("is rejected, but is to be accepted: why");
    expect(mismatchOf(rejecting, { kind: "accepted" })).toBe("is accepted, but is to be rejected");
    expect(mismatchOf(rejecting, rejected("why"))).toBe(
      'is rejected for another reason than "no key": why',
    );
  });
});
