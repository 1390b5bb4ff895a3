import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

import { findSurplus } from "../../../core/sync/prune.ts";
import { dir } from "../../../transports/dir/reference.ts";
import { docker } from "../../../transports/docker/reference.ts";
import { oci } from "../../../transports/oci/reference.ts";
import { putSample } from "../../support/carry.ts";
import { dockerContext } from "../../support/docker-context.ts";
import { addSample } from "../../support/push.ts";
import { type RegistryOptions, startRegistry } from "../../support/registry-server.ts";
import { rejection } from "../../support/rejection.ts";
import {
  sampleImage,
  sampleList,
  writeDirectory,
  writeLayout,
} from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

const one = sampleImage({ seed: "one", format: "oci" });
const two = sampleImage({ seed: "two", format: "oci" });

describe("findSurplus in a registry", () => {
  async function surplusAt(registry: ReturnType<typeof startRegistry>) {
    const place = { transport: docker, context: dockerContext(), overwrites: false };
    const targets = [`${registry.host}/m/a:keep`];
    return findSurplus({ destination: `${registry.host}/m`, targets, place });
  }

  function filled(options: RegistryOptions = {}) {
    const registry = startRegistry(options);
    const repository = registry.repository("m/a");
    addSample(repository, "keep", one);
    addSample(repository, "same", one);
    addSample(repository, "old", two);
    addSample(repository, `sha256-${"0".repeat(64)}.sig`, two);
    addSample(registry.repository("m/other"), "old", two);
    return registry;
  }

  test("finds tags beside the wanted ones, and no signatures nor other repositories", async () => {
    await using registry = filled();
    const surplus = await surplusAt(registry);
    expect(surplus.map(({ name }) => name)).toEqual(
      ["old", "same"].map((tag) => `docker://${registry.host}/m/a:${tag}`),
    );
    for (const { remove } of surplus) await remove();
    const repository = registry.repository("m/a");
    expect([...repository.tags.keys()].toSorted()).toEqual([
      "keep",
      `sha256-${"0".repeat(64)}.sig`,
    ]);
    expect(repository.manifests.has(one.manifest.digest)).toBe(true);
  });

  test("removes no image that a wanted tag leads to, where tags cannot be removed alone", async () => {
    await using registry = filled({ untags: false });
    const [old, same] = await surplusAt(registry);
    await old?.remove();
    const failure = await rejection(Promise.resolve(same?.remove()));
    expect(failure.message).toContain("cannot be removed alone");
    const { tags } = registry.repository("m/a");
    expect([tags.has("old"), tags.has("keep"), tags.has("same")]).toEqual([false, true, true]);
  });

  test("removes no image that a wanted list has, or that is wanted by its digest", async () => {
    await using registry = startRegistry({ untags: false });
    const repository = registry.repository("m/a");
    const list = sampleList({ seed: "list" });
    const [part = one] = list.images;
    addSample(repository, "keep", list);
    addSample(repository, "part", part);
    addSample(repository, "pinned", two);
    addSample(repository, "old", one);
    const place = { transport: docker, context: dockerContext(), overwrites: false };
    const at = `${registry.host}/m/a`;
    const targets = [`${at}:keep`, `${at}@${two.manifest.digest}`];
    const surplus = await findSurplus({ destination: `${registry.host}/m`, targets, place });
    const removals = await Promise.allSettled(surplus.map(({ remove }) => remove()));
    expect(surplus.map(({ name }, index) => [name, removals[index]?.status])).toEqual([
      [`docker://${at}:old`, "fulfilled"],
      [`docker://${at}:part`, "rejected"],
      [`docker://${at}:pinned`, "rejected"],
    ]);
    for (const { manifest } of [part, two]) {
      expect(repository.manifests.has(manifest.digest)).toBe(true);
    }
  });

  test("finds nothing where nothing was written yet", async () => {
    await using registry = startRegistry();
    expect(await surplusAt(registry)).toEqual([]);
  });
});

describe("findSurplus in directories", () => {
  test("finds whole images only, and none around a wanted one", async () => {
    using workspace = new Workspace();
    for (const name of ["a:1", "a:2", "x/a:3", "x/a:3/inner:1"]) {
      mkdirSync(workspace.at(name), { recursive: true });
      writeDirectory(workspace.at(name), one);
    }
    mkdirSync(workspace.at("mine"));
    writeFileSync(workspace.at("mine", "manifest.json"), "{}");
    const place = { transport: dir, context: transportContext(), overwrites: false };
    const targets = [workspace.at("a:1"), workspace.at("x/a:3/inner:1")];
    const surplus = await findSurplus({ destination: workspace.path, targets, place });
    expect(surplus.map(({ name }) => name)).toEqual([`dir:${workspace.at("a:2")}`]);
    for (const { remove } of surplus) await remove();
    expect(["a:1", "a:2", "mine"].map((name) => existsSync(workspace.at(name)))).toEqual([
      true,
      false,
      true,
    ]);
  });
});

describe("findSurplus in a layout", () => {
  test("takes away images and what only they need", async () => {
    using workspace = new Workspace();
    const layout = workspace.at("layout");
    const put = async (name: string, sample: typeof one) => {
      await using writer = await oci
        .parseReference(`${layout}:${name}`)
        .openDestination(transportContext());
      await putSample(writer, sample);
      await writer.commit();
    };
    await put("a:1", one);
    await put("a:2", two);
    await put("a:3", one);
    // The image that had the name before stays without one.
    await put("a:2", one);
    const place = { transport: oci, context: transportContext(), overwrites: false };
    const surplus = await findSurplus({ destination: layout, targets: [`${layout}:a:1`], place });
    expect(surplus.length).toBe(3);
    for (const { remove } of surplus) await remove();
    const left = await oci.listImages?.(layout, transportContext());
    expect(left).toEqual([`${layout}:a:1`]);
    expect(existsSync(`${layout}/blobs/sha256/${one.manifest.digest.slice(7)}`)).toBe(true);
    expect(existsSync(`${layout}/blobs/sha256/${two.manifest.digest.slice(7)}`)).toBe(false);
  });

  test("leaves what is about an image: attachments by name, bundles without one", async () => {
    using workspace = new Workspace();
    const layout = workspace.at("layout");
    const hex = one.manifest.digest.slice(7);
    writeLayout(layout, { "a:1": one, [`sha256-${hex}`]: two, [`sha256-${hex}.att`]: two });
    const index = JSON.parse(readFileSync(`${layout}/index.json`, "utf8"));
    const [first] = index.manifests;
    index.manifests.push({ ...first, annotations: {}, artifactType: "application/x" });
    writeFileSync(`${layout}/index.json`, JSON.stringify(index));
    const place = { transport: oci, context: transportContext(), overwrites: false };
    const targets = [`${layout}:a:1`];
    expect(await findSurplus({ destination: layout, targets, place })).toEqual([]);
  });
});
