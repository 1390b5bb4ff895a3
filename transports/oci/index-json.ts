// index.json: the table of contents of an OCI layout.
//
// Other programs write it too. What we do not know in it stays as it is.

import type { Descriptor } from "../../core/content/descriptor.ts";
import { type Digest, digestFault, isDigest } from "../../core/content/digest.ts";
import { manifestTypes } from "../../core/content/media-types.ts";
import { Failure } from "../../core/failure.ts";
import {
  encodeJson,
  isJsonObject,
  type Json,
  type JsonObject,
  parseForeignJson,
} from "../../core/json.ts";
import { isAttachmentTag } from "../shared/attachments.ts";
import type { WantedEntry } from "./name.ts";

/** A parsed index.json. */
export interface LayoutIndex {
  readonly entries: readonly IndexEntry[];
  /** All of it, but that `entries` counts instead of its `manifests`. */
  readonly json: JsonObject;
}

/** One entry of the index: nothing in it is checked but its shape. */
export interface IndexEntry {
  /** Empty where there is none. */
  readonly mediaType: string;
  /** As it stands there: perhaps no digest at all. */
  readonly digest: string;
  /** The name of the image; absent where it has none. */
  readonly name?: string;
  /** What it was made of, as far as that is noted and still about this digest. */
  readonly making?: string;
  /** The full name that engines give it beside that, which then is only a tag. */
  readonly fullName?: string;
  readonly json: JsonObject;
}

const nameAnnotation = "org.opencontainers.image.ref.name";
const fullNameAnnotation = "io.containerd.image.name";
/** Begins with the digest that it is about: other programs may keep annotations and change the rest. */
const makingAnnotation = "dray.made-of";

/** Says of an entry without a name what it is about, so that it need not be read by who looks for others. */
const subjectAnnotation = "vnd.dray.subject";

/** Leads to the index of what is hidden behind an image. */
const hiddenAnnotation = "vnd.dray.attached";

/** What cosign calls the entries of layouts that it saves and verifies. */
const kindAnnotation = "kind";
const cosignKinds = {
  image: "dev.cosignproject.cosign/image",
  list: "dev.cosignproject.cosign/imageIndex",
  signatures: "dev.cosignproject.cosign/sigs",
} as const;

/** The index of a layout that holds nothing yet. */
export const emptyIndex: LayoutIndex = {
  entries: [],
  json: { schemaVersion: 2, mediaType: manifestTypes.ociIndex, manifests: [] },
};

/** Parses the bytes of an index.json; whatever stands behind its value does not count. */
export function parseIndex(bytes: Uint8Array): LayoutIndex {
  const json = parseForeignJson(firstObject(new TextDecoder().decode(bytes)));
  if (!isJsonObject(json)) throw new Failure("corrupt", "index.json is no JSON object");
  const listed = json["manifests"] ?? [];
  if (!Array.isArray(listed)) throw new Failure("corrupt", "manifests in index.json is no list");
  return { entries: listed.map(parseEntry), json };
}

function parseEntry(json: Json): IndexEntry {
  if (!isJsonObject(json)) throw new Failure("corrupt", "index.json lists what is no descriptor");
  const name = annotationOf(json, nameAnnotation);
  const fullName = annotationOf(json, fullNameAnnotation);
  const digest = textOf(json["digest"]);
  const [about, making] = annotationOf(json, makingAnnotation)?.split(" of ", 2) ?? [];
  return {
    mediaType: textOf(json["mediaType"]),
    digest,
    ...(making !== undefined && about === digest && { making }),
    ...(name !== undefined && { name }),
    ...(fullName !== undefined && { fullName }),
    json,
  };
}

function annotationOf(json: JsonObject, key: string): string | undefined {
  const annotations = json["annotations"];
  const value = isJsonObject(annotations) ? annotations[key] : undefined;
  return typeof value === "string" ? value : undefined;
}

function textOf(json: Json | undefined): string {
  return typeof json === "string" ? json : "";
}

/** Returns the text up to the end of the first object in it: some programs leave old ends behind. */
function firstObject(text: string): string {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (quoted && character === "\\") at++;
    else if (character === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (character === "{") depth++;
    else if (character === "}" && --depth === 0) return text.slice(0, at + 1);
  }
  return text;
}

/** Writes an index as the original does: on one line, with nothing behind it. */
export function encodeIndex({ entries, json }: LayoutIndex): Uint8Array {
  const manifests = entries.map((entry) => entry.json);
  return new TextEncoder().encode(encodeJson({ ...json, manifests }));
}

/** An entry that was selected, and where in the index it stands. */
export interface SelectedEntry {
  readonly entry: IndexEntry;
  readonly digest: Digest;
  readonly position: number;
}

/** Media types that a name can stand for. */
const selectable: readonly string[] = [
  manifestTypes.oci,
  manifestTypes.ociIndex,
  manifestTypes.schema2,
  manifestTypes.dockerList,
];

/**
 * Finds the entry to be read. Fails as `selectEntry` does.
 *
 * What engines write beside or instead of one image is no reason to ask which is meant: several names for
 * the same image, or the attestations, signatures and bundles of it.
 */
