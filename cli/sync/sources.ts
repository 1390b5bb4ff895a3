// Sources: the images that a sync is about, by its flags and operands.

import type { BlobInfo } from "../../core/cache/blob-info.ts";
import { readConfigFile } from "../../core/config/config-file.ts";
import { fullRepository, parseDockerName } from "../../core/content/docker-name.ts";
import { during } from "../../core/failure.ts";
import { type Credentials, IdentityToken } from "../../core/image/registry-access.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import {
  expandDirectory,
  expandFile,
  expandLayout,
  type Expansion,
  expandRepository,
} from "../../core/sync/expand.ts";
import type { LockedImage } from "../../core/sync/lock-file.ts";
import { expandLock, sectionFor } from "../../core/sync/locked.ts";
import { parseSyncFile, type SyncFileRegistry, type TagFilter } from "../../core/sync/sync-file.ts";
import type { SyncGroup, SyncLog } from "../../core/sync/sync-image.ts";
import { transports } from "../../transports/table.ts";
import type { Call } from "../command.ts";
import { contextOf, type Operation } from "../compose.ts";
import type { RegistryValues, RetryValues } from "../flags/image.ts";
import { retrying } from "../retrying.ts";
import type { SourceKind } from "./kinds.ts";

/** What finding the images takes. */
export interface SourceSearch {
  readonly call: Call;
  readonly operation: Operation;
  readonly blobInfo: BlobInfo;
  readonly flags: RegistryValues;
  readonly tlsVerify: boolean | undefined;
  readonly authFile: string | undefined;
  readonly retry: RetryValues;
  readonly filter: TagFilter;
  /** The only images that count, if they were written down. */
  readonly locked: readonly LockedImage[] | undefined;
  /** Hears of what is named and came to nothing. */
  readonly missed: (name: string) => void;
}

/** Returns the images that a source means. */
export async function findImages(
  kind: SourceKind,
  source: string,
  search: SourceSearch,
): Promise<readonly SyncGroup[]> {
  const { call, retry, filter, locked, missed } = search;
  const { log } = call;
  const expansion: Expansion = {
    docker: transports.docker,
    log,
    retrying: (work) => retrying(call, retry, work),
    filter,
    missed,
  };
  // What the flags say about who we are is checked before anything is asked.
  const context = sourceContext(search);
  switch (kind) {
    case "docker": {
      if (locked === undefined) return expandRepository(source, context, expansion);
      const { repository, host, tag } = parseDockerName(source);
      const contextOfName = (name: ReturnType<typeof parseDockerName>) =>
        fullRepository(name) === `${host}/${repository}` && (tag === undefined || tag === name.tag)
          ? context
          : undefined;
      return expandLock(locked, { docker: transports.docker, filter, contextOf: contextOfName });
    }
    case "dir":
      return expandDirectory(source, context, { dir: transports.dir, filter });
    case "oci":
    case "oci-archive":
      return expandLayout(source, context, { transport: transports[kind], filter });
    case "yaml": {
      const sections = await readSections(source, log);
      const contexts = new Map<SyncFileRegistry, TransportContext>();
      const contextFor = (section: SyncFileRegistry): TransportContext => {
        const known = contexts.get(section) ?? sourceContext(search, section);
        contexts.set(section, known);
        return known;
      };
      if (locked === undefined) return expandFile(sections, contextFor, expansion);
      return expandLock(locked, {
        docker: transports.docker,
        filter,
        contextOf(name) {
          const section = sectionFor(name, sections);
          return section && contextFor(section);
        },
      });
    }
  }
}

async function readSections(path: string, log: SyncLog): Promise<readonly SyncFileRegistry[]> {
  const bytes = await readConfigFile(path);
  return during(`Failed to unmarshal ${JSON.stringify(path)}`, () =>
    parseSyncFile(bytes, (message) => log.warn(message, { file: path })),
  );
}

/** What a file says of a registry comes before what the flags say. */
function sourceContext(search: SourceSearch, section?: SyncFileRegistry): TransportContext {
  const { call, operation, blobInfo, flags, tlsVerify, authFile } = search;
  const own = section?.tlsVerify ?? flags.tlsVerify;
  return contextOf(call, {
    flags: {
      ...flags,
      ...(own !== undefined && { tlsVerify: own }),
      ...(section !== undefined && { certDir: section.certDirectory }),
    },
    credentials: section?.credentials && credentialsIn(section.credentials),
    tlsVerify,
    authFile,
    operation,
    blobInfo,
  });
}

function credentialsIn({
  username,
  password,
  identityToken,
}: NonNullable<SyncFileRegistry["credentials"]>): Credentials {
  if (identityToken === "") return { kind: "basic", username, password };
  return { kind: "identity", token: new IdentityToken(identityToken), username, password };
}
