// Help: the layout that people and scripts know from the original.

import { describe, expect, test } from "bun:test";

import { defineTool, defineTree } from "../../cli/command.ts";
import { duration, list, maybeToggle, text, toggle, unsigned } from "../../cli/flags/flag.ts";
import { commandHelp, imageNames, rootHelp, rootUsage } from "../../cli/help.ts";

const move = defineTool({
  name: "move",
  usage: "move [command options] FROM TO",
  summary: "Move things",
  description: (program) => `Moves things.\n\n${program} is careful.`,
  examples: ["move a b", "move --all a b"],
  flags: {
    all: toggle("all", "Move `all` of `them`", { shorthand: "a" }),
    within: { dir: text("dir", "Move to `DIRECTORY`"), after: duration("after", "Wait first") },
    tags: list("tag", "Tags"),
    verify: maybeToggle("verify", "Verify"),
    limit: unsigned("limit", "Limit"),
    secret: toggle("secret", "Hidden", { hidden: true }),
  },
  run: () => {},
});

const plain = defineTool({
  name: "plain",
  usage: "plain",
  summary: "Nothing to set",
  examples: ["plain"],
  flags: {},
  run: () => {},
});

const hidden = defineTool({ ...plain.definition, name: "a-hidden-one", hidden: true });

const tree = defineTree({
  plain: async () => plain,
  move: async () => move,
  "a-hidden-one": async () => hidden,
});

describe("commandHelp", () => {
  test("shows what a command does, its flags sorted and in columns", () => {
    expect(commandHelp(move, "skopeo")).toBe(`Moves things.

skopeo is careful.

Usage:
skopeo move [command options] FROM TO

Examples:
skopeo move a b
skopeo move --all a b

Flags:
      --after duration   Wait first
  -a, --all all          Move all of \`them\`
      --dir DIRECTORY    Move to DIRECTORY
  -h, --help             help for move
      --limit uint       Limit
      --tag strings      Tags
      --verify           Verify

`);
  });

  test("makes do with the summary, and with no flag but help", () => {
    expect(commandHelp(plain, "dray")).toBe(`Nothing to set

Usage:
dray plain

Examples:
dray plain

Flags:
  -h, --help   help for plain

`);
  });
});

describe("rootHelp", () => {
  test("lists the commands that are not hidden, and the global flags", async () => {
    expect(await rootHelp(tree, "skopeo")).toBe(`\
Various operations with container images and container image registries

Usage:
  skopeo [flags]
  skopeo [command]

Available Commands:
  move         Move things
  plain        Nothing to set

Flags:
      --command-timeout duration   timeout for the command execution
      --debug                      enable debug output
  -h, --help                       help for skopeo
      --insecure-policy            run the tool without any policy check
      --override-arch ARCH         use ARCH instead of the architecture of the machine for choosing images
      --override-os OS             use OS instead of the running OS for choosing images
      --override-variant VARIANT   use VARIANT instead of the running architecture variant for choosing images
      --policy string              Path to a trust policy file
      --registries.d DIR           use registry configuration files in DIR (e.g. for container signature storage)
      --require-signed             require any pulled image to be signed
      --tls-details string         path to a containers-tls-details.yaml(5) file
      --tmpdir string              directory used to store temporary files
      --user-agent-prefix string   prefix to add to the user agent string
  -v, --version                    Version for Skopeo

Use "skopeo [command] --help" for more information about a command.
`);
  });

  test("goes by the name the program was called by", async () => {
    const usage = await rootUsage(tree, "dray");
    expect(usage).toStartWith("Usage:\n  dray [flags]\n");
    expect(usage.toLowerCase()).not.toContain("skopeo");
  });
});

describe("imageNames", () => {
  test("lists the transports as scripts look for them", () => {
    expect(imageNames(["oci", "dir"], "skopeo")).toBe(
      'Supported transports:\ndir, oci\n\nSee skopeo(1) section "IMAGE NAMES" for the expected format',
    );
  });
});
