// Choosing a store: from what a name and the configuration say to one driver and its directories.

import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../core/failure.ts";
import { quoted } from "../../core/foreign-text.ts";
import type { StorageConf } from "../../core/image/storage-settings.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import type { StoreWish } from "./name.ts";
import { type DriverName, parseOptions, type StoreOptions } from "./options.ts";

/** A store that was chosen: nothing of it need exist. */
export interface ChosenStore {
  readonly driver: DriverName;
  readonly graphRoot: string;
  readonly runRoot: string;
  /** Where images are written: the graph root, or a directory beside it for images alone. */
  readonly imageRoot: string;
  readonly options: StoreOptions;
}

/** Chooses the store that a name means. Fails with `unsupported` if it is of a kind we do not know. */
export async function chooseStore(
  wish: StoreWish,
  { settings }: TransportContext,
): Promise<ChosenStore> {
  const configured = await settings.containersStorage?.configured();
  if (configured === undefined) throw new Failure("bug", "Nobody has said where images are kept");
  const conf = Object.keys(wish).length === 0 ? configured : wished(wish, configured);
  const driver = conf.driver === "" ? findDriver(conf) : knownDriver(conf.driver);
  return {
    driver,
    graphRoot: conf.graphRoot,
    runRoot: conf.runRoot,
    imageRoot: conf.imageStore ?? conf.graphRoot,
    options: parseOptions(driver, conf.options),
  };
}

/** Whoever names a store names all of it: what the configuration says is said of another one. */
function wished(wish: StoreWish, configured: StorageConf): StorageConf {
  return {
    driver: wish.driver ?? "",
    graphRoot: wish.graphRoot ?? configured.graphRoot,
    runRoot: wish.runRoot ?? configured.runRoot,
    options: wish.options ?? [],
  };
}

const everyDriver = ["overlay", "btrfs", "zfs", "vfs"];

/** As the original: what is there already decides; otherwise the best that works. */
function findDriver({ graphRoot, driverPriority }: StorageConf): DriverName {
  const order = driverPriority ?? everyDriver;
  // A directory of this name may be there for other reasons.
  const sought = driverPriority ?? order.filter((driver) => driver !== "vfs");
  const there = sought.filter((driver) => isDirectory(join(graphRoot, driver)));
  const [first, ...others] = there;
  if (first !== undefined && others.length === 0) return knownDriver(first);
  if (first !== undefined) {
    throw new Failure(
      "config",
      `${graphRoot} contains several valid graphdrivers: ${there.join(", ")}; Please cleanup or explicitly choose storage driver (-s <DRIVER>)`,
      { hint: `write containers-storage:[${first}@${graphRoot}]IMAGE` },
    );
  }
  if (isDirectory(join(graphRoot, "vfs"))) return "vfs";
  const best = order.find((driver) => driver === "vfs" || (driver === "overlay" && knowsOverlay()));
  if (best !== undefined) return knownDriver(best);
  throw new Failure("config", "no supported storage backend found");
}

/** What the kernel can mount now, or could once it has loaded what it needs. */
function knowsOverlay(): boolean {
  const types = existsSync("/proc/filesystems") ? readFileSync("/proc/filesystems", "utf8") : "";
  return /\boverlay\b/.test(types) || existsSync("/sys/module/overlay");
}

function knownDriver(driver: string): DriverName {
  switch (driver) {
    case "overlay":
    case "overlay2":
      return "overlay";
    case "vfs":
      return "vfs";
    default:
      throw new Failure("unsupported", `Storage driver ${quoted(driver)} is not supported`, {
        hint: "podman can reach its images: podman push IMAGE oci:DIRECTORY:TAG, podman pull oci:DIRECTORY:TAG",
      });
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
