// Sample summaries: what inspect finds of two images, one with everything and one with almost nothing.

import { parseDigest } from "../../core/content/digest.ts";
import type { ImageSummary } from "../../core/inspect/summary.ts";
import { type ImageConfig, readImageConfig } from "../../core/manifest/config.ts";

const mediaType = "application/vnd.oci.image.layer.v1.tar+gzip";
const first = parseDigest(`sha256:3fc296ba2d37${"0".repeat(52)}`);
const second = parseDigest(`sha256:fb2a7aadd4ec${"0".repeat(52)}`);

/** The hex digits of the digest in `fullSummary`. */
export const sampleHex = "a4ead2cf050746ef96724815ac3ca2cf39f743719eafc8085dfc82dc84280fba";

/** The summary of an image that says everything about itself that it can. */
export const fullSummary: ImageSummary = {
  tag: "",
  digest: parseDigest(`sha256:${sampleHex}`),
  tags: [],
  created: "2024-01-02T03:04:05.123456789Z",
  dockerVersion: "20.10",
  labels: { z: "1", "a.b/c": "two words", k: "" },
  architecture: "amd64",
  os: "linux",
  layers: [
    { mediaType, digest: first, size: 29, annotations: { b: "<2>", a: "1" } },
    { mediaType, digest: second, size: 29 },
  ],
  env: ["PATH=/bin:/usr/bin", "X=<&>"],
};

/** The summary of an image that says as little as it may. */
export const bareSummary: ImageSummary = {
  ...fullSummary,
  created: undefined,
  dockerVersion: "",
  labels: undefined,
  architecture: "arm64",
  env: undefined,
};

/** The text of a config with every member that there is, and some that only Docker knows. */
export const fullConfigText = JSON.stringify({
  created: "2024-01-02T03:04:05.123456789Z",
  author: "Me <me@x>",
  architecture: "amd64",
  os: "linux",
  "os.version": "10.0",
  "os.features": ["f1", "f2"],
  variant: "v8",
  docker_version: "20.10",
  container: "x",
  config: {
    User: "0:0",
    ExposedPorts: { "80/tcp": {}, "443/tcp": {} },
    Env: ["PATH=/bin:/usr/bin", "X=<&>"],
    Entrypoint: ["/e"],
    Cmd: ["a", "b c"],
    Volumes: { "/v": {} },
    WorkingDir: "/w",
    Labels: { z: "1", "a.b/c": "two words", k: "" },
    StopSignal: "SIGTERM",
    ArgsEscaped: true,
    Hostname: "h",
  },
  rootfs: { type: "layers", diff_ids: [`sha256:${"a".repeat(64)}`, `sha256:${"b".repeat(64)}`] },
  history: [
    {
      created: "2023-01-02T03:04:05+02:00",
      created_by: "RUN \u2028 x\u0007é",
      author: "me",
      comment: "c",
    },
    { empty_layer: true },
  ],
});

/** A config with every member that there is. */
export const fullConfig: ImageConfig = readImageConfig(fullConfigText);

/** A config that says as little as it may. */
export const bareConfig: ImageConfig = readImageConfig(
  '{"architecture":"arm64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}',
);
