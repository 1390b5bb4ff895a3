// Pull sources: an image is read from the first place that has it.

import { type DockerName, fullName } from "../../core/content/docker-name.ts";
import { asFailure, Failure, inContext } from "../../core/failure.ts";
import type { PullSource } from "../../core/image/registry-access.ts";
import type { TransportContext } from "../../core/image/transport.ts";

/** Opens the image at one place: under its name there, in a context that leads there. */
export type OpenAt<T> = (name: DockerName, context: TransportContext) => Promise<T>;

/**
 * Opens an image at the first of its places where that works: its mirrors, and last the one that it is
 * named for.
 *
 * Fails as the last place did, telling of the others.
 */
export async function openFirst<T>(
  name: DockerName,
  context: TransportContext,
  open: OpenAt<T>,
): Promise<T> {
  const attempts: Attempt[] = [];
  for (const source of await context.settings.docker.access.pullSources(name)) {
    const place = fullName(source.name);
    context.log.debug(`Trying to access ${JSON.stringify(place)}`);
    try {
      return await open(source.name, leadingTo(source, context));
    } catch (error) {
      const failure = asFailure(error);
      // Nobody wants to hear of a place more, or nobody could believe it.
      if (context.signal.aborted || failure.code === "bug") throw failure;
      context.log.debug(`Accessing ${JSON.stringify(place)} failed: ${failure.message}`);
      attempts.push({ place, failure });
    }
  }
  throw combined(attempts);
}

interface Attempt {
  readonly place: string;
  readonly failure: Failure;
}

function leadingTo(source: PullSource, context: TransportContext): TransportContext {
  const { docker } = context.settings;
  const access = { ...docker.access, connectionTo: () => source.connection() };
  return { ...context, settings: { ...context.settings, docker: { ...docker, access } } };
}

function combined(attempts: readonly Attempt[]): Failure {
  const last = attempts.at(-1);
  if (last === undefined) return new Failure("bug", "There is no place to read the image from");
  const others = attempts
    .slice(0, -1)
    .map(({ place, failure }) => `[${place}: ${failure.message}]`)
    .join("\n");
  if (others === "") return last.failure;
  return inContext(`(Mirrors also failed: ${others}): ${last.place}`, last.failure);
}
