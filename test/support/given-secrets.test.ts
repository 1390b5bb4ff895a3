import { expect, test } from "bun:test";

import { givenSecrets } from "./given-secrets.ts";

test.each([
  [["copy", "--src-creds=john:s3cret", "a", "b"], "", ["s3cret"]],
  [["copy", "--dest-creds", "john:s3:cret", "a", "b"], "", ["s3:cret"]],
  [["inspect", "--username=john", "--password", "s3cret", "a"], "", ["s3cret"]],
  [["inspect", "--registry-token=abcdef", "a"], "", ["abcdef"]],
  [["login", "--password-stdin", "h"], "s3cret\n", ["s3cret"]],
  [["login", "-p", "pw", "h"], "", []],
  [["copy", "a", "b"], "s3cret", []],
])("givenSecrets finds what %j is to keep to itself", (args, input, expected) => {
  expect([...givenSecrets(args, input)]).toEqual(expected);
});
