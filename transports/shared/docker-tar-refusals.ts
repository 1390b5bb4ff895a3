// What the format of `docker save` cannot hold, in the original's words.

/** Why it takes no manifests but those of Docker schema 2. */
export const onlySchema2 = "Unsupported manifest type, need a Docker schema 2 manifest";

/** Why it takes no signatures. */
export const noSignatures = "Storing signatures for docker tar files is not supported";
