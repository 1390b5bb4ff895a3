import { describe, expect, test } from "bun:test";

import { Failure } from "../../../core/failure.ts";
import type { ImageName } from "../../../core/image/name.ts";
import { parsePolicy } from "../../../core/trust/policy.ts";
import { acceptEverything } from "../../../core/trust/requirements/basic.ts";
import { failureOf } from "../../support/failure-of.ts";
import { randomBytes } from "../../support/random.ts";

/** Has scopes that start with a slash, and no others. */
const dir = {
  checkPolicyScope(scope: string) {
    if (!scope.startsWith("/")) throw new Failure("config", `Invalid scope ${scope}`);
  },
};

const parse = (text: string) => parsePolicy(new TextEncoder().encode(text), { dir });

const accept = `[{"type":"insecureAcceptAnything"}]`;
const reject = `[{"type":"reject"}]`;

function image(transport: string, identity: string, namespaces: readonly string[]): ImageName {
  return { transport, text: "x", policyIdentity: identity, policyNamespaces: namespaces };
}

describe("parsePolicy", () => {
  test.each([
    ["", "unexpected end of JSON input"],
    [" ", "unexpected end of JSON input"],
    ["null", "JSON object expected, got null"],
    ["[]", "JSON object expected, got an array"],
    ["{}", "Default policy is missing"],
    [`{"transports":{}}`, "Default policy is missing"],
    [`{"Default":${reject}}`, 'Unknown key "Default"'],
    [`{"default":${reject},"x":1}`, 'Unknown key "x"'],
    [`{"default":${reject},"default":${accept}}`, 'Duplicate key "default"'],
    [`{"default":${reject},"d\\u0065fault":${accept}}`, 'Duplicate key "default"'],
    [`{"default":${reject}}{}`, "Unexpected data after JSON object"],
    [`{"default":${reject}`, "unexpected end of JSON input"],
    [`\ufeff{"default":${reject}}`, "invalid character '\ufeff' looking for beginning of value"],
    [`{"default":null}`, "List of verification policy requirements must not be empty"],
    [`{"default":[]}`, "List of verification policy requirements must not be empty"],
    [`{"default":{}}`, "JSON array expected, got an object"],
    [`{"default":[1]}`, "JSON object expected, got a number"],
    [`{"default":[{}]}`, 'Unknown policy requirement type ""'],
    [`{"default":[{"type":null}]}`, 'Unknown policy requirement type ""'],
    [`{"default":[{"type":"Reject"}]}`, 'Unknown policy requirement type "Reject"'],
    [`{"default":[{"type":"toString"}]}`, 'Unknown policy requirement type "toString"'],
    [`{"default":[{"type":1}]}`, "JSON string expected, got a number"],
    [`{"default":[{"type":"reject","a":1}]}`, 'Unknown key "a"'],
    [`{"default":[{"type":"insecureAcceptAnything","a":1}]}`, 'Unknown key "a"'],
    [`{"default":[{"type":"reject","type":"reject"}]}`, 'Duplicate key "type"'],
    [
      `{"default":[{"type":"signedBaseLayer"}]}`,
      'Key "baseLayerIdentity" missing in a JSON object',
    ],
    [`{"default":${reject},"transports":null}`, "JSON object expected, got null"],
    [`{"default":${reject},"transports":{"docker":[]}}`, "JSON object expected, got an array"],
    [
      `{"default":${reject},"transports":{"docker":{"":[]}}}`,
      "List of verification policy requirements must not be empty",
    ],
    [`{"default":${reject},"transports":{"dir":{"rel":${accept}}}}`, 'Unknown key "rel"'],
    [`{"default":${reject},"transports":{"x":{},"x":{}}}`, 'Duplicate key "x"'],
    [`{"default":${reject},"transports":{"x":{"a":${accept},"a":${reject}}}}`, 'Duplicate key "a"'],
  ])("G5: refuses %j", (text, message) => {
    expect(failureOf(() => parse(text))).toMatchObject({ code: "config", message });
  });

  test("G5: refuses what is not UTF-8", () => {
    const bytes = Buffer.from(`{"default":[{"type":"rej\xffect"}]}`, "latin1");
    expect(failureOf(() => parsePolicy(bytes, {}))).toMatchObject({ code: "config" });
  });

  test.each([
    [`{"default":[{"type":"reject"},{"type":"x"}]}`, "look at default[1]"],
    [
      `{"default":${reject},"transports":{"docker":{"quay.io/a":[{"type":"reject","b":0}]}}}`,
      `look at transports.docker["quay.io/a"][0].b`,
    ],
  ])("says where %j is wrong", (text, hint) => {
    expect(failureOf(() => parse(text))).toMatchObject({ hint });
  });

  test.each([
    ["the default of a transport", "dir", ""],
    ["a scope that the transport knows", "dir", "/images"],
    ["any scope of a transport that is not there", "containers-storage", "[overlay@/var]x"],
    ["any scope of a transport of an unlucky name", "constructor", "x"],
  ])("takes %s", (_, transport, scope) => {
    const policy = parse(
      JSON.stringify({
        default: [{ type: "reject" }],
        transports: { [transport]: { [scope]: [{ type: "insecureAcceptAnything" }] } },
      }),
    );
    expect(policy.requirementsFor(image(transport, scope, []))).toMatchObject([
      { type: "insecureAcceptAnything" },
    ]);
  });

  test("keeps all requirements of a list, in order", () => {
    const policy = parse(`{"default":[
      {"type":"insecureAcceptAnything"},
      {"type":"signedBy","keyType":"GPGKeys","keyPath":"/k"},
      {"type":"sigstoreSigned","keyPath":"/k"},
      {"type":"signedBaseLayer","baseLayerIdentity":{"type":"matchExact"}},
      {"type":"reject"}
    ]}`);
    const requirements = policy.requirementsFor(image("dir", "/a", []));
    expect(requirements.map(({ type, verifiesSignatures }) => [type, verifiesSignatures])).toEqual([
      ["insecureAcceptAnything", false],
      ["signedBy", true],
      ["sigstoreSigned", true],
      ["signedBaseLayer", false],
      ["reject", false],
    ]);
  });

  test("fails with nothing but a Failure, whatever is broken", () => {
    const seed = "broken policies";
    const rounds = 2000;
    const random = Buffer.from(randomBytes(seed, rounds * 4));
    const whole = `{"default":${reject},"transports":{"dir":{"/a":[{"type":"signedBy",
      "keyType":"GPGKeys","keyData":"YQ==","signedIdentity":{"type":"exactReference",
      "dockerReference":"a/b:c"}}]},"x":{"":[{"type":"sigstoreSigned","fulcio":{"caPath":"/c",
      "oidcIssuer":"i","subjectEmail":"e"},"rekorPublicKeyDatas":["YQ=="]}]}}}`;
    const pieces = [...`{}[],:"\\u0`, "null", "1e9", "__proto__", "\u0000", "\ud800", ""];
    expect(() => parse(whole)).not.toThrow();
    for (let round = 0; round < rounds; round++) {
      const at = random.readUInt16LE(round * 4) % whole.length;
      const piece = pieces[random.readUInt8(round * 4 + 2) % pieces.length] ?? "";
      const skipped = random.readUInt8(round * 4 + 3) % 4;
      const broken = whole.slice(0, at) + piece + whole.slice(at + skipped);
      try {
        parse(broken);
      } catch (error) {
        if (error instanceof Failure && error.code === "config") continue;
        throw new Error(`seed "${seed}", round ${round}: ${broken}`, { cause: error });
      }
    }
  });
});

