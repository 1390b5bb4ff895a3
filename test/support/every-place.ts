// Every place: one image in, and one place in, each kind of storage that the program knows.

import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import type { transports } from "../../transports/table.ts";
import { makeStore, madeLayers } from "./made-store.ts";
import { emptyRepository } from "./ostree-repository.ts";
import { type RegistryServer, startRegistry } from "./registry-server.ts";
import {
  imageOf,
  mediaTypes,
  sampleConfig,
  type SampleImage,
  type SampleList,
  sampleList,
} from "./sample-images.ts";
import { Scene } from "./scene.ts";
import { type ScriptedEngine, startScriptedEngine } from "./scripted-engine.ts";
import { primary, sifOf } from "./sif-bytes.ts";
import { squashOf, squashProgram } from "./squash-image.ts";
import { tarOf } from "./tar-bytes.ts";

/** The transports of the table. One that is new has to be told here what it is to the gate. */
export type TransportName = keyof typeof transports;

/** What a transport is to the tests: the image that it names, and what naming that takes. */
export interface Place {
  readonly image: string;
  readonly flags?: readonly string[];
}

/** An image, and a list of images, that every place can hold. */
export const everyImage: SampleImage = layersThatAreTars();
export const everyList: SampleList = sampleList({ seed: "every place", format: "oci" });

/** A scene with a registry, an engine and a place of every kind, in which nothing changes unseen. */
export class EveryPlace extends Scene {
  readonly server: RegistryServer = startRegistry();
  readonly engine: ScriptedEngine = startScriptedEngine({ keeps: true });
  #before: ReadonlySet<string> = new Set();

  constructor() {
    super();
    mkdirSync(this.at("temporary"));
    // Nobody looks there.
    emptyRepository({ at: (...names) => this.at(...names) }, "archive", "repo");
  }

  /** From now on, what is written is new. */
  begin(): void {
    this.#before = new Set(this.#files());
    this.server.forget();
    this.engine.forget();
  }

  /** What was written since it began, wherever that is, and what was asked of the engine. */
  get written(): readonly string[] {
    const files = this.#files().filter((path) => !this.#before.has(path));
    const requests = this.server.lines.filter((line) => !/^(GET|HEAD) /.test(line));
    return [...files, ...requests, ...this.engine.lines];
  }

  #files(): readonly string[] {
    return readdirSync(this.path, { recursive: true, encoding: "utf8" });
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.engine[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
    await super[Symbol.asyncDispose]();
  }
}

/** Places where nothing is yet. A text says why nothing can be written there. */
export const emptyPlaces: Readonly<
  Record<TransportName, ((scene: EveryPlace, name: string) => Place) | string>
> = {
  atomic: "is no longer spoken to",
  "containers-storage": (scene, name) => ({
    image: `containers-storage:[vfs@${scene.at(`${name}-root`)}+${scene.at(`${name}-run`)}]localhost/${name}:1`,
  }),
  dir: (scene, name) => ({ image: `dir:${scene.at(name)}` }),
  docker: (scene, name) => ({
    image: `docker://${scene.server.host}/empty/${name}:1`,
    flags: ["--dest-tls-verify=false"],
  }),
  "docker-archive": (scene, name) => ({ image: `docker-archive:${scene.at(`${name}.tar`)}` }),
  "docker-daemon": (scene, name) => ({
    image: `docker-daemon:localhost/${name}:1`,
    flags: [`--dest-daemon-host=${scene.engine.host}`],
  }),
  oci: (scene, name) => ({ image: `oci:${scene.at(name)}:1` }),
  "oci-archive": (scene, name) => ({ image: `oci-archive:${scene.at(`${name}.tar`)}:1` }),
  ostree: (scene, name) => ({ image: `ostree:${name}:1@${scene.at("repo")}` }),
  sif: "is only read",
  tarball: "is only read",
};

/** Programs, and rights, that a place needs before an image can be there. */
export const placeNeeds: Readonly<Partial<Record<TransportName, readonly string[]>>> = {
  "containers-storage": ["root"],
  ostree: ["root"],
  sif: [squashProgram],
};

/** Puts an image into a place of each kind. A text says why none is read from there. */
export const filledPlaces: Readonly<
  Record<TransportName, ((scene: EveryPlace) => Promise<Place>) | string>
> = {
  atomic: "is no longer spoken to",
  "containers-storage": async (scene) => {
    makeStore(scene.at("root"), {
      driver: "vfs",
      images: [{ names: ["localhost/x:1"], layers: madeLayers("a") }],
    });
    return {
      image: `containers-storage:[vfs@${scene.at("root")}+${scene.at("run")}]localhost/x:1`,
    };
  },
  dir: async (scene) => stored(scene, "dir"),
  docker: async (scene) => ({
    ...(await stored(scene, "docker")),
    flags: ["--src-tls-verify=false"],
  }),
  "docker-archive": (scene) => copied(scene, "docker-archive:from.tar:x:1"),
  "docker-daemon": async (scene) => {
    const { host } = scene.engine;
    const { image } = await copied(
      scene,
      "docker-daemon:some/image:1",
      `--dest-daemon-host=${host}`,
    );
    return { image, flags: [`--src-daemon-host=${host}`] };
  },
  oci: async (scene) => stored(scene, "oci"),
  "oci-archive": (scene) => copied(scene, "oci-archive:from.tar:1"),
  ostree: (scene) => copied(scene, `ostree:from:1@${scene.at("repo")}`),
  sif: async (scene) => {
    const body = squashOf((at) => writeFileSync(at("file"), "content"));
    writeFileSync(scene.at("from.sif"), sifOf([{ kind: "partition", body, partition: primary }]));
    return { image: "sif:from.sif" };
  },
  tarball: async (scene) => {
    writeFileSync(scene.at("from.tar"), tarOf([{ path: "file" }]));
    return { image: "tarball:from.tar" };
  },
};

async function stored(scene: EveryPlace, kind: "dir" | "docker" | "oci"): Promise<Place> {
  const store = await scene.storeAt(kind, scene.server.host);
  await store.fill(everyImage);
  return { image: store.image };
}

async function copied(scene: EveryPlace, image: string, ...flags: string[]): Promise<Place> {
  const { image: from } = await stored(scene, "dir");
  await scene.copy(...flags, from, image);
  return { image };
}

/** In the form that is the only one for some places, of layers that can be unpacked. */
function layersThatAreTars(): SampleImage {
  const digest = (bytes: Uint8Array) => `sha256:${Bun.CryptoHasher.hash("sha256", bytes, "hex")}`;
  const tar = tarOf([{ path: "file", body: Buffer.from("content") }]);
  const layer = { mediaType: mediaTypes.docker.none, bytes: tar, digest: digest(tar) };
  const diffIds = [layer.digest];
  return imageOf("docker", sampleConfig("docker", diffIds), [layer], diffIds);
}
