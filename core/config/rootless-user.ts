// Rootless user: who somebody is outside of the user namespace in which engines are root.

import type { Environment } from "../environment.ts";

/** Returns the number of a user who is not root, be it only in a namespace; undefined for root. */
export function rootlessUser({ variables, userId }: Environment): number | undefined {
  const outside = Number(variables["_CONTAINERS_ROOTLESS_UID"] ?? "");
  if (Number.isSafeInteger(outside) && outside > 0) return outside;
  return userId === 0 ? undefined : userId;
}
