import { expect, test } from "bun:test";

import { namesIn } from "../../../transports/oci/images.ts";
import { parseIndex } from "../../../transports/oci/index-json.ts";

test("namesIn lists every image once, and no attachments", () => {
  const entry = (name?: string) => ({
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest: `sha256:${"0".repeat(64)}`,
    size: 1,
    ...(name !== undefined && { annotations: { "org.opencontainers.image.ref.name": name } }),
  });
  const manifests = [
    entry("a:1"),
    entry(),
    entry("a:1"),
    entry(`sha256-${"0".repeat(64)}.sig`),
    entry("b"),
  ];
  const index = parseIndex(new TextEncoder().encode(JSON.stringify({ manifests })));
  expect(namesIn(index)).toEqual(["a:1", "b"]);
});
