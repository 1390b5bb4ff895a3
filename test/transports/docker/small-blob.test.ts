import { expect, test } from "bun:test";

import { digestOf } from "../../../core/content/digest.ts";
import { parseDockerName } from "../../../core/content/docker-name.ts";
import { connect } from "../../../transports/docker/connection.ts";
import { sendSmallBlob } from "../../../transports/docker/small-blob.ts";
import { dockerContext } from "../../support/docker-context.ts";
import { startRegistry } from "../../support/registry-server.ts";

test("sendSmallBlob sends what is not there", async () => {
  await using registry = startRegistry();
  const name = parseDockerName(`${registry.host}/a/b:1`);
  await using client = await connect(name, "pull,push", dockerContext());
  const bytes = new TextEncoder().encode("some bytes");
  const blob = { mediaType: "text/plain", digest: digestOf(bytes), bytes };
  const log = { debug() {}, info() {}, warn() {} };
  const place = { client, log, signal: new AbortController().signal };
  await sendSmallBlob(blob, place);
  expect(registry.repository("a/b").blobs.get(blob.digest)).toEqual(bytes);
  registry.forget();
  await sendSmallBlob(blob, place);
  expect(registry.lines).toEqual([`HEAD /v2/a/b/blobs/${blob.digest}`]);
});
