import { describe, expect, test } from "bun:test";

import { parseDigest } from "../../../../core/content/digest.ts";
import { encodePayload, parsePayload } from "../../../../core/trust/sigstore/payload.ts";
import { noon } from "../../../support/authority.ts";
import { payloadOf } from "../../../support/sigstore.ts";

const digest = parseDigest(`sha256:${"a".repeat(64)}`);
const reference = "registry.example.com/app:1";
const bytes = (text: string) => new TextEncoder().encode(text);
const good = () => JSON.parse(new TextDecoder().decode(payloadOf({ digest, reference })));

describe("parsePayload", () => {
  test.each([null, {}, { creator: "x", timestamp: 1, "more than that": [] }])(
    "reads what is said, with %j beside it",
    (optional) => {
      expect(parsePayload(payloadOf({ digest, reference, optional }))).toEqual({
        digest,
        reference,
      });
    },
  );

  const critical = (change: object) => ({ ...good(), critical: { ...good().critical, ...change } });
  test.each([
    [[], "JSON object expected"],
    [{ critical: good().critical }, 'Key "optional" missing'],
    [{ optional: {} }, 'Key "critical" missing'],
    [{ ...good(), more: 1 }, 'Unknown key "more"'],
    [critical({ more: 1 }), 'Unknown key "more"'],
    [critical({ type: undefined }), 'Key "type" missing'],
    [
      critical({ type: "atomic container signature" }),
      "Unrecognized signature type atomic container signature",
    ],
    [
      critical({ image: { "docker-manifest-digest": "sha256:a" } }),
      'invalid docker-manifest-digest value "sha256:a"',
    ],
    [critical({ image: { "docker-manifest-digest": digest, more: 1 } }), 'Unknown key "more"'],
    [critical({ image: good().critical }), "Unknown key"],
    [critical({ identity: { "docker-reference": 1 } }), "JSON string expected"],
    [critical({ identity: {} }), 'Key "docker-reference" missing'],
    [{ ...good(), optional: [] }, "JSON object expected"],
    [{ ...good(), optional: { creator: 1 } }, "JSON string expected"],
    [{ ...good(), optional: { timestamp: 1.5 } }, "Field optional.timestamp is not an integer"],
  ])("refuses %j", (payload, why) => {
    expect(() => parsePayload(bytes(JSON.stringify(payload)))).toThrow(why);
  });

  test("refuses a member that stands there twice, also in another spelling (G6)", () => {
    const text = JSON.stringify(good()).replace('{"critical"', '{"\\u0063ritical":{},"critical"');
    expect(() => parsePayload(bytes(text))).toThrow('Duplicate key "critical"');
  });
});

test("encodePayload writes what parsePayload reads, byte for byte as the original", () => {
  const payload = encodePayload({ digest, reference, creator: "dray 1", at: noon });
  expect(new TextDecoder().decode(payload)).toBe(
    `{"critical":{"identity":{"docker-reference":"${reference}"},"image":{"docker-manifest-digest":"${digest}"},"type":"cosign container image signature"},"optional":{"creator":"dray 1","timestamp":1781524800}}`,
  );
  expect(parsePayload(payload)).toEqual({ digest, reference });
});
