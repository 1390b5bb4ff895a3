import { expect, test } from "bun:test";

import { about, type ToldEvent } from "../../../core/copy/events.ts";

test("about says which part of a run an event is of, whatever else knows of it", () => {
  const told: ToldEvent[] = [];
  const ofCopy = about({ copy: 2 }, (event) => told.push(event));
  about({ instance: 1 }, ofCopy)({ kind: "warning", message: "careful" });
  about({ destination: 3 }, ofCopy)({ kind: "warning", message: "careful" });
  expect(told).toEqual([
    { kind: "warning", message: "careful", copy: 2, instance: 1 },
    { kind: "warning", message: "careful", copy: 2, destination: 3 },
  ]);
});
