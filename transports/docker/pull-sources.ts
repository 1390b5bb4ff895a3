// Pull sources: an image is read from the first place that has it.

import { type DockerName, fullName } from "../../core/content/docker-name.ts";
import { asFailure, Failure, inContext } from "../../core/failure.ts";
import type { PullSource } from "../../core/image/registry-access.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { Patience } from "../../core/retry.ts";

/** One of the places that an image may be read from. */
export interface Place {
  /** What the image is called there. */
  readonly name: DockerName;
  /** Leads there. Whoever finds out by it whether the image is there does not wait for a sick mirror. */
  readonly trying: TransportContext;
  /** Leads there, and waits as long as anybody would. */
  readonly staying: TransportContext;
}

/**
 * Opens an image at the first of its places where that works: its mirrors, and last the one that it is
 * named for.
 *
 * Fails as the last place did, telling of the others.
 */
export async function openFirst<T>(
  name: DockerName,
  context: TransportContext,
  open: (place: Place) => Promise<T>,
): Promise<T> {
  const attempts: Attempt[] = [];
  const sources = await context.settings.docker.access.pullSources(name);
  for (const [index, source] of sources.entries()) {
    const place = fullName(source.name);
    const staying = leadingTo(source, context);
    const isLast = index === sources.length - 1;
    context.log.debug(`Trying to access ${JSON.stringify(place)}`);
    try {
      return await open({
        name: source.name,
        trying: isLast ? staying : impatient(staying),
        staying,
      });
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

/** Where there is another place to try, nothing is waited for. */
function impatient(context: TransportContext): TransportContext {
  const docker = { ...context.settings.docker, patience: new Patience({ limitMs: 0 }) };
  return { ...context, settings: { ...context.settings, docker } };
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
