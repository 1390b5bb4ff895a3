import { expect, test } from "bun:test";

import { digestOf } from "../../../core/content/digest.ts";
import { makingOf, noteMaking } from "../../../core/copy/making.ts";
import type { ImageDestination } from "../../../core/image/destination.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { transportContext } from "../../support/transport-context.ts";

const raw = (text: string) => ({ bytes: new TextEncoder().encode(text), mediaType: "x/y" });

test("noteMaking notes what was made of something else, if there is a recipe for it", async () => {
  const noted: string[] = [];
  const plain = await new MemoryTransport().parseReference("a").openDestination(transportContext());
  const writer: ImageDestination = Object.assign(plain, {
    noteMaking: (making: string) => void noted.push(making),
  });
  const [top, written] = [raw("{}"), raw("[]")];
  noteMaking(writer, written, { top });
  noteMaking(writer, top, { top, recipe: "r" });
  expect(noted).toEqual([]);
  noteMaking(writer, written, { top, recipe: "r" });
  expect(noted).toEqual([makingOf(digestOf(top.bytes), "r")]);
});
