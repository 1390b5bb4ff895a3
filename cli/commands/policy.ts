// dray policy: what a trust policy says, and why.

import { readConfigFile } from "../../core/config/config-file.ts";
import { asFailure, during, Failure } from "../../core/failure.ts";
import { parseImageName } from "../../core/image/parse-name.ts";
import { mismatchOf, parsePolicyCases, type PolicyCase } from "../../core/trust/policy-cases.ts";
import { transports } from "../../transports/table.ts";
import { type Call, defineTool } from "../command.ts";
import { contextOf, gateOf, policyFileOf } from "../compose.ts";
import { maybeText, text, toggle, type Values } from "../flags/flag.ts";
import { imageFlags } from "../flags/image.ts";
import { parseMultiArch } from "../flags/multi-arch.ts";
import { encodePretty } from "../output/json.ts";
import { print } from "../output/print.ts";
import { init } from "../policy/init.ts";
import { judge, type JudgedImage } from "../policy/judge.ts";
import { lint } from "../policy/lint.ts";

const flags = {
  image: imageFlags(""),
  all: toggle("all", "Explain all images if IMAGE is a list", { shorthand: "a" }),
  multiArch: maybeText(
    "multi-arch",
    "Which images of a list are meant (system, all, index-only, or platforms), as copy understands it",
  ),
  output: text("output", "`FORMAT` of an explanation: text or json"),
};

type PolicyCall = Call<Values<typeof flags>>;

/** Explains, checks, tries out and begins policies. */
export const policy = defineTool({
  name: "policy",
  usage: "policy [command options] explain IMAGE | lint [FILE] | test FILE | init [FILE]",
  summary: "Explain, check, try out or begin a trust policy",
  description: () => `Explain, check, try out or begin a trust policy

explain IMAGE  shows which entry of the policy is for an image, what each requirement wants, how each
               signature fared, and what comes of it. Ends as a copy of the image would.
lint [FILE]    finds entries that no image can have, holes, keys that are missing or expire, and
               misspelled transports. Fails if one of them is an error.
test FILE      reads lines of the form "IMAGE accept" or "IMAGE reject [WORDS]" and fails unless the policy
               says so, and rejects for a reason with these words.
init [FILE]    writes a policy to begin with, and never over one that is there.

The policy is the one that copy would ask; see --policy.`,
  examples: [
    "policy explain docker://registry.example.com/team/app:1",
    "policy --output json explain dir:app",
    "policy lint /etc/containers/policy.json",
    "policy --policy new.json test expected.txt",
    "policy init",
  ],
  flags,
  async run(call) {
    const [verb, operand = "", ...surplus] = call.operands;
    const run = verb === undefined || !Object.hasOwn(verbs, verb) ? undefined : verbs[verb];
    if (run === undefined || surplus.length > 0) {
      throw call.misuse("One of explain, lint, test and init expected");
    }
    await run(call, operand);
  },
});

const verbs: Readonly<Record<string, (call: PolicyCall, operand: string) => Promise<void>>> = {
  explain,
  lint,
  test,
  init,
};

async function explain(call: PolicyCall, image: string): Promise<void> {
  const { output } = call.flags;
  if (image === "") throw call.misuse("policy explain: exactly one image expected");
  if (!["", "text", "json"].includes(output)) {
    throw new Failure("usage", `unknown output ${JSON.stringify(output)}, it is text or json`);
  }
  const { reference, judged } = await judgeImage(call, image);
  const policyFile = await policyFileOf(call);
  const explanation = {
    name: reference,
    decisions: judged.decisions,
    ...(policyFile !== undefined && { policyFile }),
  };
  const { explanationData, renderExplanation } = await import("../output/explanation.ts");
  await print(
    output === "json" ? encodePretty(explanationData(explanation)) : renderExplanation(explanation),
  );
  if (judged.refusal !== undefined) throw judged.refusal;
}

async function judgeImage(call: PolicyCall, image: string) {
  const { flags: said } = call;
  const gate = await gateOf(call);
  const reference = await during(`Invalid source name ${image}`, () =>
    parseImageName(image, transports),
  );
  const context = contextOf(call, { flags: said.image });
  const images = parseMultiArch({ ...said, strip: false });
  return { reference, judged: await judge(call, { reference, context, gate, images }) };
}

async function test(call: PolicyCall, path: string): Promise<void> {
  if (path === "") throw call.misuse("policy test: exactly one file expected");
  const bytes = await readConfigFile(path);
  const cases = await during(path, () => parsePolicyCases(new TextDecoder().decode(bytes)));
  if (cases.length === 0) throw new Failure("config", `There are no cases in ${path}`);
  let failed = 0;
  for (const each of cases) {
    const problem = await problemOf(call, each);
    if (problem !== undefined) failed++;
    const line = problem === undefined ? "ok" : `FAILED, ${problem}`;
    await print(`${path}:${each.line}: ${each.image} ${each.expected}: ${line}\n`);
  }
  if (failed === 0) return;
  throw new Failure("rejected", `${failed} of ${cases.length} cases in ${path} failed`);
}

async function problemOf(call: PolicyCall, each: PolicyCase): Promise<string | undefined> {
  let judged: JudgedImage;
  try {
    judged = (await judgeImage(call, each.image)).judged;
  } catch (error) {
    const failure = asFailure(error);
    if (failure.code === "canceled" || failure.code === "bug") throw failure;
    return failure.message;
  }
  const { refusal } = judged;
  if (refusal === undefined) return mismatchOf(each, { kind: "accepted" });
  return mismatchOf(each, { kind: "rejected", reason: refusal.message });
}
