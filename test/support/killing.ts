// Killing: what is left of writers that are ended without a warning.

import { join } from "node:path";

/**
 * Starts writers of an image, one after the other, each killed a little later than the one before.
 *
 * Returns how many images they completed.
 */
export async function writeUntilKilled(image: string, kills = 3): Promise<number> {
  let completed = 0;
  for (let kill = 1; kill <= kills; kill++) {
    const writer = Bun.spawn([process.execPath, join(import.meta.dir, "write-forever.ts"), image], {
      stdout: "pipe",
      stderr: "inherit",
    });
    const reader = writer.stdout.getReader();
    // From the first image on it is in the middle of something all the time.
    const { done } = await reader.read();
    if (done) throw new Error("the writer ended by itself");
    await Bun.sleep(7 * kill);
    writer.kill("SIGKILL");
    completed += 1;
    await writer.exited;
  }
  return completed;
}
