// Opening an archive for reading.

import { during } from "../../core/failure.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { Archive } from "../shared/archive.ts";

/** Opens an archive; `-` is standard input. Failures say which file it was. */
export function openArchive(path: string, context: TransportContext): Promise<Archive> {
  return during(`opening file ${JSON.stringify(path)}`, () => Archive.open(path, context));
}
