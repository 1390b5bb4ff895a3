import { describe, expect, test } from "bun:test";

import { collect } from "../../../core/blob/collect.ts";
import { streamOf } from "../../../core/blob/stream.ts";
import { unwrapped, wrappingOf } from "../../../transports/docker/content.ts";
import type { RegistryResponse } from "../../../transports/docker/client.ts";
import { failureOf } from "../../support/failure-of.ts";

const content = new TextEncoder().encode("some content");

function answer(headers: Record<string, string>, bytes: Uint8Array = content): RegistryResponse {
  return {
    status: 200,
    statusText: "OK",
    headers: new Headers(headers),
    url: new URL("https://registry.example/v2/a/blobs/b?token=secret"),
    body: streamOf(bytes),
    discard: async () => {},
  };
}

describe("wrappingOf", () => {
  test.each([
    [{}, "none"],
    [{ "content-encoding": "identity" }, "none"],
    [{ "content-encoding": "gzip" }, "gzip"],
    [{ "content-encoding": " X-GZIP " }, "gzip"],
    [{ "content-encoding": "zstd" }, "zstd"],
    // As long as promised, so it is what was promised.
    [{ "content-encoding": "gzip", "content-length": "12" }, "none"],
    [{ "content-type": "text/html", "content-length": "12" }, "none"],
    [{ "content-encoding": "gzip", "content-length": "11" }, "gzip"],
  ] as const)("N13: takes %j for %s", (headers, wrapping) => {
    expect(wrappingOf(answer({ ...headers }), 12)).toBe(wrapping);
  });

  test.each(["br", "gzip, gzip", "\u00e9"])("N13: refuses the encoding %p", (encoding) => {
    const wrapping = () => wrappingOf(answer({ "content-encoding": encoding }));
    expect(failureOf(wrapping)).toMatchObject({ code: "unsupported" });
  });

  test.each(["text/html", "TEXT/HTML; charset=utf-8", "application/xhtml+xml"])(
    "row 9: refuses the web page %p, and names who sent it",
    (type) => {
      const wrapping = () => wrappingOf(answer({ "content-type": type }), 5);
      expect(failureOf(wrapping)).toMatchObject({
        code: "refused",
        message: `registry.example answered with a web page (content type "${type}") instead of the content`,
      });
    },
  );
});

describe("unwrapped", () => {
  test("undoes the wrapping", async () => {
    const zipped = Bun.gzipSync(content);
    expect(await collect(unwrapped(answer({}, zipped), "gzip"), 100)).toEqual(content);
    expect(await collect(unwrapped(answer({}), "none"), 100)).toEqual(content);
  });
});
