// Requests of the image proxy: one JSON object a packet → what is asked for.

import { type Digest, isDigest } from "../content/digest.ts";
import { asFailure, Failure } from "../failure.ts";
import { isJsonObject, type Json, memberOf, parseStrictJson } from "../json.ts";

/** What a client of the proxy asks for. */
export type ProxyRequest =
  | { readonly method: "Initialize" }
  | { readonly method: "Shutdown" }
  | { readonly method: "OpenImage" | "OpenImageOptional"; readonly name: string }
  | { readonly method: ImageMethod; readonly image: number }
  | {
      readonly method: "GetBlob";
      readonly image: number;
      readonly digest: Digest;
      /** In bytes, as the client knows it. */
      readonly size: number;
    }
  | { readonly method: "GetRawBlob"; readonly image: number; readonly digest: Digest }
  | { readonly method: "FinishPipe"; readonly pipe: number };

/** What is asked of an open image, without saying more. */
export type ImageMethod =
  | "CloseImage"
  | "GetManifest"
  | "GetConfig"
  | "GetFullConfig"
  | "GetLayerInfo"
  | "GetLayerInfoPiped";

/** Parses a request. Fails with `usage`, in the original's words where clients may look for them. */
export function parseProxyRequest(packet: Uint8Array): ProxyRequest {
  const { method, args } = readCall(packet);
  switch (method) {
    case "Initialize":
    case "Shutdown":
      if (args.length > 0) throw misuse("invalid request, expecting zero arguments");
      return { method };
    case "OpenImage":
    case "OpenImageOptional":
      return { method, name: readText(onlyOf(args), "string imageref") };
    case "CloseImage":
    case "GetManifest":
    case "GetConfig":
    case "GetFullConfig":
    case "GetLayerInfo":
    case "GetLayerInfoPiped":
      return { method, image: readImageNumber(onlyOf(args)) };
    case "FinishPipe":
      return { method, pipe: readNumber(onlyOf(args)) };
    case "GetBlob": {
      const [image, digest, size] = expecting(args, ["imgid", "digest", "size"]);
      return {
        method,
        image: readImageNumber(image),
        digest: readDigest(digest),
        size: readNumber(size),
      };
    }
    case "GetRawBlob": {
      const [image, digest] = expecting(args, ["imgid", "digest"]);
      return { method, image: readImageNumber(image), digest: readDigest(digest) };
    }
    default:
      throw misuse(`unknown method: ${method}`);
  }
}

function readCall(packet: Uint8Array): {
  readonly method: string;
  readonly args: readonly Json[];
} {
  const call = readJson(packet);
  if (!isJsonObject(call)) throw misuse("invalid request: it is no JSON object");
  const method = memberOf(call, "method") ?? "";
  const args = memberOf(call, "args") ?? [];
  if (typeof method !== "string") throw misuse("invalid request: its method is no text");
  if (!isList(args)) throw misuse("invalid request: its args are no list");
  return { method, args };
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function readJson(packet: Uint8Array): Json {
  try {
    return parseStrictJson(packet);
  } catch (error) {
    throw misuse(`invalid request: ${asFailure(error).message}`);
  }
}

function onlyOf(args: readonly Json[]): Json | undefined {
  if (args.length !== 1) throw misuse("invalid request, expecting one argument");
  return args[0];
}

function expecting(args: readonly Json[], names: readonly string[]): readonly Json[] {
  if (args.length === names.length) return args;
  throw misuse(`found ${args.length} args, expecting (${names.join(", ")})`);
}

function readText(value: unknown, what: string): string {
  if (typeof value === "string") return value;
  throw misuse(`expecting ${what}, not ${goTypeOf(value)}`);
}

function readImageNumber(value: unknown): number {
  const image = readNumber(value);
  if (image === 0) throw misuse("Invalid imageid value of zero");
  return image;
}

function readNumber(value: unknown): number {
  if (typeof value !== "number") throw misuse(`expecting numeric, not ${goTypeOf(value)}`);
  if (value < 0 || value > Number.MAX_SAFE_INTEGER) {
    throw misuse(`out of range integer for numeric ${shownNumber(value)}`);
  }
  return Math.trunc(value);
}

/** All its digits, and six behind the point. */
function shownNumber(value: number): string {
  return Number.isInteger(value) ? `${BigInt(value)}.000000` : value.toFixed(6);
}

function readDigest(value: unknown): Digest {
  if (typeof value !== "string") throw misuse("expecting string blobid");
  if (!isDigest(value)) throw misuse("invalid checksum digest format");
  return value;
}

/** What clients, which are written in other languages, see named. */
function goTypeOf(value: unknown): string {
  if (value === null) return "<nil>";
  if (Array.isArray(value)) return "[]interface {}";
  switch (typeof value) {
    case "number":
      return "float64";
    case "boolean":
      return "bool";
    case "string":
      return "string";
    default:
      return "map[string]interface {}";
  }
}

function misuse(message: string): Failure {
  return new Failure("usage", message);
}