export function selectImage(index: LayoutIndex, wanted: WantedEntry): SelectedEntry {
  if (wanted.by === "itself") {
    const images = index.entries.filter(
      (entry) => !isAttestation(entry) && !isSignature(entry) && !isArtifact(entry),
    );
    const [first] = images;
    if (first !== undefined && images.every(({ digest }) => digest === first.digest)) {
      return selectEntry(index, { by: "position", position: index.entries.indexOf(first) });
    }
  }
  if (wanted.by === "name" && !index.entries.some(({ name }) => name === wanted.name)) {
    const position = index.entries.findIndex(({ fullName }) => fullName === wanted.name);
    if (position >= 0) return selectEntry(index, { by: "position", position });
  }
  return selectEntry(index, wanted);
}

/**
 * Tells whether an entry has no name and says that it is an artifact: then it is about an image, such as a bundle,
 * and none itself.
 */
export function isArtifact({ name, json }: IndexEntry): boolean {
  return name === undefined && json["artifactType"] !== undefined;
}

/** Tells whether all that an index lists is what `cosign save` has written: of a kind, and without a name. */
export function isSavedByCosign({ entries }: LayoutIndex): boolean {
  const isSaved = ({ name, json }: IndexEntry) =>
    name === undefined && annotationOf(json, kindAnnotation) !== undefined;
  return entries.length > 0 && entries.every(isSaved);
}

/** Returns what an artifact is said to be about; undefined where its entry does not say. */
export function subjectOf(entry: IndexEntry): string | undefined {
  return annotationOf(entry.json, subjectAnnotation);
}

/** Returns an entry for an artifact that is about the manifest with this digest. */
export function artifactEntry(json: JsonObject, about: string): IndexEntry {
  return annotated(parseEntry(json), { [subjectAnnotation]: about });
}

/** Returns the index with an artifact in it. */
export function withArtifact(index: LayoutIndex, artifact: IndexEntry): LayoutIndex {
  const { entries } = index;
  const at = entries.findIndex((each) => isArtifact(each) && each.digest === artifact.digest);
  return { ...index, entries: at < 0 ? [...entries, artifact] : entries.with(at, artifact) };
}

/** Returns the digest of the index of what is hidden behind an image; undefined if nothing is. */
export function hiddenIndexOf(entry: IndexEntry): string | undefined {
  return annotationOf(entry.json, hiddenAnnotation);
}

/** Returns the index with a hidden index behind each entry of an image. */
export function withHiddenIndex(index: LayoutIndex, image: string, hidden: string): LayoutIndex {
  const entries = index.entries.map((each) =>
    each.digest === image ? annotated(each, { [hiddenAnnotation]: hidden }) : each,
  );
  return { ...index, entries };
}

/** Returns the index such that cosign knows the manifest with this digest for an image. */
export function withKind(index: LayoutIndex, digest: string): LayoutIndex {
  const entries = index.entries.map((each) =>
    each.digest === digest ? annotated(each, { [kindAnnotation]: kindOf(each) }) : each,
  );
  return { ...index, entries };
}

function isSignature({ name, json }: IndexEntry): boolean {
  if (name !== undefined && isAttachmentTag(name)) return true;
  const kind = annotationOf(json, kindAnnotation);
  return kind !== undefined && kind !== cosignKinds.image && kind !== cosignKinds.list;
}

/** Finds the signatures of a manifest: under their name, or as `cosign save` leaves them. */
export function findSignatures(
  { entries }: LayoutIndex,
  digest: string,
  name: string,
): IndexEntry | undefined {
  const named = entries.find((entry) => entry.name === name);
  if (named !== undefined) return named;
  const ofKind = (...kinds: readonly string[]) =>
    entries.filter(({ json }) => kinds.includes(annotationOf(json, kindAnnotation) ?? ""));
  const [image, ...images] = ofKind(cosignKinds.image, cosignKinds.list);
  const [signatures, ...more] = ofKind(cosignKinds.signatures);
  // It says of neither which belongs to which.
  const sure = images.length === 0 && more.length === 0 && image?.digest === digest;
  return sure && signatures?.name === undefined ? signatures : undefined;
}

/**
 * Returns the index with the signatures of a manifest under their name, where `cosign verify
 * --local-image` finds them, too.
 */
export function withSignatures(
  index: LayoutIndex,
  signatures: Descriptor,
  { digest, name }: { readonly digest: string; readonly name: string },
): LayoutIndex {
  const plain = makeEntry(signatures, name);
  // Cosign takes the first of a kind, and those of a list's images are not what it looks for.
  const top = index.entries.some((each) => each.digest === digest);
  const entry = top ? annotated(plain, { [kindAnnotation]: cosignKinds.signatures }) : plain;
  const { entries } = withKind(index, digest);
  const at = entries.findIndex((each) => each.name === name);
  return { ...index, entries: at < 0 ? [...entries, entry] : entries.with(at, entry) };
}

function kindOf({ mediaType }: IndexEntry): string {
  return mediaType === manifestTypes.ociIndex ? cosignKinds.list : cosignKinds.image;
}