describe("the requirements for an image", () => {
  const mark = (dockerReference: string) => [
    {
      type: "signedBaseLayer",
      baseLayerIdentity: { type: "exactRepository", dockerRepository: dockerReference },
    },
  ];
  const policy = parse(
    JSON.stringify({
      default: mark("default"),
      transports: {
        docker: {
          "": mark("docker"),
          "quay.io/a/b:1": mark("identity"),
          "quay.io/a/b": mark("repository"),
          "quay.io": mark("host"),
          "*.io": mark("domain"),
        },
        dir: { "/a": mark("folder") },
      },
    }),
  );
  const wider = ["quay.io/a/b", "quay.io/a", "quay.io", "*.io"];

  test.each([
    ["the image itself", image("docker", "quay.io/a/b:1", wider), "identity", "quay.io/a/b:1"],
    ["the first namespace", image("docker", "quay.io/a/b:2", wider), "repository", "quay.io/a/b"],
    ["a later namespace", image("docker", "quay.io/a/c:2", wider.slice(1)), "host", "quay.io"],
    ["a wildcard", image("docker", "ghcr.io/x:1", ["ghcr.io/x", "*.io"]), "domain", "*.io"],
    ["the transport", image("docker", "example.com/x:1", ["example.com/x"]), "docker", ""],
    [
      "the namespace, for one without identity",
      image("docker", "", ["quay.io"]),
      "host",
      "quay.io",
    ],
    ["the default, as no scope fits", image("dir", "/b", ["/"]), "default", undefined],
    ["the default, as the transport is not there", image("oci", "/a", []), "default", undefined],
    ["the default, for an unlucky transport", image("__proto__", "/a", []), "default", undefined],
  ])("are those of %s", (_, name, expected, scope) => {
    expect(policy.scopeFor?.(name)).toEqual(
      scope === undefined ? undefined : { transport: "docker", name: scope },
    );
    expect(policy.requirementsFor(name)).toMatchObject([
      { baseLayerIdentity: { repository: { repository: `library/${expected}` } } },
    ]);
  });
});

test("acceptEverything has one requirement for every image, which verifies nothing", () => {
  expect(acceptEverything.requirementsFor(image("dir", "/a", []))).toMatchObject([
    { type: "insecureAcceptAnything", verifiesSignatures: false },
  ]);
});
