// Decision: what a gate has said about one image, for whoever reports it.

import type { Digest } from "../content/digest.ts";

/** Which entry of a policy an image falls under. */
export interface PolicyScope {
  /** The transport that the entry is for. */
  readonly transport: string;
  /** As policy.json has it; empty for the transport's own default. */
  readonly name: string;
}

/** What a gate has said about one image or list. */
export interface Decision {
  readonly verdict: "admitted" | "rejected";
  /** The image's name, as the user may write it. */
  readonly image: string;
  /** Absent where an image was refused before anybody had to know. */
  readonly digest?: Digest;
  /** Who was asked: the rules, or nobody, because all images of a list had been admitted. */
  readonly by: "rules" | "images";
  /** The types of the rules that apply, in the order in which they are asked. */
  readonly rules: readonly string[];
  /** The entry that the rules stand in; absent: the policy's default. */
  readonly scope?: PolicyScope;
  /** What the rules said that were asked: all up to the first that refused. */
  readonly answers: readonly RuleAnswer[];
  /** The type of the rule that refused; absent where none did. */
  readonly refusedBy?: string;
  /** Why it was refused; absent where it was not. */
  readonly reason?: string;
}

/** What one rule has said. */
export interface RuleAnswer {
  /** The type of the rule. */
  readonly rule: string;
  /** What the rule wants, as far as there is more to say, by names that a person understands. */
  readonly wants?: Readonly<Record<string, string>>;
  readonly allowed: boolean;
  /** Absent where it allowed the image. */
  readonly reason?: string;
  /** How each signature fared, as far as the rule looked at any. */
  readonly trials: readonly SignatureTrial[];
}

/** How one signature of an image fared with one rule. */
export interface SignatureTrial {
  /** Its place among the signatures of the image, counted from one. */
  readonly number: number;
  /** What it is, such as `simple signing`. */
  readonly form: string;
  readonly outcome: TrialOutcome;
}

/** What became of a signature. Only an accepted one is quoted, because only that is verified. */
export type TrialOutcome =
  | { readonly kind: "accepted"; readonly by: string; readonly reference: string }
  | { readonly kind: "refused"; readonly reason: string }
  /** It is of a kind that the rule does not look at. */
  | { readonly kind: "ignored"; readonly reason: string };

/** Whoever wants to know what a gate decides. Must not throw. */
export type HearDecision = (decision: Decision) => void;
