// G1 everywhere: nothing is written that the policy refuses, by whatever command, from and to whatever place.

import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { sourceKinds, targetKinds } from "../../cli/sync/kinds.ts";
import { mapLimited } from "../../core/concurrency.ts";
import { transports } from "../../transports/table.ts";
import {
  emptyPlaces,
  EveryPlace,
  everyImage,
  everyList,
  filledPlaces,
  placeNeeds,
  type TransportName,
} from "../support/every-place.ts";
import { testWith } from "../support/needs.ts";
import { ProxyClient } from "../support/proxy-client.ts";
import { pushSample } from "../support/push.ts";
import { run, type RunResult } from "../support/run.ts";
import { writeDirectory, writeLayout } from "../support/sample-images.ts";

/** What each command has to do with images that are carried. A new one fails below until it stands here. */
const commands: Readonly<Record<string, "carries images" | "carries none">> = {
  completion: "carries none",
  copy: "carries images",
  delete: "carries none",
  "experimental-image-proxy": "carries images",
  "generate-sigstore-key": "carries none",
  help: "carries none",
  inspect: "carries none",
  layers: "carries images",
  "list-tags": "carries none",
  login: "carries none",
  logout: "carries none",
  "manifest-digest": "carries none",
  policy: "carries none",
  schema: "carries none",
  "standalone-sign": "carries none",
  "standalone-verify": "carries none",
  sync: "carries images",
  "untrusted-signature-dump-without-verification": "carries none",
};

const names = Object.keys(transports) as TransportName[];
const reject = { default: [{ type: "reject" }] };
const accept = { default: [{ type: "insecureAcceptAnything" }] };

/** The ways to choose from a list, and what goes with them. */
const forms: readonly (readonly string[])[] = [
  [],
  ["--multi-arch=system"],
  ["--all"],
  ["--multi-arch=index-only"],
  ["--multi-arch=linux/amd64,linux/arm64/v8"],
  ["--multi-arch=linux/amd64", "--remove-signatures", "--strip-removed-platforms"],
];

/** Runs the program in a scene whose policy rejects, or says something else. */
function dray(scene: EveryPlace, words: readonly string[], policy: object = reject) {
  const file = scene.at(policy === reject ? "reject.json" : "accept.json");
  return run([`--policy=${file}`, ...words], {
    cwd: scene.path,
    env: { TMPDIR: scene.at("temporary") },
  });
}

/** A scene where a policy stands, and one place of each kind that holds a list. */
async function prepared(): Promise<EveryPlace> {
  const scene = new EveryPlace();
  writeFileSync(scene.at("reject.json"), JSON.stringify(reject));
  writeFileSync(scene.at("accept.json"), JSON.stringify(accept));
  writeLayout(scene.at("list-oci"), { "1": everyList });
  writeDirectory(scene.at("list-dir/1"), everyList);
  const registry = `http://${scene.server.host}`;
  await pushSample({ registry, repository: "list", tag: "1" }, everyList);
  return scene;
}

/** Lists of images: what they are named by, and what goes with that. */
const lists: readonly ((scene: EveryPlace) => readonly string[])[] = [
  ({ server }) => ["--src-tls-verify=false", `docker://${server.host}/list:1`],
  (scene) => [`dir:${scene.at("list-dir/1")}`],
  (scene) => [`oci:${scene.at("list-oci")}:1`],
];

function expectRejected({ code, stdout, stderr }: RunResult, about: unknown): void {
  const rejected = /Source image rejected: Running image [^\n]* is rejected by policy\./;
  expect([about, code, rejected.test(stderr), stderr]).toEqual([about, 1, true, stderr]);
  expect(stdout).not.toContain("Copying");
}

const places = names.filter((name) => typeof emptyPlaces[name] !== "string");

/** Each way that `sync` goes: from and to what, by which operand. */
function syncs(scene: EveryPlace): readonly (readonly string[])[] {
  const { host } = scene.server;
  const images = `${host}:\n  tls-verify: false\n  images:\n    list: ["1"]\n`;
  writeFileSync(scene.at("images.yaml"), images);
  const sources: Readonly<Record<(typeof sourceKinds)[number], string>> = {
    docker: `${host}/list:1`,
    dir: scene.at("list-dir"),
    yaml: "images.yaml",
    oci: scene.at("list-oci"),
    "oci-archive": scene.at("list.tar"),
  };
  // Each of its own: what one has begun would be another's to leave.
  let number = 0;
  const targets: Readonly<Record<(typeof targetKinds)[number], () => string>> = {
    docker: () => `${host}/synced`,
    dir: () => `synced-${number++}/deep`,
    oci: () => `synced-${number++}/layout`,
    "oci-archive": () => `synced-${number++}.tar`,
  };
  const digest = everyList.manifest.digest;
  const lock = { version: 1, images: [{ name: `${host}/list:1`, digest }] };
  writeFileSync(scene.at("lock"), JSON.stringify(lock));
  const open = ["--src-tls-verify=false", "--dest-tls-verify=false"];
  const pairs = sourceKinds.flatMap((from) =>
    targetKinds
      .filter((to) => from !== "dir" || to !== "dir")
      .map((to) => [`--src=${from}`, `--dest=${to}`, sources[from], targets[to]()]),
  );
  const one = () => ["--src=docker", "--dest=dir", sources.docker, targets.dir()];
  return [
    ...pairs.map((words) => [...words, "--all"]),
    ...forms.map((form) => [...one(), ...form]),
    [...one(), "--locked=lock"],
    [...one(), "--scoped", "--keep-going"],
  ].map((words) => ["sync", ...open, ...words]);
}

