// Admission: what will travel of a source, let in before anything is opened for writing.

import { mapLimited } from "../concurrency.ts";
import { isListType } from "../content/media-types.ts";
import { Failure, during } from "../failure.ts";
import { spelled } from "../image/name.ts";
import type { ImageSource, RawManifest } from "../image/source.ts";
import { chooseInstance } from "../manifest/choose.ts";
import { effectiveType, parseManifest } from "../manifest/manifest.ts";
import type { ListManifest } from "../manifest/types.ts";
import { type AdmittedImage, Candidate } from "../trust/gate.ts";
import { about } from "./events.ts";
import type { CopyRequest } from "./request.ts";
import { type SelectedInstances, selectInstances } from "./select.ts";

/** What will travel, admitted: one image, or a list with some of its images. */
export type Admission = AdmittedSingle | AdmittedList;

/** One image that may be carried, and how it was found. */
export interface AdmittedSingle {
  readonly kind: "image";
  readonly candidate: Candidate;
  readonly image: AdmittedImage;
  /** The list it was chosen from, if it was. */
  readonly list?: RawManifest;
}

/** A list that may be carried, and those of its images that travel with it. */
export interface AdmittedList {
  readonly kind: "list";
  readonly candidate: Candidate;
  readonly image: AdmittedImage;
  readonly list: ListManifest;
  readonly selected: SelectedInstances;
  /** For each entry that was selected, in that order. */
  readonly instances: readonly AdmittedSingle[];
}

/** Whom to ask, and about what. */
export type AdmissionRequest = Pick<
  CopyRequest,
  "gate" | "images" | "parallelBlobs" | "platform" | "signatures" | "tell"
>;

/** Asks the gate about all that will travel. Writes nothing. */
export async function admitSelected(
  source: ImageSource,
  request: AdmissionRequest,
): Promise<Admission> {
  const top = new Candidate(source);
  const manifest = await readManifest(top);
  const isList = isListType(effectiveType(manifest));
  if (isList && request.images !== "system") return admitList(top, request, request.images);
  if (request.signatures === "remove-from-list") {
    throw new Failure(
      "usage",
      "RemoveListSignatures is not applicable when copying a single instance",
      { hint: isList ? "add --all, or use --remove-signatures" : "use --remove-signatures" },
    );
  }
  if (!isList) return admitSingle(top, request);
  const chosen = await during(`choosing an image from manifest list ${spelled(source.name)}`, () =>
    chooseInstance(parseList(manifest), request.platform),
  );
  return duringChoice(async () => ({
    ...(await admitInstance(top.pick(chosen.digest), request)),
    list: manifest,
  }));
}

/** Says of a failure that it is about the one image that was chosen from a list. */
export function duringChoice<T>(work: () => Promise<T>): Promise<T> {
  return during("copying system image from manifest list", work);
}

async function admitInstance(
  candidate: Candidate,
  request: AdmissionRequest,
): Promise<AdmittedSingle> {
  await readManifest(candidate);
  return admitSingle(candidate, request);
}

function readManifest(candidate: Candidate): Promise<RawManifest> {
  const step = `determining manifest MIME type for ${spelled(candidate.name)}`;
  return during(step, () => candidate.manifest(), "source");
}

async function admitSingle(
  candidate: Candidate,
  { gate, tell }: AdmissionRequest,
): Promise<AdmittedSingle> {
  const image = await gate.admit(candidate, (decision) =>
    tell({ kind: "policy-decided", ...decision }),
  );
  return { kind: "image", candidate, image };
}

async function admitList(
  top: Candidate,
  request: AdmissionRequest,
  selection: Exclude<CopyRequest["images"], "system">,
): Promise<AdmittedList> {
  const list = parseList(await top.manifest());
  const selected = await during("preparing instances for copy", () =>
    selectInstances(list, selection),
  );
  // The first refusal, in list order of asking, counts.
  const instances = await mapLimited(
    selected.travelling,
    request.parallelBlobs,
    ({ digest }, _signal, index) =>
      during(`copying image ${index + 1}/${selected.travelling.length} from manifest list`, () =>
        admitInstance(top.pick(digest), {
          ...request,
          tell: about({ instance: index }, request.tell),
        }),
      ),
  );
  const images = instances.map(({ image }) => image);
  const image = await request.gate.admitList(top, images, (decision) =>
    request.tell({ kind: "policy-decided", ...decision }),
  );
  return { kind: "list", candidate: top, image, list, selected, instances };
}

function parseList(raw: RawManifest): ListManifest {
  const list = parseManifest(raw);
  if (list.kind !== "list") throw new Failure("bug", "A list is no list any more");
  return list;
}
