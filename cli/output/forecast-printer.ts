// The forecast printer: what a command would do, for people or for programs.

import {
  type CopyForecast,
  type DestinationForecast,
  ForecastKeeper,
  type ForecastTotals,
  forecastVersion,
  type ImageForecast,
  type RunForecast,
} from "../../core/copy/forecast.ts";
import type { BlobForecast } from "../../core/copy/events.ts";
import type { Decision } from "../../core/trust/decision.ts";
import { encodePretty, harmlessJson } from "./json.ts";
import { print } from "./print.ts";
import type { Progress } from "./progress.ts";
import { harmless } from "./quote.ts";
import { renderSize } from "./size.ts";

/** Prints what the command of that name would do, to standard output. */
export function forecastPrinter(command: string, format: "text" | "json"): Progress {
  const keeper = new ForecastKeeper();
  let seconds = 0;
  return {
    tell(event) {
      keeper.note(event);
      if (event.kind === "summary") seconds = event.seconds;
    },
    async end() {
      const { forecast } = keeper;
      if (format === "text") return print(renderForecast(forecast));
      const ok = forecast.failure === undefined;
      const head = { v: forecastVersion, command, dryRun: true, ok, seconds };
      await print(harmlessJson(encodePretty({ ...head, ...forecast })));
    },
    [Symbol.dispose]: () => {},
  };
}

/** Returns a forecast as text. */
export function renderForecast({ copies, totals }: RunForecast): string {
  const several = copies.flatMap(({ destinations }) => destinations).length > 1;
  const lines = [
    ...copies.flatMap(copyLines),
    ...(several ? [`all together: ${totalsText(totals)}`] : []),
    "Nothing was written.",
  ];
  return `${lines.map(harmless).join("\n")}\n`;
}

function copyLines({ source, policy, destinations }: CopyForecast): readonly string[] {
  return [
    `Copying ${source}`,
    ...policy.map((decision) => `  ${policyText(decision)}`),
    ...destinations.flatMap(destinationLines),
  ];
}

function policyText({ verdict, digest, by, rules, scope, reason }: Decision): string {
  const what = digest === undefined ? "the image" : digest;
  const where =
    scope === undefined
      ? "the policy's default"
      : [scope.transport, scope.name].filter((part) => part !== "").join(" ");
  const who = by === "images" ? "its images" : `${rules.join(", ")} (${where})`;
  return verdict === "admitted"
    ? `policy admits ${what} by ${who}`
    : `policy rejects ${what} by ${who}: ${reason ?? ""}`;
}

function destinationLines(there: DestinationForecast): readonly string[] {
  const { destination, ok, digest, mediaType, images, totals } = there;
  const what = digest ?? "a digest that only sending can tell";
  const type = mediaType === undefined ? "" : ` (${mediaType})`;
  const end = `  then leads to ${what}${type}`;
  return [
    `to ${destination}`,
    ...images.flatMap((image) => imageLines(image, images.length > 1)),
    ...(ok ? [end, `  total: ${totalsText(totals)}`] : ["  this would fail"]),
  ];
}

function imageLines(image: ImageForecast, named: boolean): readonly string[] {
  const { digest, writtenAs, mediaType, frozenBecause, blobs, foreign } = image;
  const became = writtenAs === digest ? "" : ` as ${writtenAs ?? "what only sending can tell"}`;
  const type = mediaType === undefined ? "" : `, ${mediaType}`;
  return [
    ...(named ? [`  image ${digest}${became}${type}`] : []),
    ...(frozenBecause === undefined ? [] : [`  its manifest stays as it is: ${frozenBecause}`]),
    ...blobs.map((blob) => `  ${blobText(blob)}`),
    ...foreign.map(({ digest: layer, size }) => `  ${row("leave", size, "layer", layer)}`),
  ];
}

function blobText({ digest, role, outcome, changes, size, read, storedAs }: BlobForecast): string {
  const did = changes.length === 0 ? verbs[outcome] : changes.join("+");
  const from = size === undefined && read !== undefined ? ` (${renderSize(read)} as it is)` : "";
  const as = storedAs === undefined ? "" : ` as ${storedAs}`;
  return `${row(did, size, role, digest)}${as}${from}`;
}

const verbs = { sent: "send", reused: "reuse", mounted: "mount" } as const;

function row(did: string, size: number | undefined, role: string, digest: string): string {
  const bytes = size === undefined ? "?" : renderSize(size);
  return `${did.padEnd(10)} ${bytes.padStart(9)}  ${role.padEnd(6)} ${digest}`;
}

function totalsText({ blobs, bytes, unknown, foreign }: ForecastTotals): string {
  const more = unknown === 0 ? "" : `, ${unknown} of them of a size that only sending can tell`;
  const parts = [
    `read ${renderSize(bytes.read)} (${bytes.read} bytes)`,
    `send ${renderSize(bytes.sent)} (${bytes.sent} bytes) in ${blobs.sent} blobs${more}`,
    `reuse ${renderSize(bytes.reused)} in ${blobs.reused}`,
    `mount ${renderSize(bytes.mounted)} in ${blobs.mounted}`,
    ...(foreign === 0 ? [] : [`leave ${foreign} where they are`]),
  ];
  return parts.join(", ");
}
