// Global flags: what every command understands, before or after its name.

import type { Program } from "../program.ts";
import { duration, maybeToggle, text, toggle, unsigned, type Values } from "./flag.ts";

/** Flags that are recognised anywhere on the command line. */
export const globalFlags = {
  commandTimeoutMs: duration("command-timeout", "timeout for the command execution"),
  debug: toggle("debug", "enable debug output"),
  /** For tests of the whole program: silence counts as such so many times sooner, and never later. */
  idleDivisor: unsigned("idle-divisor", "lose patience with silent registries sooner", {
    hidden: true,
  }),
  insecurePolicy: toggle("insecure-policy", "run the tool without any policy check"),
  overrideArch: text(
    "override-arch",
    "use `ARCH` instead of the architecture of the machine for choosing images",
  ),
  overrideOs: text("override-os", "use `OS` instead of the running OS for choosing images"),
  overrideVariant: text(
    "override-variant",
    "use `VARIANT` instead of the running architecture variant for choosing images",
  ),
  policy: text("policy", "Path to a trust policy file"),
  registriesDirectory: text(
    "registries.d",
    "use registry configuration files in `DIR` (e.g. for container signature storage)",
  ),
  registriesConf: text("registries-conf", "path to the registries.conf file", { hidden: true }),
  requireSigned: toggle("require-signed", "require any pulled image to be signed"),
  tlsDetails: text("tls-details", "path to a containers-tls-details.yaml(5) file"),
  temporaryDirectory: text("tmpdir", "directory used to store temporary files"),
  userAgentPrefix: text("user-agent-prefix", "prefix to add to the user agent string"),
};

/** Returns the flags that are recognised before the name of the command only. */
export function rootFlags(program: Program) {
  return {
    version: toggle("version", `Version for ${program === "skopeo" ? "Skopeo" : program}`, {
      shorthand: "v",
    }),
    /** Deprecated: the default of every image that the command touches. */
    tlsVerify: maybeToggle(
      "tls-verify",
      "Require HTTPS and verify certificates when accessing the container registry",
      { hidden: true },
    ),
  };
}

/** What the global flags say. */
export type GlobalValues = Values<typeof globalFlags> & {
  /** From before the name of the command; deprecated, and overridden by flags of single images. */
  readonly tlsVerify: boolean | undefined;
};
