// "transport:details" → ImageReference.

import { Failure } from "../failure.ts";
import { nearest } from "../nearest.ts";
import type { ImageReference, TransportTable } from "./transport.ts";

/** Parses an image name as users write it. Fails with `usage`, in the original's words. */
export function parseImageName(text: string, transports: TransportTable): ImageReference {
  const colon = text.indexOf(":");
  if (colon < 0) {
    throw invalid(text, "expected colon-separated transport:reference", registryHint(text));
  }
  const name = text.slice(0, colon);
  const transport = Object.hasOwn(transports, name) ? transports[name] : undefined;
  if (transport === undefined) {
    throw invalid(
      text,
      `unknown transport ${JSON.stringify(name)}`,
      hintFor(text, name, transports),
    );
  }
  return transport.parseReference(text.slice(colon + 1));
}

/** Returns the names of the transports that lists for people show, sorted. */
export function listedTransports(transports: TransportTable): readonly string[] {
  const names = Object.keys(transports).filter((name) => transports[name]?.unlisted !== true);
  return names.sort();
}

function hintFor(text: string, name: string, transports: TransportTable): string {
  const near = nearest(name, Object.keys(transports));
  if (near !== undefined) return `did you mean ${near}:?`;
  const known = `known transports are ${listedTransports(transports).join(", ")}`;
  // A host, or an image with a tag, rather than a kind of storage.
  return /[./]/.test(name) || /^[a-z0-9]+$/.test(name) ? `${registryHint(text)}; ${known}` : known;
}

function registryHint(text: string): string {
  return text === "" ? "name an image" : `for an image in a registry, write docker://${text}`;
}

function invalid(text: string, what: string, hint: string): Failure {
  return new Failure("usage", `Invalid image name ${JSON.stringify(text)}, ${what}`, { hint });
}
