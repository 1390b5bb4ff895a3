import { expect, test } from "bun:test";

import { copyImages } from "../../../core/copy/copy.ts";
import { ForecastKeeper, forecastVersion } from "../../../core/copy/forecast.ts";
import { forecastSchema } from "../../../core/copy/forecast-schema.ts";
import { Rehearsal } from "../../../core/copy/rehearsal.ts";
import type { CopyRequest } from "../../../core/copy/request.ts";
import { Gate } from "../../../core/trust/gate.ts";
import { acceptEverything } from "../../../core/trust/requirements/basic.ts";
import { holding } from "../../support/engine.ts";
import { schemaFaults } from "../../support/json-schema-check.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { sampleImage, sampleList } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";

test.each([
  ["an image", sampleImage({ seed: "forecast", layers: ["none", "gzip"] })],
  ["a list", sampleList({ seed: "forecast" })],
])("forecastSchema fits the forecast of copying %s", async (_, sample) => {
  const keeper = new ForecastKeeper();
  const rehearsal = new Rehearsal();
  const into = new MemoryTransport({ traits: { layers: "compress" } });
  const wanted: Omit<CopyRequest, "destination"> = {
    source: { reference: holding(sample).parseReference("a"), context: transportContext() },
    gate: new Gate(acceptEverything, { requireSigned: false, now: () => new Date(0) }),
    platform: { os: "linux", architecture: "amd64" },
    images: "all",
    preserveDigests: false,
    signatures: "copy",
    parallelBlobs: 3,
    now: () => new Date(0),
    tell: keeper.note.bind(keeper),
  };
  const request = rehearsal.request(wanted);
  const destination = { reference: into.parseReference("b"), context: transportContext() };
  await copyImages({ ...request, destination: rehearsal.destination(destination) });
  keeper.note({ kind: "failed", code: "io", message: "no", side: "source" });
  const head = { v: forecastVersion, command: "copy", dryRun: true, ok: true, seconds: 1 };
  const printed = JSON.parse(JSON.stringify({ ...head, ...keeper.forecast }));
  expect(schemaFaults(printed, forecastSchema())).toEqual([]);
  expect(schemaFaults({ ...printed, dryRun: false }, forecastSchema())).toHaveLength(1);
});
