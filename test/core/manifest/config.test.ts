import { describe, expect, test } from "bun:test";

import { configTypes } from "../../../core/content/media-types.ts";
import {
  diffIdsOf,
  isImageConfig,
  readImageConfig,
  writeOciConfig,
} from "../../../core/manifest/config.ts";
import { failureOf } from "../../support/failure-of.ts";
import { someDigest } from "../../support/sample-manifests.ts";

function converted(config: string): string {
  return new TextDecoder().decode(writeOciConfig(readImageConfig(config)));
}

const bare = '"config":{},"rootfs":{"type":"","diff_ids":null}}';

describe("a Docker config written as an OCI config", () => {
  // Measured with skopeo 1.22, like every result here.
  test("is what the original writes, byte for byte", () => {
    const config = String.raw`{"ARCHITECTURE":"amd64","os":"linux","os.version":"1","os.features":["a"],"variant":"v8","author":"<a&b>\u2028\b\f\u007f\ud800é","created":"2020-01-02T03:04:05.100+00:00","docker_version":"20","container":"x","config":{"Hostname":"h","User":"u","ExposedPorts":{"9/tcp":{},"10/tcp":{"x":1}},"Env":["A=b",null],"Entrypoint":["e"],"Cmd":["c"],"Volumes":{"/v":{}},"WorkingDir":"/w","Labels":{"b":"2","a":"1","10":"x","9":"y","n":null},"StopSignal":"S","ArgsEscaped":true,"OnBuild":null,"Healthcheck":{"Test":[]}},"rootfs":{"type":"layers","diff_ids":["d"]},"history":[{"created":"2020-01-02T03:04:05.123456789123+05:30","created_by":"x","empty_layer":true},{"author":"a","comment":"c","created":"2020-01-02T03:04:05.000Z"},{}]}`;
    expect(converted(config)).toBe(
      String.raw`{"created":"2020-01-02T03:04:05.1Z","author":"\u003ca\u0026b\u003e\u2028\b\f` +
        "\u007f\ufffd" +
        `é","architecture":"amd64","os":"linux","os.version":"1","os.features":["a"],"variant":"v8","config":{"User":"u","ExposedPorts":{"10/tcp":{},"9/tcp":{}},"Env":["A=b",""],"Entrypoint":["e"],"Cmd":["c"],"Volumes":{"/v":{}},"WorkingDir":"/w","Labels":{"10":"x","9":"y","a":"1","b":"2","n":""},"StopSignal":"S","ArgsEscaped":true},"rootfs":{"type":"layers","diff_ids":["d"]},"history":[{"created":"2020-01-02T03:04:05.123456789+05:30","created_by":"x","empty_layer":true},{"created":"2020-01-02T03:04:05Z","author":"a","comment":"c"},{}]}`,
    );
  });

  test.each([
    ["{}", `{"architecture":"","os":"",${bare}`],
    ['{"config":null,"rootfs":null,"history":null}', `{"architecture":"","os":"",${bare}`],
    [
      '{"config":{"Env":[],"Labels":{},"ExposedPorts":{},"ArgsEscaped":false},"history":[]}',
      `{"architecture":"","os":"",${bare}`,
    ],
    [
      '{"rootfs":{"type":"layers","diff_ids":[]}}',
      '{"architecture":"","os":"","config":{},"rootfs":{"type":"layers","diff_ids":[]}}',
    ],
    ['{"os":"a","OS":"b","os":null}', `{"architecture":"","os":"b",${bare}`],
  ])("has of %s only what is there", (config, oci) => {
    expect(converted(config)).toBe(oci);
  });

  test("is the same as before once it is one", () => {
    const config = `{"created":"2020-01-02T03:04:05Z","architecture":"arm","os":"linux","config":{"Env":["a"]},"rootfs":{"type":"layers","diff_ids":["d"]},"history":[{}]}`;
    expect(converted(config)).toBe(config);
  });

  test("keeps labels and ports of hostile names as they are (P4)", () => {
    const labels = '"__proto__":"x","constructor":"y","toString":"z"';
    expect(converted(`{"config":{"Labels":{${labels}},"ExposedPorts":{"__proto__":{}}}}`)).toBe(
      `{"architecture":"","os":"","config":{"ExposedPorts":{"__proto__":{}},"Labels":{${labels}}},"rootfs":{"type":"","diff_ids":null}}`,
    );
  });

  test.each([
    ["[]", "it is not an object"],
    ['{"architecture":5}', "architecture is not of type string"],
    ['{"rootfs":[]}', "rootfs is not an object"],
    ['{"config":{"Entrypoint":"x"}}', "config.Entrypoint is not of type array"],
    ['{"config":{"Env":[1]}}', "config.Env.0 is not of type string"],
    ['{"config":{"Labels":{"a":5}}}', "config.Labels is not an object of strings"],
    ['{"config":{"ExposedPorts":[]}}', "config.ExposedPorts is not an object"],
    ['{"config":{"ArgsEscaped":1}}', "config.ArgsEscaped is not of type boolean"],
    ['{"created":5}', "created is not of type string"],
    ['{"history":[{},{"created":"x"}]}', "history.1.created is no time as RFC 3339 writes it"],
  ])("cannot be had from %s", (config, message) => {
    expect(failureOf(() => readImageConfig(config))).toMatchObject({
      code: "corrupt",
      message: `Invalid image config: ${message}`,
    });
  });
});

describe("readImageConfig", () => {
  test("tells an empty list from none, and keeps Docker's version", () => {
    const read = readImageConfig('{"docker_version":"20.10","config":{"Env":[],"Cmd":null}}');
    expect([read.dockerVersion, read.config.env, read.config.cmd, read.created]).toEqual([
      "20.10",
      [],
      undefined,
      undefined,
    ]);
  });
});

describe("diffIdsOf", () => {
  const bytes = new TextEncoder().encode('{"created":"odd","rootfs":{"diff_ids":["a","b"]}}');
  const digest = someDigest("config");

  test.each(Object.values(configTypes))("are those of a config of type %s", (mediaType) => {
    const config = { mediaType, digest };
    expect(isImageConfig(config)).toBe(true);
    expect(diffIdsOf(config, bytes)).toEqual(["a", "b"]);
    expect(diffIdsOf(config, new TextEncoder().encode("{}"))).toEqual([]);
  });

  test("are none for an artifact, whatever its config holds", () => {
    expect(diffIdsOf({ mediaType: "x/y", digest }, new Uint8Array())).toBeUndefined();
  });
});
