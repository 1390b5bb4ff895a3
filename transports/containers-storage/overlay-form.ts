// The form of a layer of overlay: what stands beside its files, so that the kernel can mount them.

import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Failure } from "../../core/failure.ts";
import { cString } from "../shared/contained-tree.ts";
import { systemError } from "../shared/libc/library.ts";
import { readXattrs, setXattr } from "../shared/libc/xattrs.ts";
import { attempt } from "../shared/system.ts";
import { overrideName } from "./extract/override-stat.ts";
import { shortName } from "./layer-ids.ts";
import type { StorePlace } from "./store-place.ts";

/** More than the kernel mounts at a time. */
const mostLayers = 500;

/** What the layers above have to know of a layer. */
export interface OverlayForm {
  /** Its short name. */
  readonly link: string;
  /** The short names of the layers below it, nearest first; absent in a base layer. */
  readonly lower?: string;
  /** Who owns its root, and with which mode. */
  readonly root: { readonly mode: number; readonly uid: number; readonly gid: number };
}

/** Reads the form of a layer that is in a store. Fails with `corrupt` if it has none. */
export function readOverlayForm(place: StorePlace, id: string): OverlayForm {
  const directory = place.layerDirectory(id);
  const read = (name: string) => attempt(() => readFileSync(join(directory, name), "utf8").trim());
  const link = read("link");
  if (!/^[A-Z2-7]+$/.test(link)) {
    throw new Failure("corrupt", `layer ${id}: ${join(directory, "link")} is no name of a link`);
  }
  const lower = existsSync(join(directory, "lower")) ? read("lower") : "";
  const { mode, uid, gid } = attempt(() => lstatSync(place.filesDirectory(id)));
  return { link, ...(lower !== "" && { lower }), root: { mode: mode & 0o7777, uid, gid } };
}

/** Returns the form of a new layer above another one, or of a base layer. */
export function newOverlayForm(parent: OverlayForm | undefined): OverlayForm {
  const link = shortName();
  if (parent === undefined) return { link, root: { mode: 0o555, uid: 0, gid: 0 } };
  const lower = `l/${parent.link}${parent.lower === undefined ? "" : `:${parent.lower}`}`;
  if (lower.split(":").length >= mostLayers) {
    throw new Failure(
      "unsupported",
      `Image has more than ${mostLayers} layers, and cannot be mounted`,
    );
  }
  return { link, lower, root: parent.root };
}

/**
 * Gives a layer's directory its form. Its files are in `diff`. Where all files of a store have one mode, that
 * is `forceMask`.
 */
export function writeOverlayForm(directory: string, form: OverlayForm, forceMask?: number): void {
  attempt(() => {
    const { mode, uid, gid } = form.root;
    const files = join(directory, "diff");
    chownSync(files, uid, gid);
    chmodSync(files, forceMask ?? mode);
    if (forceMask !== undefined) overrideRoot(files);
    writeFileSync(join(directory, "link"), form.link, { mode: 0o644 });
    if (form.lower !== undefined) {
      writeFileSync(join(directory, "lower"), form.lower, { mode: 0o644 });
    }
    const beside = form.lower === undefined ? ["work", "merged", "empty"] : ["work", "merged"];
    for (const name of beside) mkdirSync(join(directory, name), { mode: 0o700, recursive: true });
  });
}

/** What engines say of every root that its layer says nothing of, whatever the mask is. */
function overrideRoot(path: string): void {
  if (readXattrs(cString(path)).has(overrideName)) return;
  const value = new TextEncoder().encode("0:0:0755:dir");
  const error = setXattr(cString(path), cString(overrideName), value);
  if (error < 0) throw systemError(-error, "setxattr", path);
}
