// The table of transports: the only file that names them all.

import type { TransportTable } from "../core/image/transport.ts";
import { containersStorage } from "./containers-storage/reference.ts";
import { atomic } from "./atomic/reference.ts";
import { dir } from "./dir/reference.ts";
import { docker } from "./docker/reference.ts";
import { dockerArchive } from "./docker-archive/reference.ts";
import { dockerDaemon } from "./docker-daemon/reference.ts";
import { ociArchive } from "./oci/archive/reference.ts";
import { oci } from "./oci/reference.ts";
import { ostree } from "./ostree/reference.ts";
import { sif } from "./sif/reference.ts";
import { tarball } from "./tarball/reference.ts";

/** Every transport by the name that stands before the first colon. */
export const transports = {
  atomic,
  "containers-storage": containersStorage,
  dir,
  docker,
  "docker-archive": dockerArchive,
  "docker-daemon": dockerDaemon,
  oci,
  "oci-archive": ociArchive,
  ostree,
  sif,
  tarball,
} satisfies TransportTable;
