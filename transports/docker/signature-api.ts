// Signature API: OpenPGP signatures in registries that keep them themselves, by an extension of old.

import { collect } from "../../core/blob/collect.ts";
import { streamOf } from "../../core/blob/stream.ts";
import type { Digest } from "../../core/content/digest.ts";
import { type DockerName, fullRepository } from "../../core/content/docker-name.ts";
import { Failure } from "../../core/failure.ts";
import type { Signature } from "../../core/image/source.ts";
import { encodeJsonBytes, isJsonObject, type Json, parseForeignJson } from "../../core/json.ts";
import { limits } from "../../core/limits.ts";
import type { RegistryClient } from "./client.ts";

/** Whose signatures are meant, and who asks for them. */
export interface SignatureApiPlace {
  readonly client: RegistryClient;
  readonly name: DockerName;
  /** Of the manifest that they are about. */
  readonly digest: Digest;
}

/** Returns the signatures that the registry keeps. */
export async function readFromApi(place: SignatureApiPlace): Promise<readonly Signature[]> {
  const { client, name, digest } = place;
  const response = await client.request({ method: "GET", target: targetOf(place) });
  const what = `downloading signatures for ${digest} in ${fullRepository(name)}`;
  if (response.status !== 200) throw (await client.failure(response, what)).failure;
  const answer = parseForeignJson(await collect(response.body, limits.signatureListBytes));
  const listed = isJsonObject(answer) ? (answer["signatures"] ?? []) : undefined;
  if (!Array.isArray(listed)) throw new Failure("corrupt", `${what}: the answer is no list`);
  const signatures = listed.flatMap((entry: Json) => signatureIn(entry) ?? []);
  if (signatures.length <= limits.signatures) return signatures;
  throw new Failure("corrupt", `${what}: there are more than ${limits.signatures}`);
}

/** Adds signatures to those that the registry keeps, unless it keeps them already. */
export async function addByApi(
  place: SignatureApiPlace,
  signatures: readonly Signature[],
  signal: AbortSignal,
): Promise<void> {
  const { client, name, digest } = place;
  const known = new Set((await readFromApi(place)).map(base64Of));
  for (const content of signatures.map(base64Of)) {
    if (known.has(content)) continue;
    known.add(content);
    const unique = crypto.randomUUID().replaceAll("-", "");
    const bytes = encodeJsonBytes({
      schemaVersion: 2,
      name: `${digest}@${unique}`,
      type: "atomic",
      content,
    });
    const response = await client.request({
      method: "PUT",
      target: targetOf(place),
      body: { open: () => streamOf(bytes), size: bytes.length, mediaType: "application/json" },
      signal,
    });
    if (response.status !== 201) {
      const what = `uploading signature to ${targetOf(place)} in ${name.host}`;
      throw (await client.failure(response, what)).failure;
    }
    await response.discard();
  }
}

function targetOf({ client, digest }: SignatureApiPlace): string {
  return `/extensions/v2/${client.repository}/signatures/${digest}`;
}

/** Entries of other versions and types are none of ours. */
function signatureIn(entry: Json): Signature | undefined {
  if (!isJsonObject(entry)) return undefined;
  const { schemaVersion, type, content } = entry;
  if (schemaVersion !== 2 || type !== "atomic" || typeof content !== "string") return undefined;
  return Buffer.from(content, "base64");
}

function base64Of(signature: Signature): string {
  return Buffer.from(signature).toString("base64");
}
