import { expect, test } from "bun:test";
import { containersStorage } from "../../../transports/containers-storage/reference.ts";

test("the face knows names and scopes without looking anywhere", () => {
  expect(containersStorage.name).toBe("containers-storage");
  const reference = containersStorage.parseReference("[overlay@/none]x");
  expect(reference.text).toBe("[overlay@/none]docker.io/library/x:latest");
  expect(reference.docker).toBe("docker.io/library/x:latest");
  expect(() => containersStorage.checkPolicyScope("x")).toThrow("invalid reference");
});
