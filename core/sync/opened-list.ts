// OpenedList: a list that is looked at before it is known whether one of its images has to be copied.

import type { Descriptor } from "../content/descriptor.ts";
import type { Digest } from "../content/digest.ts";
import { isListType } from "../content/media-types.ts";
import type { PlatformWish } from "../content/platform.ts";
import { openSource } from "../copy/copy.ts";
import type { CopyRequest, CopySide } from "../copy/request.ts";
import { asFailure } from "../failure.ts";
import type { ImageSource } from "../image/source.ts";
import type { ImageReference } from "../image/transport.ts";
import { chooseInstance } from "../manifest/choose.ts";
import { parseManifest } from "../manifest/manifest.ts";
import type { ListManifest } from "../manifest/types.ts";
import { Candidate } from "../trust/gate.ts";
import type { CurrentImages } from "./unchanged.ts";

/** A source that is open. It is closed in the end, unless a copy has taken it over. */
export class OpenedList implements AsyncDisposable {
  readonly #reference: ImageReference;
  readonly #source: ImageSource;
  #taken = false;

  private constructor(reference: ImageReference, source: ImageSource) {
    this.#reference = reference;
    this.#source = source;
  }

  /** Opens a source, which reads the list and nothing else. */
  static async open(side: CopySide): Promise<OpenedList> {
    return new OpenedList(side.reference, await openSource(side));
  }

  /** The same image, to be copied from what is open already. */
  get reference(): ImageReference {
    return {
      ...this.#reference,
      openSource: async (context) => {
        if (this.#taken) return this.#reference.openSource(context);
        this.#taken = true;
        return this.#source;
      },
    };
  }

  /** Tells whether a copy would take this very image from the list, and leave it as it is. */
  async chooses(image: Digest, { platform, format }: Pick<CopyRequest, "platform" | "format">) {
    const list = parseManifest(await new Candidate(this.#source).manifest());
    const chosen = list.kind === "list" ? chosenOf(list, platform) : undefined;
    return chosen?.digest === image && (format === undefined || format === chosen.mediaType);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#taken) await this.#source[Symbol.asyncDispose]();
  }
}

/** Returns undefined where there is no such image: the copy says so, and why. */
function chosenOf(list: ListManifest, platform: PlatformWish): Descriptor | undefined {
  try {
    return chooseInstance(list, platform);
  } catch (error) {
    if (asFailure(error).code === "bug") throw error;
    return undefined;
  }
}

/** Tells whether the destination may have the very image that a copy would take from a list. */
export function mayHaveChosen(
  { source, destination }: CurrentImages,
  { images }: Pick<CopyRequest, "images">,
): boolean {
  const isOne = destination !== undefined && !isListType(destination.mediaType ?? "");
  return images === "system" && isOne && isListType(source?.mediaType ?? "");
}
