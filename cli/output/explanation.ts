// Explanation: how a policy came to its answer, as a tree or as data.

import { shown } from "../../core/foreign-text.ts";
import type { Decision, RuleAnswer, SignatureTrial } from "../../core/trust/decision.ts";
import type { ImageName } from "../../core/image/name.ts";
import { spelledScope } from "../../core/trust/policy-lint.ts";

/** What is to be explained. */
export interface Explanation {
  readonly name: ImageName;
  /** The file that the policy was read from; absent: the policy is built in. */
  readonly policyFile?: string;
  /** What the gate decided, in the order in which it was asked. */
  readonly decisions: readonly Decision[];
}

/** A line, and what stands below it. */
interface Branch {
  readonly text: string;
  readonly below: readonly Branch[];
}

/** Returns an explanation as lines that a person may read. */
export function renderExplanation({ name, policyFile, decisions }: Explanation): string {
  const file = policyFile ?? "built in: accepts every image";
  return decisions
    .map((decision) => {
      const { image, digest, verdict } = decision;
      const which = digest === undefined ? "" : ` ${digest}`;
      const below = [
        leaf(`policy: ${file}`),
        ...scopeBranches(decision, name),
        ...ruleBranches(decision),
      ];
      const why = decision.reason === undefined ? "" : `: ${decision.reason}`;
      const by = decision.refusedBy === undefined ? "" : ` by ${decision.refusedBy}`;
      const head = `${image}${which}`;
      return linesOf({ text: head, below: [...below, leaf(`${verdict}${by}${why}`)] });
    })
    .join("");
}

/** Returns an explanation as data, as `--output json` shows it. */
export function explanationData({ name, policyFile, decisions }: Explanation): unknown {
  return {
    image: `${name.transport}:${name.text}`,
    policyIdentity: name.policyIdentity,
    policyNamespaces: name.policyNamespaces,
    policyFile: policyFile ?? null,
    verdict: decisions.every(({ verdict }) => verdict === "admitted") ? "admitted" : "rejected",
    decisions: decisions.map((decision) => ({
      ...decision,
      scope: decision.scope ?? null,
      passedOver: passedOver(decision, name),
    })),
  };
}

/** Returns the keys that the policy was asked for before the one that it has. */
function passedOver({ scope, by }: Decision, name: ImageName): readonly string[] {
  if (by === "images") return [];
  const { policyIdentity, policyNamespaces } = name;
  const own = policyIdentity === "" ? [] : [policyIdentity];
  // Where a name has no tag, the first of both are the same.
  const keys = [...new Set([...own, ...policyNamespaces, ""])];
  return scope === undefined ? keys : keys.slice(0, keys.indexOf(scope.name));
}

function scopeBranches(decision: Decision, name: ImageName): readonly Branch[] {
  if (decision.by === "images") return [leaf("a list, let in by its images")];
  const narrower = passedOver(decision, name).map((key) =>
    leaf(`no entry for ${key === "" ? `the transport ${name.transport}` : key}`),
  );
  return [{ text: `scope: ${spelledScope(decision.scope)}`, below: narrower }];
}

function ruleBranches({ rules, answers }: Decision): readonly Branch[] {
  return rules.map((rule, index) => {
    const number = `requirement ${index + 1} of ${rules.length}: ${rule}`;
    const answer = answers[index];
    if (answer === undefined) return leaf(`${number}, not asked`);
    return {
      text: `${number}, ${answer.allowed ? "met" : "not met"}`,
      below: answerBranches(answer),
    };
  });
}

function answerBranches({ wants = {}, trials, reason }: RuleAnswer): readonly Branch[] {
  return [
    ...Object.entries(wants).map(([what, value]) => leaf(`${what}: ${value}`)),
    ...trials.map((trial) => leaf(trialLine(trial))),
    ...(reason === undefined ? [] : [leaf(reason)]),
  ];
}

function trialLine({ number, form, outcome }: SignatureTrial): string {
  const what = `signature ${number}, ${form}`;
  switch (outcome.kind) {
    case "accepted":
      return `${what}: accepted, by ${outcome.by}, for ${outcome.reference}`;
    case "refused":
      return `${what}: refused, ${outcome.reason}`;
    case "ignored":
      return `${what}: passed over, ${outcome.reason}`;
  }
}

function leaf(text: string): Branch {
  return { text, below: [] };
}

function linesOf({ text, below }: Branch): string {
  // Reasons may quote what is in an image.
  return `${shown(text)}\n${below.map((each, index) => nested(each, index === below.length - 1)).join("")}`;
}

function nested(branch: Branch, last: boolean): string {
  const [first = "", ...others] = linesOf(branch).split(/(?<=\n)/);
  const margin = last ? "   " : "│  ";
  return `${last ? "└─ " : "├─ "}${first}${others.map((line) => margin + line).join("")}`;
}
