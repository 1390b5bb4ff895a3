import { describe, expect, test } from "bun:test";

import { parseStrictJson } from "../../../core/json.ts";
import { configFromSchema1 } from "../../../core/manifest/from-schema1.ts";
import { Members } from "../../../core/manifest/members.ts";
import { readSchema1 } from "../../../core/manifest/schema1.ts";
import { schema1Sample, schema1Step, someDigest } from "../../support/sample-manifests.ts";

const [first, second] = [someDigest("first"), someDigest("second")];
const chain = `"id":"${"c".repeat(64)}","parent":"${"b".repeat(64)}"`;

function configOf(newest: string): string {
  const sample = schema1Sample({
    fsLayers: ["c", "b", "a"].map((name) => ({ blobSum: someDigest(name) })),
    history: [
      { v1Compatibility: newest },
      schema1Step("b", "a", {
        created: "2019-01-01T00:00:00Z",
        throwaway: true,
        container_config: { Cmd: ["ENV", "<x>"] },
      }),
      schema1Step("a", undefined, { author: "au", comment: "co" }),
    ],
  });
  const manifest = readSchema1(new Members(parseStrictJson(JSON.stringify(sample))));
  return new TextDecoder().decode(configFromSchema1(manifest, [first, second]));
}

const rootfs = `"rootfs":{"type":"layers","diff_ids":["${first}","${second}"]}`;
const older = String.raw`{"created":"0001-01-01T00:00:00Z","author":"au","comment":"co"},{"created":"2019-01-01T00:00:00Z","created_by":"ENV \u003cx\u003e","empty_layer":true}`;

describe("configFromSchema1", () => {
  // Each as the original writes it.
  test.each([
    [
      "adds layers and history to what the newest layer says",
      `{${chain},"created":"2020-01-01T00:00:00Z"}`,
      `{"created":"2020-01-01T00:00:00Z","history":[${older},{"created":"2020-01-01T00:00:00Z"}],${rootfs}}`,
    ],
    [
      "forgets what was said of one layer",
      `{${chain},"Size":12,"parent_id":"x","layer_id":"y","throwaway":false,"created":"2020-01-01T00:00:00Z","docker_version":"1.9.1"}`,
      `{"created":"2020-01-01T00:00:00Z","docker_version":"1.9.1","history":[${older},{"created":"2020-01-01T00:00:00Z"}],${rootfs}}`,
    ],
    [
      "keeps what it knows nothing of, as it is spelled",
      String.raw`{ ${chain}, "z" : 1.50e3, "s":"\u00fc\/<x>", "nul":null, "dup":1, "dup":2, "history":[1], "rootfs":5, "created":"2020-01-01T00:00:00+02:00", "config" : { "b" : [ 1 , 2 ], "a" : { } } }`,
      String.raw`{"config":{"b":[1,2],"a":{}},"created":"2020-01-01T00:00:00+02:00","dup":2,"history":[${older},{"created":"2020-01-01T00:00:00+02:00"}],"nul":null,${rootfs},"s":"\u00fc\/\u003cx\u003e","z":1.50e3}`,
    ],
  ])("%s", (_, newest, expected) => {
    expect(configOf(newest)).toBe(expected);
  });

  test("completes what an old Docker wrote", () => {
    const config = JSON.parse(configOf(`{${chain},"docker_version":"1.6.0","unknown":5}`));
    expect(config).toMatchObject({ docker_version: "1.6.0", container_config: { Labels: null } });
    expect(config).not.toHaveProperty("unknown");
    expect(Object.keys(config)).toEqual(Object.keys(config).toSorted());
  });
});