/** Asks a proxy for an image by each method that opens one. */
async function askProxy(scene: EveryPlace): Promise<void> {
  const flags = ["--policy", scene.at("reject.json"), "--tls-verify=false"];
  await using client = new ProxyClient({ cwd: scene.path, flags });
  await client.ask("Initialize");
  for (const list of lists) {
    const image = list(scene).at(-1);
    for (const method of ["OpenImage", "OpenImageOptional"]) {
      const answer = await client.ask(method, image);
      expect(answer).toMatchObject({ success: false, value: null, descriptors: [] });
      expect(answer.error).toContain("is rejected by policy.");
    }
  }
  for (const method of ["GetManifest", "GetFullConfig", "GetLayerInfo"]) {
    expect(await client.ask(method, 1)).toMatchObject({ success: false, error: "no image 1" });
  }
}

/** What each command is made to do; nothing of it may leave anything. */
const performed: Readonly<Record<string, (scene: EveryPlace) => Promise<void>>> = {
  copy: async (scene) => {
    const calls = places.flatMap((to, at) =>
      forms.map((form, index) => {
        const empty = emptyPlaces[to];
        if (typeof empty === "string") throw new Error(empty);
        const { image, flags = [] } = empty(scene, `${to}-${index}`);
        const [list = () => []] = [lists[(at + index) % lists.length]];
        // One of them goes along, whichever that is.
        const also = index % 2 === 0 ? [] : [`--also=dir:also-${to}-${index}`];
        return ["copy", ...flags, ...form, ...also, ...list(scene), image];
      }),
    );
    await mapLimited(calls, 4, async (words) => expectRejected(await dray(scene, words), words));
  },
  sync: async (scene) => {
    await scene.copy("--all", `oci:${scene.at("list-oci")}:1`, "oci-archive:list.tar:1");
    const calls = syncs(scene);
    scene.begin();
    await mapLimited(calls, 4, async (words) => {
      const { code, stderr } = await dray(scene, words);
      const refused = words.includes("--keep-going") ? 3 : 1;
      const why = expect.stringContaining(" is rejected by policy.");
      expect([words, code, stderr]).toEqual([words, refused, why]);
    });
  },
  layers: async (scene) => {
    const [layer] = everyList.images[0]?.layers ?? [];
    const calls = lists.flatMap((list) =>
      [[], [layer?.digest ?? ""]].map((wanted) => [
        "layers",
        "--tls-verify=false",
        list(scene).at(-1) ?? "",
        ...wanted,
      ]),
    );
    await mapLimited(calls, 4, async (words) => expectRejected(await dray(scene, words), words));
  },
  "experimental-image-proxy": askProxy,
};

describe("G1: a policy that rejects", () => {
  test("is asked by every command that carries images, and these are all of them", () => {
    const main = readFileSync(new URL("../../cli/main.ts", import.meta.url), "utf8");
    const tree = [...main.matchAll(/^ {2}"?([a-z-]+)"?: async \(\) =>/gm)].map(([, name]) => name);
    expect(tree.length).toBeGreaterThan(10);
    expect(tree.toSorted()).toEqual(Object.keys(commands).toSorted());
    const carrying = tree.filter((name = "") => commands[name] === "carries images");
    expect(carrying.toSorted()).toEqual(Object.keys(performed).toSorted());
  });

  test("is asked about every place that can be written to, and no others are", () => {
    const scene = {
      at: (name: string) => `/tmp/${name}`,
      server: { host: "h" },
      engine: { host: "" },
    };
    for (const [name, transport] of Object.entries(transports)) {
      const empty = emptyPlaces[name as TransportName];
      const text = name === "atomic" ? "host/space/stream:1" : import.meta.path;
      const image =
        typeof empty === "string" ? `${name}:${text}` : empty(scene as EveryPlace, "x").image;
      const written =
        transport.parseReference(image.slice(name.length + 1)).openProbe !== undefined;
      expect([name, written]).toEqual([name, typeof empty !== "string"]);
    }
  });

  test.each(Object.entries(performed))(
    "leaves nothing of what %s would write",
    async (_, perform) => {
      await using scene = await prepared();
      scene.begin();
      await perform(scene);
      expect(scene.written).toEqual([]);
    },
  );

  describe("so that it is the policy which keeps it out:", () => {
    for (const to of places) {
      testWith(...(placeNeeds[to] ?? []))(`without it, copy writes to ${to}:`, async () => {
        await using scene = await prepared();
        const empty = emptyPlaces[to];
        if (typeof empty === "string") throw new Error(empty);
        const { image, flags = [] } = empty(scene, to);
        writeDirectory(scene.at("in"), everyImage);
        scene.begin();
        const words = ["copy", ...flags, "dir:in", image];
        expect(await dray(scene, words, accept)).toMatchObject({ code: 0 });
        expect(scene.written).not.toEqual([]);
      });
    }
  });

  for (const from of names) {
    const filled = filledPlaces[from];
    if (typeof filled === "string") continue;
    testWith(...(placeNeeds[from] ?? []))(`leaves nothing of an image from ${from}:`, async () => {
      await using scene = await prepared();
      const { image, flags = [] } = await filled(scene);
      scene.begin();
      expectRejected(await dray(scene, ["copy", ...flags, image, "dir:there"]), from);
      const layers = flags.map((flag) => flag.replace("--src-", "--"));
      expectRejected(await dray(scene, ["layers", ...layers, image]), from);
      const asked = scene.written.filter(
        (each) => !/^(GET|HEAD) \/(v[\d.]+\/images\/get|_ping)/.test(each),
      );
      expect(asked).toEqual([]);
    });
  }
});
