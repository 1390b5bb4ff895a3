// Storage configuration: storage.conf and all that adds to it, as one.

import { realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";

import type { Environment } from "../environment.ts";
import { during, Failure } from "../failure.ts";
import { quoted } from "../foreign-text.ts";
import type { StorageConf } from "../image/storage-settings.ts";
import type { TransportLog } from "../image/transport.ts";
import { readAllLocated } from "./located-file.ts";
import { locateAll, storageFile } from "./locations.ts";
import { rootlessUser } from "./rootless-user.ts";

/**
 * Reads which store is meant: by the files, the environment and, where neither says, by default.
 *
 * Fails with `config` if a file cannot be read or understood, and if one that was named does not exist.
 */
export async function readStorageConf(
  environment: Environment,
  log: TransportLog,
): Promise<StorageConf> {
  const user = rootlessUser(environment);
  const found = await readTables(environment, log);
  const own = user === undefined ? rootPlaces : rootlessPlaces(environment, user);
  const expand = (path: string) => resolved(expanded(path, environment.variables, user));
  const deprecated = user === undefined ? "" : (found.storage.rootless_storage_path ?? "");
  if (deprecated !== "" && found.graphroot !== "") {
    log.warn("rootless_storage_path is ignored, because graphroot is set");
  }
  const graphRoot = expand(found.graphroot || deprecated || own.graphRoot);
  const imageStore = found.storage.imagestore ?? "";
  if (imageStore !== "" && expand(imageStore) === graphRoot) {
    throw new Failure("config", "imagestore must not be the same as graphroot");
  }
  const driver = environment.variables["STORAGE_DRIVER"] || (found.storage.driver ?? "");
  if (driver === "overlay2") log.warn('The driver "overlay2" is called "overlay" now');
  const replaced = environment.variables["STORAGE_OPTS"];
  const { driver_priority: driverPriority } = found.storage;
  return {
    driver: driver === "overlay2" ? "overlay" : driver,
    ...(driverPriority !== undefined && driverPriority.length > 0 && { driverPriority }),
    graphRoot,
    runRoot: expand(found.runroot || own.runRoot),
    ...(imageStore !== "" && { imageStore: expand(imageStore) }),
    options:
      replaced === undefined
        ? optionsOf(found)
        : replaced.split(",").filter((option) => option !== ""),
  };
}

interface Places {
  readonly graphRoot: string;
  readonly runRoot: string;
}

const rootPlaces: Places = {
  graphRoot: "/var/lib/containers/storage",
  runRoot: "/run/containers/storage",
};

function rootlessPlaces({ variables, home }: Environment, user: number): Places {
  const data = variables["XDG_DATA_HOME"] || join(home, ".local/share");
  return {
    graphRoot: join(data, "containers/storage"),
    runRoot: join(runtimeDirectory(variables, user), "containers"),
  };
}

function runtimeDirectory(variables: Environment["variables"], user: number): string {
  const named = variables["XDG_RUNTIME_DIR"];
  if (named) return resolved(named);
  const usual = `/run/user/${user}`;
  const found = statSync(usual, { throwIfNoEntry: false });
  if (found?.uid === user && (found.mode & 0o077) === 0) return usual;
  return join(variables["TMPDIR"] || "/tmp", `storage-run-${user}`);
}

/** A path that is not there yet is what it says. */
function resolved(path: string): string {
  return statSync(path, { throwIfNoEntry: false }) === undefined ? path : realpathSync(path);
}

/** Takes variables for what they stand for, as a shell does; the user's number among them. */
function expanded(
  path: string,
  variables: Environment["variables"],
  user: number | undefined,
): string {
  return path.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced?: string, bare?: string) => {
    const name = braced ?? bare ?? "";
    return name === "UID" ? String(user ?? 0) : (variables[name] ?? "");
  });
}

const text = v.optional(v.string());
/** Administrators write numbers and truth values with quotes and without. */
const loose = v.optional(v.union([v.string(), v.boolean(), v.number()]));
/** A list may end with a table that says that it adds to what came before. */
const list = v.optional(v.array(v.union([v.string(), v.object({ append: v.boolean() })])));

const common = { ignore_chown_errors: loose, sync: loose };
const mounting = {
  mount_program: loose,
  mountopt: loose,
  size: loose,
  skip_mount_home: loose,
  force_mask: loose,
};

const storageShape = v.object({
  driver: text,
  driver_priority: list,
  graphroot: text,
  runroot: text,
  rootless_storage_path: text,
  imagestore: text,
  options: v.optional(
    v.object({
      additionalimagestores: list,
      additionallayerstores: list,
      ...mounting,
      ignore_chown_errors: loose,
      overlay: v.optional(
        v.object({ ...common, ...mounting, inodes: loose, use_composefs: loose }),
      ),
      vfs: v.optional(v.object(common)),
    }),
  ),
});

