// Options: what a store's driver is told, and what of it concerns us.

import { Failure } from "../../core/failure.ts";
import { quoted } from "../../core/foreign-text.ts";

/** The drivers that keep images in a way we know. */
export type DriverName = "overlay" | "vfs";

/** What the options of a store mean. */
export interface StoreOptions {
  /** Other stores to look for images in, which are never written to. */
  readonly additionalStores: readonly string[];
  /** The mode that all files have on disk, where their own is kept in an attribute. */
  readonly forceMask?: number;
  /** What mounts images instead of the kernel. */
  readonly mountProgram?: string;
  readonly ignoreChownErrors: boolean;
}

/**
 * Parses options such as `overlay.mountopt=nodev`. Fails with `unsupported` on what nobody knows: what it
 * asks for might be the very thing that keeps the store whole.
 */
export function parseOptions(driver: DriverName, options: readonly string[]): StoreOptions {
  const additionalStores: string[] = [];
  let forceMask: number | undefined;
  let mountProgram = "";
  let ignoreChownErrors = false;
  for (const option of options) {
    const equals = option.indexOf("=");
    const key = equals < 0 ? option : option.slice(0, equals);
    const value = equals < 0 ? "" : option.slice(equals + 1);
    const name = key.toLowerCase().replace(/^(?:overlay2?|vfs|storage)?\./, "");
    const otherDriver = /^(overlay2?|vfs)\./.exec(key.toLowerCase())?.[1]?.replace("2", "");
    // What another driver is told does not concern this one.
    if (otherDriver !== undefined && otherDriver !== driver) continue;
    switch (name) {
      case "imagestore":
      case "additionalimagestore":
        if (!value.startsWith("/")) throw unknown(option, "its value is no absolute path");
        additionalStores.push(value);
        break;
      case "force_mask":
        forceMask = parseMask(value, option);
        break;
      case "mount_program":
        mountProgram = value;
        break;
      case "ignore_chown_errors":
        ignoreChownErrors = value === "true";
        break;
      case "use_composefs":
        if (value === "true") throw composefs();
        break;
      // These concern who mounts images, or pulls parts of them.
      case "mountopt":
      case "size":
      case "inodes":
      case "skip_mount_home":
      case "additionallayerstore":
      case "sync":
        break;
      default:
        throw unknown(option, "nothing is known of it");
    }
  }
  return {
    additionalStores,
    ...(forceMask !== undefined && { forceMask }),
    ...(mountProgram !== "" && { mountProgram }),
    ignoreChownErrors,
  };
}

/** Says that layers are kept in a way that we cannot read. */
export function composefs(): Failure {
  return new Failure("unsupported", "Layers in the format of composefs cannot be read or written", {
    hint: "podman can: podman push IMAGE oci:DIRECTORY:TAG, podman pull oci:DIRECTORY:TAG",
  });
}

function parseMask(value: string, option: string): number {
  if (value === "shared") return 0o755;
  if (value === "private") return 0o700;
  if (/^0?[0-7]{3,4}$/.test(value)) return Number.parseInt(value, 8);
  throw unknown(option, "its value is no file mode");
}

function unknown(option: string, why: string): Failure {
  return new Failure("unsupported", `Storage option ${quoted(option)} cannot be followed: ${why}`, {
    hint: "use podman for this store",
  });
}
