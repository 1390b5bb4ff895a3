// Container: the header of a Singularity image, and what it says that the file holds.
//
// See https://github.com/apptainer/sif/blob/main/pkg/sif/sif.go for the layout of both structures.

import { Failure } from "../../core/failure.ts";
import { limits } from "../../core/limits.ts";
import type { FileWindow } from "./file-window.ts";

/** What a Singularity image is. */
export interface SifContainer {
  /** Grouped by dashes, in hex. */
  readonly id: string;
  /** In the names of the Go toolchain; `unknown` if it is no known one. */
  readonly architecture: string;
  /** In seconds since 1970. */
  readonly modified: number;
  readonly objects: readonly SifObject[];
}

/** One thing that the file holds. */
export interface SifObject {
  readonly kind: "definition" | "partition" | "other";
  /** Where it begins, and how long it is, in bytes. */
  readonly start: number;
  readonly size: number;
  /** Of partitions: whether it is the one that is booted from. */
  readonly primary: boolean;
}

const headerBytes = 128;
const descriptorBytes = 585;

/** Reads what a file holds. Fails with `corrupt` if it is no Singularity image. */
export async function readContainer(file: FileWindow): Promise<SifContainer> {
  const header = await readHeader(file);
  if (header.toString("latin1", 32, 42) !== "SIF_MAGIC\0") throw corrupt("invalid SIF magic");
  if (header.toString("latin1", 42, 45) !== "01\0") throw corrupt("incompatible SIF version");
  const total = integerAt(header, 88);
  if (total > limits.sifObjects) throw corrupt(`${total} descriptors are too many`);
  const descriptors = await readDescriptors(file, integerAt(header, 96), total);
  const objects: SifObject[] = [];
  for (let at = 0; at < descriptors.length; at += descriptorBytes) {
    const object = objectOf(descriptors.subarray(at, at + descriptorBytes));
    if (object !== undefined) objects.push(object);
  }
  return {
    id: dashed(header.toString("hex", 48, 64)),
    architecture: architectures[header.toString("latin1", 45, 47)] ?? "unknown",
    modified: integerAt(header, 72),
    objects,
  };
}

async function readHeader(file: FileWindow): Promise<Buffer> {
  if (file.size < headerBytes) throw corrupt("reading global header: unexpected EOF");
  return await file.read(0, headerBytes);
}

async function readDescriptors(file: FileWindow, start: number, total: number): Promise<Buffer> {
  const size = total * descriptorBytes;
  if (start < 0 || start + size > file.size) throw corrupt("reading descriptors: unexpected EOF");
  return await file.read(start, size);
}

/** Undefined where the slot is free. */
function objectOf(bytes: Buffer): SifObject | undefined {
  if (bytes.readUInt8(4) === 0) return undefined;
  const kind = kinds[bytes.readInt32LE(0)] ?? "other";
  return {
    kind,
    start: integerAt(bytes, 17),
    size: integerAt(bytes, 25),
    primary: kind === "partition" && bytes.readInt32LE(205) === 2,
  };
}

function integerAt(bytes: Buffer, at: number): number {
  const value = Number(bytes.readBigInt64LE(at));
  if (!Number.isSafeInteger(value)) throw corrupt("a number is out of range");
  return value;
}

function dashed(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function corrupt(what: string): Failure {
  return new Failure("corrupt", what);
}

const kinds: Readonly<Record<number, "definition" | "partition">> = {
  0x4001: "definition",
  0x4004: "partition",
};

const architectures: Readonly<Record<string, string>> = {
  "01": "386",
  "02": "amd64",
  "03": "arm",
  "04": "arm64",
  "05": "ppc64",
  "06": "ppc64le",
  "07": "mips",
  "08": "mipsle",
  "09": "mips64",
  "10": "mips64le",
  "11": "s390x",
  "12": "riscv64",
};