type Table = v.InferOutput<typeof storageShape>;
type OptionTable = NonNullable<Table["options"]>;

/** All files together: later members count, and lists take the place of others unless they append. */
interface Tables {
  readonly storage: Omit<Table, "driver_priority"> & {
    readonly driver_priority?: readonly string[];
  };
  readonly graphroot: string;
  readonly runroot: string;
  readonly lists: Readonly<Record<"additionalimagestores" | "additionallayerstores", Strings>>;
}

type Strings = readonly string[];

async function readTables(environment: Environment, log: TransportLog): Promise<Tables> {
  const user = rootlessUser(environment);
  const step = "loading storage configuration";
  // Root of a namespace is not root where files are looked for.
  const asked = user === undefined ? environment : { ...environment, userId: user };
  let all: Tables = {
    storage: {},
    graphroot: "",
    runroot: "",
    lists: { additionalimagestores: [], additionallayerstores: [] },
  };
  for await (const { path, bytes } of readAllLocated(locateAll(storageFile, asked), step)) {
    const table = await during(`${step} ${quoted(path)}`, () => parseTable(bytes));
    log.debug(`Using storage configuration ${quoted(path)}`);
    // What a distribution says of root's store is not meant for everybody's.
    const systemWide = user !== undefined && /^\/(?:etc|usr\/share)\/containers\/[^/]*$/.test(path);
    all = joined(all, systemWide ? { ...table, graphroot: undefined, runroot: undefined } : table);
  }
  return all;
}

function joined(before: Tables, table: Table): Tables {
  const { options = {}, driver_priority } = table;
  const { lists, storage } = before;
  const earlier = storage.options ?? {};
  const present = Object.fromEntries(
    Object.entries(table).filter(([, value]) => value !== undefined),
  );
  const priority = listed(driver_priority, storage.driver_priority ?? []);
  return {
    storage: {
      ...storage,
      ...present,
      driver_priority: priority,
      options: {
        ...earlier,
        ...options,
        overlay: { ...earlier.overlay, ...options.overlay },
        vfs: { ...earlier.vfs, ...options.vfs },
      },
    },
    graphroot: table.graphroot ?? before.graphroot,
    runroot: table.runroot ?? before.runroot,
    lists: {
      additionalimagestores: listed(options.additionalimagestores, lists.additionalimagestores),
      additionallayerstores: listed(options.additionallayerstores, lists.additionallayerstores),
    },
  };
}

function listed(items: v.InferOutput<typeof list>, before: Strings): Strings {
  if (items === undefined) return before;
  const appends = items.some((item) => typeof item === "object" && item.append);
  const own = items.filter((item) => typeof item === "string");
  return appends ? [...before, ...own] : own;
}

function parseTable(bytes: Uint8Array): Table {
  let document: object;
  try {
    document = Bun.TOML.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw invalid(`toml: ${message.replace(/^TOML Parse error: /, "")}`);
  }
  const shape = v.object({ storage: v.optional(storageShape, {}) });
  const { success, output, issues } = v.safeParse(shape, document);
  if (success) return output.storage;
  const [{ message, path = [] }] = issues;
  const place = path.map(({ key }) => String(key)).join(".");
  throw invalid(`toml: ${quoted(place)}: ${message.replace(/^Invalid type: /, "")}`);
}

const plainOptions = [
  "size",
  "mount_program",
  "skip_mount_home",
  "ignore_chown_errors",
  "force_mask",
  "mountopt",
] as const;

const overlayOptions = [
  "ignore_chown_errors",
  "mount_program",
  "mountopt",
  "size",
  "inodes",
  "skip_mount_home",
  "force_mask",
  "use_composefs",
  "sync",
] as const;

function optionsOf({ storage, lists }: Tables): Strings {
  const options: OptionTable = storage.options ?? {};
  const { overlay = {}, vfs = {} } = options;
  const said = (name: string, value: string | boolean | number | undefined): Strings =>
    value === undefined || value === "" ? [] : [`${name}=${value}`];
  return [
    ...lists.additionalimagestores.map((path) => `imagestore=${path}`),
    ...lists.additionallayerstores.map((path) => `additionallayerstore=${path}`),
    ...plainOptions.flatMap((name) => said(name, options[name])),
    ...overlayOptions.flatMap((name) => said(`overlay.${name}`, overlay[name])),
    ...(["ignore_chown_errors", "sync"] as const).flatMap((name) => said(`vfs.${name}`, vfs[name])),
  ];
}

function invalid(message: string): Failure {
  return new Failure("config", message);
}
