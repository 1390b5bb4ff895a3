// Lint: what in a policy means something else than somebody may think.

import {
  type DockerName,
  fullName,
  isHost,
  isRepository,
  parseDockerName,
} from "../content/docker-name.ts";
import { Failure } from "../failure.ts";
import { quoted } from "../foreign-text.ts";
import { nearest } from "../nearest.ts";
import type { PolicyScope } from "./decision.ts";
import type { PolicyRequirement } from "./gate.ts";
import type { ParsedPolicy, PolicyEntry } from "./policy.ts";

/** Something to look at in a policy. */
export interface LintFinding {
  /** An error is something that cannot have been meant. */
  readonly severity: "error" | "warning";
  /** Where it stands: `default`, or a transport and a scope. */
  readonly where: string;
  readonly message: string;
}

/** What a policy is held against. */
export interface LintContext {
  /** The names of the transports there are. */
  readonly transports: readonly string[];
  readonly now: Date;
  /** Returns where a path really leads; undefined if it leads nowhere. */
  realPath(path: string): string | undefined;
}

/** Looks for holes, for what is never reached, and for keys that are no good. */
export async function lintPolicy(
  policy: ParsedPolicy,
  context: LintContext,
): Promise<readonly LintFinding[]> {
  const findings: LintFinding[] = [...transportFindings(policy, context)];
  for (const entry of policy.entries) {
    const where = spelledScope(entry.scope);
    const add = (severity: LintFinding["severity"], message: string) =>
      void findings.push({ severity, where, message });
    for (const message of unreachable(entry.scope, context)) add("error", message);
    for (const message of holes(entry)) add("warning", message);
    for (const requirement of entry.requirements) {
      const keys = (await requirement.checkKeys?.(context.now)) ?? [];
      for (const { severity, message } of keys) add(severity, `${requirement.type}: ${message}`);
    }
  }
  return findings;
}

/** Returns a place in a policy in words. */
export function spelledScope(scope: PolicyScope | undefined): string {
  if (scope === undefined) return "default";
  return `transports.${scope.transport}[${quoted(scope.name)}]`;
}

function transportFindings(
  { entries }: ParsedPolicy,
  { transports }: LintContext,
): readonly LintFinding[] {
  const named = new Set(entries.flatMap(({ scope }) => scope?.transport ?? []));
  return [...named].filter(isStrange).map((transport) => {
    const meant = nearest(transport, transports);
    const hint = meant === undefined ? "" : `, did you mean ${quoted(meant)}?`;
    return {
      severity: meant === undefined ? "warning" : "error",
      where: `transports.${transport}`,
      message: `there is no transport ${quoted(transport)}${hint}`,
    };
  });

  function isStrange(transport: string): boolean {
    return !transports.includes(transport) && !foreign.has(transport);
  }
}

/** Transports of other programs that read the same policy. */
const foreign: ReadonlySet<string> = new Set(["atomic", "ostree"]);

function holes({ scope, requirements }: PolicyEntry): readonly string[] {
  const open = requirements.filter(isOpen);
  if (open.length === 0) return [];
  if (open.length < requirements.length) {
    return ["insecureAcceptAnything changes nothing beside other requirements"];
  }
  if (scope === undefined) return ["accepts every image that no scope is for"];
  // What is on this machine already was let in once.
  if (scope.transport !== "docker") return [];
  return [`accepts every image ${scope.name === "" ? "of every registry" : "there"}`];
}

function isOpen({ type }: PolicyRequirement): boolean {
  return type === "insecureAcceptAnything";
}

function unreachable(scope: PolicyScope | undefined, context: LintContext): readonly string[] {
  if (scope === undefined || scope.name === "") return [];
  const { transport, name } = scope;
  if (transport === "docker" || transport === "atomic") return unreachableName(name);
  if (!name.startsWith("/")) return [];
  const real = context.realPath(name);
  if (real === undefined || real === name) return [];
  return [`no image has this scope: ${name} is a link, and its images go by ${real}`];
}

/** Says why no image of a registry has a scope, if that is so. */
function unreachableName(name: string): readonly string[] {
  const because = (why: string) => [`no image has this scope: ${why}`];
  if (name.startsWith("*.")) {
    return isHost(name.slice(2)) && !/:\d+$/.test(name) ? [] : because(wildcards);
  }
  if (name.includes("*")) return because(wildcards);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(name)) {
    return because("scopes are names, write the host without a scheme");
  }
  if (name.endsWith("/")) return because("leave out the slash at its end");
  if (isHost(name)) return isRegistry(name) ? [] : because(unqualified(name));
  const [host = "", ...path] = name.split("/");
  if (!isRegistry(host)) return because(unqualified(name));
  if (isHost(host) && path.length > 0 && isRepository(path.join("/"))) return [];
  const why = whyNoImage(name);
  return why === "" ? [] : because(why);
}

const wildcards = "a wildcard is *. and the end of a host, without a port or path";

/** Of the words before a first slash, those that no short name begins with. */
function isRegistry(host: string): boolean {
  return host === "localhost" || /[.:]/.test(host);
}

function unqualified(name: string): string {
  return `names begin with their registry, as in docker.io/library/${name.split("/").at(-1)}`;
}

/** Says why a name is none that an image has in full; empty if it is one. */
function whyNoImage(name: string): string {
  let parsed: DockerName;
  try {
    parsed = parseDockerName(name);
  } catch (error) {
    if (error instanceof Failure) return error.message;
    throw error;
  }
  const full = fullName(parsed);
  if (full !== name) return `its images go by ${full}`;
  if (parsed.tag !== undefined && parsed.digest !== undefined) {
    return "names have a tag or a digest, not both";
  }
  return "";
}
