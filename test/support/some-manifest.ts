// Some manifest, where a test must say whose signatures it means and it does not matter.

import { digestOf } from "../../core/content/digest.ts";
import type { SignedManifest } from "../../core/image/source.ts";

/** The top level, of whatever digest. */
export const someManifest: SignedManifest = { digest: digestOf(new Uint8Array()) };
