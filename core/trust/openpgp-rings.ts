// OpenPGP rings: files with several keys, one after the other.

import { Failure } from "../failure.ts";
import { packetTags, readPackets } from "./openpgp-packets.ts";

/** Cuts a binary ring into keys: each begins with a primary key. Nothing if it is no ring at all. */
export function keysIn(ring: Uint8Array): readonly Uint8Array[] {
  const keys: Uint8Array[][] = [];
  for (const { tag, whole } of packetsOrNone(ring)) {
    if (tag === packetTags.publicKey || tag === packetTags.secretKey) keys.push([]);
    keys.at(-1)?.push(whole);
  }
  return keys.map((packets) => Buffer.concat(packets));
}

function packetsOrNone(ring: Uint8Array): ReturnType<typeof readPackets> {
  try {
    return readPackets(ring);
  } catch (error) {
    if (error instanceof Failure) return [];
    throw error;
  }
}
