// Outlets: what waits for a slow reader, in order and whole, and what is given up.

import { describe, expect, test } from "bun:test";
import { closeSync, openSync, readFileSync } from "node:fs";

import {
  allWritten,
  forgetOutlet,
  hurryOutlets,
  outletAt,
  roomInOutlets,
} from "../../../cli/output/outlet.ts";
import { limits } from "../../../core/limits.ts";
import { StuckPipe } from "../../support/stuck-pipe.ts";
import { Workspace } from "../../support/workspace.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** An outlet to a pipe that nobody reads yet. */
class Scene implements Disposable {
  readonly #workspace = new Workspace();
  readonly pipe = new StuckPipe(this.#workspace.at("pipe"));
  readonly descriptor = openSync(this.#workspace.at("pipe"), "w");
  readonly outlet = outletAt(this.descriptor);

  [Symbol.dispose](): void {
    forgetOutlet(this.descriptor);
    closeSync(this.descriptor);
    this.pipe[Symbol.dispose]();
    this.#workspace[Symbol.dispose]();
  }
}

describe("Outlet", () => {
  test("writes to a file at once", () => {
    using workspace = new Workspace();
    const descriptor = openSync(workspace.at("file"), "w");
    outletAt(descriptor).write(bytes("one\n"));
    expect(readFileSync(workspace.at("file"), "utf8")).toBe("one\n");
    forgetOutlet(descriptor);
    closeSync(descriptor);
  });

  test("keeps what a full pipe has no room for, and writes it in order when it is read", async () => {
    using scene = new Scene();
    const { outlet, pipe } = scene;
    const lines = Array.from({ length: 2000 }, (_, index) => `${index} ${"x".repeat(200)}\n`);
    for (const line of lines) outlet.write(bytes(line));
    expect(outlet.isCrowded).toBe(true);
    const room = roomInOutlets();
    expect(room).toBeInstanceOf(Promise);
    const written = outlet.written();
    expect(await pipe.take(written)).toBe(lines.join(""));
    expect(await written).toBe(true);
    await room;
    expect(roomInOutlets()).toBeUndefined();
    expect(await allWritten()).toBe(true);
  });

  test("lets the work go on while little waits", () => {
    using scene = new Scene();
    scene.outlet.write(new Uint8Array(limits.unreadBytes));
    expect(roomInOutlets()).toBeUndefined();
    scene.outlet.write(new Uint8Array(1));
    expect(roomInOutlets()).toBeInstanceOf(Promise);
  });

  test("gives up a reader who does not read, once there is hurry, and nobody waits for room", async () => {
    using scene = new Scene();
    const { outlet } = scene;
    outlet.write(new Uint8Array(limits.unreadBytes + 1));
    const room = roomInOutlets();
    hurryOutlets();
    await room;
    expect(await outlet.written()).toBe(false);
    expect(await allWritten()).toBe(false);
    expect(outlet.error).toBeUndefined();
  });

  test("says once why nothing can be written", async () => {
    const descriptor = openSync("/dev/full", "w");
    const outlet = outletAt(descriptor);
    const failures: Error[] = [];
    outlet.failed = (error) => failures.push(error);
    for (const line of ["one", "two"]) outlet.write(bytes(line));
    expect(await outlet.written()).toBe(false);
    expect(failures).toEqual([expect.objectContaining({ code: "ENOSPC" })]);
    expect(outlet.error).toBe(failures[0] as Error);
    forgetOutlet(descriptor);
    closeSync(descriptor);
  });
});
