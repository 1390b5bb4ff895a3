import { expect, test } from "bun:test";
import { tarEntries } from "../../../../core/blob/tar-reader.ts";
import { StreamInput } from "../../../../core/blob/tar-input.ts";
import { overrideStat } from "../../../../transports/containers-storage/extract/override-stat.ts";
import { streamOf } from "../../../../core/blob/stream.ts";
import { type TarEntry, tarOf } from "../../../support/tar-bytes.ts";

test.each<readonly [Omit<TarEntry, "path">, string | undefined]>([
  [{ kind: "directory", mode: 0o755 }, "0:0:0755:dir"],
  [{ mode: 0o2755, uid: 12, gid: 34 }, "12:34:2755:file"],
  [{ kind: "fifo", mode: 0o644 }, "0:0:0644:pipe"],
  [{ kind: "characterDevice", mode: 0o666, device: [1, 3] }, "0:0:0666:char-1-3"],
  [{ kind: "blockDevice", mode: 0o660, gid: 6, device: [259, 70_000] }, "0:6:0660:block-259-70000"],
  [{ kind: "symlink", target: "x" }, undefined],
  [{ kind: "hardLink", target: "y" }, undefined],
])("overrideStat of %j is %p", async (wish, expected) => {
  const input = new StreamInput(streamOf(tarOf([{ path: "x", ...wish }])));
  for await (const entry of tarEntries(input)) expect(overrideStat(entry)).toBe(expected);
});
