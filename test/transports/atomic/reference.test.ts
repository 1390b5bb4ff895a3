// atomic references.

import { describe, expect, test } from "bun:test";
import { atomic } from "../../../transports/atomic/reference.ts";
import { failureOf } from "../../support/failure-of.ts";
import { rejection } from "../../support/rejection.ts";
import { transportContext } from "../../support/transport-context.ts";

describe("atomic", () => {
  test("goes by the name of the image in policies", () => {
    expect(atomic.parseReference("host:5000/ns/stream:tag")).toMatchObject({
      transport: "atomic",
      text: "host:5000/ns/stream:tag",
      policyIdentity: "host:5000/ns/stream:tag",
      policyNamespaces: ["host:5000/ns/stream", "host:5000/ns", "host:5000"],
    });
  });

  test.each([
    ["host/ns/stream", "invalid image reference host/ns/stream, expected format"],
    [`host/ns/stream@sha256:${"0".repeat(64)}`, "invalid image reference host/ns/stream@sha256:"],
    ["host/stream:tag", "invalid image reference: host/stream:tag, expected format"],
    ["host/a/b/c:tag", "invalid image reference: host/a/b/c:tag, expected format"],
    ["host/NS/stream:tag", 'failed to parse image reference "host/NS/stream:tag": '],
  ])("refuses %s", (text, message) => {
    const failure = failureOf(() => atomic.parseReference(text));
    expect(failure).toMatchObject({ code: "usage", message: expect.stringContaining(message) });
  });

  test("opens nothing, and says what to write instead", async () => {
    const reference = atomic.parseReference("host:5000/ns/stream:tag");
    expect(reference.deleteImage).toBeUndefined();
    for (const open of [reference.openSource, reference.openDestination]) {
      expect(await rejection(open(transportContext()))).toMatchObject({
        code: "unsupported",
        message: expect.stringContaining("that only OpenShift 3 had"),
        hint: expect.stringContaining("docker://host:5000/ns/stream:tag"),
      });
    }
  });

  test.each(["", "host", "host/ns", "host/ns/stream", "host/ns/stream:tag"])(
    "takes %p for the scope of a policy",
    (scope) => {
      atomic.checkPolicyScope(scope);
    },
  );

  test.each(["host/ns/stream:tag:x", "host/a/b/c"])("takes no %p for one", (scope) => {
    expect(failureOf(() => atomic.checkPolicyScope(scope))).toMatchObject({
      code: "config",
      message: `Invalid scope name ${scope}`,
    });
  });
});
