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
  /** The type of the rule that refused; absent where none did. */
  readonly refusedBy?: string;
  /** Why it was refused; absent where it was not. */
  readonly reason?: string;
}

/** Whoever wants to know what a gate decides. Must not throw. */
export type HearDecision = (decision: Decision) => void;