function annotated(entry: IndexEntry, added: Readonly<Record<string, string>>): IndexEntry {
  const { annotations } = entry.json;
  const kept = isJsonObject(annotations) ? annotations : {};
  return { ...entry, json: { ...entry.json, annotations: { ...kept, ...added } } };
}

function isAttestation({ json }: IndexEntry): boolean {
  return annotationOf(json, "vnd.docker.reference.type") === "attestation-manifest";
}

/** Finds an entry. Fails with `not-found` if no entry has the name; in the original's words. */
export function selectEntry({ entries }: LayoutIndex, wanted: WantedEntry): SelectedEntry {
  const position = positionOf(entries, wanted);
  const entry = entries[position];
  if (entry === undefined) {
    throw new Failure(
      "refused",
      `index ${position} is too large, only ${entries.length} entries available`,
    );
  }
  if (!isDigest(entry.digest)) {
    throw new Failure(
      "corrupt",
      `unexpected digest reference ${entry.digest}: ${digestFault(entry.digest)}`,
    );
  }
  return { entry, digest: entry.digest, position };
}

function positionOf(entries: readonly IndexEntry[], wanted: WantedEntry): number {
  switch (wanted.by) {
    case "position":
      return wanted.position;
    case "itself":
      if (entries.length === 1) return 0;
      throw new Failure("refused", "more than one image in oci, choose an image", {
        hint: hintFor(entries),
      });
    case "name":
      return positionOfName(entries, wanted.name);
  }
}

function positionOfName(entries: readonly IndexEntry[], name: string): number {
  const named = entries.filter((entry) => entry.name === name);
  const usable = named.find(({ mediaType }) => selectable.includes(mediaType));
  if (usable !== undefined) return entries.indexOf(usable);
  const quoted = JSON.stringify(name);
  if (named.length === 0) {
    throw new Failure("not-found", `no descriptor found for reference ${quoted}`, {
      hint: hintFor(entries),
    });
  }
  const types = named.map(({ mediaType }) => JSON.stringify(mediaType)).join(" ");
  throw new Failure(
    "unsupported",
    `reference ${quoted} matches unsupported manifest MIME types [${types}]`,
  );
}

const shownNames = 10;

function hintFor(entries: readonly IndexEntry[]): string | undefined {
  const names = entries
    .filter((entry) => !isSignature(entry))
    .map(({ name }) => name)
    .filter((name) => name !== undefined);
  if (names.length === 0) return entries.length === 0 ? "the layout is empty" : undefined;
  const more = names.length > shownNames ? ", …" : "";
  return `the layout has ${names.slice(0, shownNames).join(", ")}${more}`;
}

/**
 * Returns the index with an image in it, under a name if it has one.
 *
 * An earlier image of the name stays without it, as the original leaves it. What is hidden behind the image stays
 * behind it.
 */
export function withImage(index: LayoutIndex, image: Descriptor, name?: string): LayoutIndex {
  const hidden = index.entries
    .filter(({ digest }) => digest === image.digest)
    .flatMap((each) => hiddenIndexOf(each) ?? []);
  const plain = makeEntry(image, name);
  const [kept] = hidden;
  const entry = kept === undefined ? plain : annotated(plain, { [hiddenAnnotation]: kept });
  const entries = index.entries.map((each) =>
    name !== undefined && each.name === name ? withoutName(each) : each,
  );
  const same = entries.findIndex((each) => each.name === undefined && each.digest === image.digest);
  if (same < 0) return { ...index, entries: [...entries, entry] };
  return { ...index, entries: entries.with(same, entry) };
}

/** Returns the index with a note of what the image of a name was made of. */
export function withMaking(index: LayoutIndex, name: string, making: string): LayoutIndex {
  const entries = index.entries.map((each) =>
    each.name === name
      ? annotated(each, { [makingAnnotation]: `${each.digest} of ${making}` })
      : each,
  );
  return { ...index, entries };
}

/** Returns the index without the entries of a name. */
export function withoutNamed(index: LayoutIndex, name: string): LayoutIndex {
  return { ...index, entries: index.entries.filter((entry) => entry.name !== name) };
}

/** Returns the index without the entry at this position. */
export function withoutEntry(index: LayoutIndex, position: number): LayoutIndex {
  return { ...index, entries: index.entries.toSpliced(position, 1) };
}

function makeEntry({ mediaType, digest, size = 0 }: Descriptor, name?: string): IndexEntry {
  const annotations = name === undefined ? undefined : { [nameAnnotation]: name };
  const json = { mediaType, digest, size, ...(annotations && { annotations }) };
  return { mediaType, digest, ...(name !== undefined && { name }), json };
}

function withoutName({ mediaType, digest, json }: IndexEntry): IndexEntry {
  const { annotations, ...rest } = json;
  if (!isJsonObject(annotations)) return { mediaType, digest, json };
  const { [nameAnnotation]: _, [makingAnnotation]: __, ...others } = annotations;
  const left = Object.keys(others).length === 0 ? rest : { ...json, annotations: others };
  return { mediaType, digest, json: left };
}
