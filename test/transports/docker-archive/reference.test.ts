import { expect, test } from "bun:test";
import { dockerArchive } from "../../../transports/docker-archive/reference.ts";
import { failureOf } from "../../support/failure-of.ts";

test.each(["x", "/some/path", "docker.io/library/x"])(
  "checkPolicyScope refuses %p: what an archive says of itself proves nothing",
  (scope) => {
    expect(failureOf(() => dockerArchive.checkPolicyScope(scope))).toMatchObject({
      code: "config",
      message: 'docker-archive: does not support any scopes except the default "" one',
    });
  },
);

test("an archive cannot be deleted from, nor has it tags beside an image", () => {
  const reference = dockerArchive.parseReference("a.tar:x:1");
  expect(reference.deleteImage).toBeUndefined();
  expect(reference.deleteTag).toBeUndefined();
  expect(reference.listTags).toBeUndefined();
});
