// Rekor upload: has a transparency log keep a signature, and returns its promise to do so.

import { createHash } from "node:crypto";

import { during, Failure } from "../../failure.ts";
import { encodeJson, isJsonObject, type Json } from "../../json.ts";
import type { LoggedSignature } from "./rekor.ts";
import { ask, below, jsonOf, type ServiceAccess, type ServiceAnswer, unwanted } from "./service.ts";

/** A signature that is to be logged. */
export interface NewEntry extends Omit<LoggedSignature, "verifier"> {
  /** The key or the certificate that it is verified with, as PEM. */
  readonly verifier: string;
}

/** Uploads a signature, and returns the log's promise as cosign keeps it. */
export function uploadEntry(entry: NewEntry, server: URL, access: ServiceAccess): Promise<string> {
  return during("Error uploading a log entry", async () => {
    const url = below(server, "/api/v1/log/entries");
    const headers = { Accept: "application/json" };
    const body = { mediaType: "application/json", text: encodeJson(proposal(entry)) };
    const answer = await ask({ method: "POST", url, headers, body }, access);
    if (answer.status === 201) return setOf(answer, url);
    const place = answer.status === 409 ? placeIn(answer, server) : undefined;
    // Whoever tries again may find that the first try did arrive.
    if (place === undefined) throw unwanted(answer, url);
    const kept = await ask({ method: "GET", url: place, headers }, access);
    if (kept.status !== 200) throw unwanted(kept, place);
    return setOf(kept, place);
  });
}

function proposal({ payload, signature, verifier }: NewEntry): object {
  const value = createHash("sha256").update(payload).digest("hex");
  return {
    apiVersion: "0.0.1",
    kind: "hashedrekord",
    spec: {
      data: { hash: { algorithm: "sha256", value } },
      signature: {
        content: Buffer.from(signature).toString("base64"),
        publicKey: { content: Buffer.from(verifier).toString("base64") },
      },
    },
  };
}

/** Returns where an entry is kept, by its name alone: nobody is led to another server. */
function placeIn({ headers }: ServiceAnswer, server: URL): URL | undefined {
  const [, name] = /\/([0-9a-f]{64,80})$/.exec(headers.get("location") ?? "") ?? [];
  return name === undefined ? undefined : below(server, `/api/v1/log/entries/${name}`);
}

function setOf(answer: ServiceAnswer, url: URL): string {
  const json = jsonOf(answer, url);
  const entries = isJsonObject(json) ? Object.values(json) : [];
  const [entry] = entries;
  if (entries.length !== 1 || !isJsonObject(entry)) {
    throw new Failure("refused", `expected 1 Rekor entry, got ${entries.length}`);
  }
  const { body, integratedTime, logIndex, logID } = entry;
  const verification: Json = entry["verification"] ?? null;
  const timestamp = isJsonObject(verification) ? verification["signedEntryTimestamp"] : undefined;
  if (
    typeof body !== "string" ||
    !Number.isSafeInteger(integratedTime) ||
    !Number.isSafeInteger(logIndex) ||
    typeof logID !== "string" ||
    typeof timestamp !== "string"
  ) {
    throw new Failure("refused", `${url.host} answered with an entry that lacks something`);
  }
  return encodeJson({
    SignedEntryTimestamp: timestamp,
    Payload: { body, integratedTime, logIndex, logID },
  });
}
