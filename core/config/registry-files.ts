// Registry files: what the files of this machine say about registries, each read once.

import type { Environment } from "../environment.ts";
import type { TlsProtocol } from "../http-tls.ts";
import type { TransportLog } from "../image/transport.ts";
import { readSystemAuthorities } from "./certificates.ts";
import { locateAll, registriesFile } from "./locations.ts";
import { type RegistriesConf, readRegistriesConf } from "./registries-conf.ts";
import {
  readRegistriesDirectory,
  registriesDirectoryOf,
  type RegistriesDirectory,
} from "./registries-d.ts";

/** Where the user says that files are; what is empty stands in its usual place. */
export interface RegistryFilePaths {
  readonly registriesConf: string;
  readonly registriesDirectory: string;
  readonly tlsDetails: string;
}

/** What the files say, and who hears about them. */
export interface RegistryFilesOptions {
  readonly paths: RegistryFilePaths;
  readonly environment: Environment;
  readonly log: TransportLog;
}

/**
 * The files that say how registries are spoken to. None is read before it is asked for, and none twice.
 *
 * Everything here fails with `config` where a file cannot be read or understood.
 */
export class RegistryFiles {
  /** registries.conf and what adds to it. */
  readonly conf: () => Promise<RegistriesConf>;
  /** registries.d. */
  readonly signatures: () => Promise<RegistriesDirectory>;
  /** What of TLS may be spoken; absent: what the runtime speaks. */
  readonly tlsProtocol: () => Promise<TlsProtocol | undefined>;
  /** What takes the place of the system's certificate authorities, if anything does. */
  readonly systemAuthorities: () => Promise<readonly string[] | undefined>;

  constructor({ paths, environment, log }: RegistryFilesOptions) {
    this.conf = once(() =>
      readRegistriesConf(locateAll(registriesFile, environment, paths.registriesConf), log),
    );
    this.signatures = once(async () =>
      readRegistriesDirectory(await registriesDirectoryOf(environment, paths.registriesDirectory)),
    );
    this.tlsProtocol = once(async () => {
      if (paths.tlsDetails === "") return undefined;
      const { readTlsDetails } = await import("./tls-details.ts");
      return readTlsDetails(paths.tlsDetails);
    });
    this.systemAuthorities = once(() => readSystemAuthorities(environment));
  }
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let done: Promise<T> | undefined;
  return () => (done ??= work());
}
