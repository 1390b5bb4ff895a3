// AuthFile: credentials as auth.json and Docker's config.json keep them.

import { Failure, inContext } from "../failure.ts";
import { type Credentials, IdentityToken } from "../image/registry-access.ts";
import { isJsonObject, type Json, type JsonObject, memberOf, parseForeignJson } from "../json.ts";
import type { AuthFilePlace } from "./auth-file-places.ts";
import { type AuthKey, normalHost, widerKeys } from "./auth-key.ts";
import { readConfigFileIfAny } from "./config-file.ts";

/** What one entry of a file says. */
export interface AuthEntry {
  /** As it stands in the file. */
  readonly key: string;
  /** User name and password in base64; empty where somebody else keeps them. */
  readonly auth: string;
  /** What tokens are made from; empty if there is none. */
  readonly identityToken: string;
}

/** A file of credentials, read. */
export interface AuthFile extends AuthFilePlace {
  readonly entries: readonly AuthEntry[];
  /** Which helper knows the credentials of which registry. */
  readonly helpers: ReadonlyMap<string, string>;
  /** The helper that Docker asks about all other registries. */
  readonly store: string | undefined;
}

/** Reads a file, or returns undefined if there is none. Fails with `config`. */
export async function readAuthFile(place: AuthFilePlace): Promise<AuthFile | undefined> {
  const what = `reading JSON file ${JSON.stringify(place.path)}`;
  try {
    const content = await readConfigFileIfAny(place.path);
    return content && parseAuthFile(content, place);
  } catch (error) {
    throw inContext(what, error);
  }
}

/** Parses the content of a file. Fails with `config`, and never quotes what it read. */
export function parseAuthFile(content: string | Uint8Array, place: AuthFilePlace): AuthFile {
  try {
    const document = object(parseForeignJson(content), "it");
    if (place.format === "legacy") {
      return { ...place, entries: entriesIn(document), helpers: new Map(), store: undefined };
    }
    const auths = memberOf(document, "auths");
    return {
      ...place,
      entries: auths === undefined ? [] : entriesIn(object(auths, `"auths"`)),
      helpers: helpersIn(memberOf(document, "credHelpers")),
      store: text(memberOf(document, "credsStore"), `"credsStore"`) || undefined,
    };
  } catch (error) {
    const failure = inContext(`unmarshaling JSON at ${JSON.stringify(place.path)}`, error);
    throw new Failure("config", failure.message, { cause: failure });
  }
}

/** Returns the name and the helper that a file names for a registry, if it does. */
export function helperFor(
  { helpers }: AuthFile,
  { host }: AuthKey,
): { readonly helper: string; readonly server: string } | undefined {
  const meant = [host, ...helpers.keys()].find(
    (server) => helpers.has(server) && normalHost(server) === normalHost(host),
  );
  const helper = meant === undefined ? undefined : helpers.get(meant);
  return meant === undefined || helper === undefined ? undefined : { helper, server: meant };
}

/** Returns the entries that may be meant for `key`, best first. */
export function entriesFor(file: AuthFile, key: AuthKey): readonly AuthEntry[] {
  const legacy = file.format === "legacy";
  // The keys of the old format are whole registries only.
  const keys = legacy ? [key.host] : widerKeys(key);
  const exact = keys.flatMap((wanted) => file.entries.filter((entry) => entry.key === wanted));
  const host = normalHost(key.host, legacy);
  const equal = file.entries.filter((entry) => normalHost(entry.key, legacy) === host);
  return [...new Set([...exact, ...equal])];
}

/**
 * Returns the credentials in an entry; undefined if it holds none, and `malformed` if it does not hold
 * two parts. Fails with `config` if it is no base64.
 */
export function credentialsIn({ auth, identityToken }: AuthEntry): StoredCredentials {
  if (auth === "") return undefined;
  const decoded = decodeBase64(auth);
  const colon = decoded.indexOf(":");
  if (colon < 0) return "malformed";
  const username = decoded.slice(0, colon);
  // Docker once padded passwords with zero bytes.
  const password = decoded.slice(colon + 1).replace(/^\0+|\0+$/g, "");
  if (identityToken !== "") {
    return { kind: "identity", token: new IdentityToken(identityToken), username, password };
  }
  return username === "" && password === "" ? undefined : { kind: "basic", username, password };
}

/** What `credentialsIn` finds. */
export type StoredCredentials = Credentials | "malformed" | undefined;

function decodeBase64(given: string): string {
  const digits = given.replace(/[\r\n]/g, "");
  const valid = digits.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(digits);
  if (!valid) throw new Failure("config", "illegal base64 data");
  return Buffer.from(digits, "base64").toString("utf8");
}

function entriesIn(auths: JsonObject): readonly AuthEntry[] {
  return Object.entries(auths).map(([key, value]) => {
    const where = `the entry ${JSON.stringify(key)}`;
    const entry = value === null ? {} : object(value, where);
    return {
      key,
      auth: text(memberOf(entry, "auth"), `"auth" of ${where}`),
      identityToken: text(memberOf(entry, "identitytoken"), `"identitytoken" of ${where}`),
    };
  });
}

function helpersIn(value: Json | undefined): ReadonlyMap<string, string> {
  if (value === undefined) return new Map();
  const entries = Object.entries(object(value, `"credHelpers"`));
  return new Map(
    entries.map(([server, name]) => [
      server,
      text(name, `the helper of ${JSON.stringify(server)}`),
    ]),
  );
}

function object(value: Json, what: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw new Failure("config", `${what} is no JSON object`);
}

function text(value: Json | undefined, what: string): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  throw new Failure("config", `${what} is no text`);
}
