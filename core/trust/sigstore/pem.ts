// PEM: blocks of base64 between lines that say what they are.

import { Failure } from "../../failure.ts";

/** One block. */
export interface PemBlock {
  /** Such as `CERTIFICATE`. */
  readonly label: string;
  readonly bytes: Uint8Array;
}

const begin = /^-----BEGIN ([A-Z0-9 ]{1,64})-----[ \t\r]*$/;
const body = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Returns all blocks of a text, in their order; what stands between them does not count.
 *
 * Fails with `corrupt` on a block that does not end, or that has headers or anything but base64 in it.
 */
export function parsePem(input: Uint8Array | string): readonly PemBlock[] {
  const text = typeof input === "string" ? input : new TextDecoder().decode(input);
  const blocks: PemBlock[] = [];
  let label: string | undefined;
  let lines: string[] = [];
  for (const line of text.split("\n")) {
    if (label === undefined) {
      label = begin.exec(line)?.[1];
      lines = [];
    } else if (line.trimEnd() === `-----END ${label}-----`) {
      blocks.push({ label, bytes: decode(label, lines.join("")) });
      label = undefined;
    } else {
      lines.push(line.trim());
    }
  }
  if (label !== undefined) throw malformed(label, "does not end");
  return blocks;
}

/** Writes a block, in lines of 64 characters. */
export function encodePem({ label, bytes }: PemBlock): string {
  const lines =
    Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

function decode(label: string, text: string): Uint8Array {
  if (!body.test(text)) throw malformed(label, "holds something else than base64");
  return Buffer.from(text, "base64");
}

function malformed(label: string, what: string): Failure {
  return new Failure("corrupt", `PEM block ${label} ${what}`);
}
