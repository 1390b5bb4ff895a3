// Counted copies: what copies of an image with many small layers ask of registries.

import { startCountingProxy } from "./counting-proxy.ts";
import { addSample } from "./push.ts";
import { type RegistryServer, startRegistry } from "./registry-server.ts";
import { succeed } from "./run.ts";
import { sampleImage, writeDirectory } from "./sample-images.ts";
import { Workspace } from "./workspace.ts";

/** What one run of a program asked of the registry. */
export interface CountedCopy {
  readonly what: CopyKind;
  /** `METHOD path` of each request; queries are left out. */
  readonly requests: readonly string[];
  /** TCP connections. */
  readonly connections: number;
}

/** From where to where. */
export type CopyKind = "push" | "push again" | "pull" | "registry to itself";

const layers = 40;

/** Copies an image of 40 layers in several ways by `program`, the executable under test if absent. */
export async function countedCopies(program?: string): Promise<readonly CountedCopy[]> {
  using workspace = new Workspace();
  await using registry = startRegistry({ auth: { kind: "bearer" } });
  const sample = sampleImage({ format: "oci", layers: Array(layers).fill("gzip") });
  writeDirectory(workspace.at("image"), sample);
  addSample(registry.repository("from/here"), "1", sample);
  const count = async (what: CopyKind, from: string, to: string): Promise<CountedCopy> => {
    registry.forget();
    await using proxy = await startCountingProxy(registry.host);
    const [source, target] = [from, to].map((name) => name.replace("HOST", proxy.host));
    const flags = ["--insecure-policy", "copy", "-q", "--src-tls-verify=false"];
    await succeed([...flags, "--dest-tls-verify=false", source ?? "", target ?? ""], {
      cwd: workspace.path,
      ...(program !== undefined && { program }),
    });
    return { what, requests: pathsOf(registry), connections: proxy.connections };
  };
  return [
    await count("push", "dir:image", "docker://HOST/to/there:1"),
    await count("push again", "dir:image", "docker://HOST/to/there:1"),
    await count("pull", "docker://HOST/from/here:1", "dir:copied"),
    await count("registry to itself", "docker://HOST/from/here:1", "docker://HOST/new/place:1"),
  ];
}

/** Sessions are told apart by their path, but for their number nothing of them matters. */
function pathsOf({ lines }: RegistryServer): readonly string[] {
  return lines.map((line) => line.replace(/\?.*/, ""));
}
