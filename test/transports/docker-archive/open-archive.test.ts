import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { openArchive } from "../../../transports/docker-archive/open-archive.ts";
import { rejection } from "../../support/rejection.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

test("openArchive names the file that is not there as the original does", async () => {
  const failure = await rejection(openArchive("/no/such.tar", transportContext()));
  expect(failure).toMatchObject({
    code: "io",
    message: 'opening file "/no/such.tar": open /no/such.tar: no such file or directory',
  });
});

test("openArchive names the file that is no archive", async () => {
  using workspace = new Workspace();
  writeFileSync(workspace.at("a.tar"), "hardly");
  const failure = await rejection(openArchive(workspace.at("a.tar"), transportContext()));
  expect(failure.code).toBe("corrupt");
  expect(failure.message).toStartWith(`opening file "${workspace.at("a.tar")}": `);
});
