// Syntax: what a template is made of, once parsed, and how its parts are spelled in errors.

import { quoteText } from "./go-text.ts";

/** Anything that an error can point at. Positions count characters from the template's start. */
export interface Part {
  readonly position: number;
}

/** Templates by name, the definitions within a text included. */
export type Templates = ReadonlyMap<string, readonly Statement[]>;

/** What a template does, one after the other. */
export type Statement =
  | (Part & { readonly kind: "text"; readonly text: string })
  | (Part & { readonly kind: "action"; readonly pipe: Pipe })
  | (Part & { readonly kind: "break" | "continue" })
  | (Part & { readonly kind: "template"; readonly name: string; readonly pipe?: Pipe })
  | Branch;

/** A statement with a body, and perhaps another for when there is nothing to do. */
export interface Branch extends Part {
  readonly kind: "if" | "with" | "range";
  readonly pipe: Pipe;
  readonly body: readonly Statement[];
  readonly otherwise?: readonly Statement[];
}

/** Commands that hand their value on, and the variables that get the last one. */
export interface Pipe extends Part {
  readonly kind: "pipe";
  readonly variables: readonly string[];
  /** Whether the variables exist already. */
  readonly assigns: boolean;
  readonly commands: readonly Command[];
}

/** An operand, or a function or method with its arguments. */
export interface Command extends Part {
  readonly kind: "command";
  readonly first: Operand;
  /** `first` and what follows it. */
  readonly operands: readonly Operand[];
}

/** What a command consists of: a value, or the way to one. */
export type Operand =
  | (Part & { readonly kind: "dot" | "nil" })
  | (Part & { readonly kind: "bool"; readonly value: boolean })
  | (Part & { readonly kind: "string"; readonly value: string; readonly literal: string })
  | (Part & { readonly kind: "function"; readonly name: string })
  | NumberOperand
  | FieldOperand
  | VariableOperand
  | ChainOperand
  | Pipe;

/** `.A.B`: fields of dot. */
export interface FieldOperand extends Part {
  readonly kind: "field";
  readonly path: readonly string[];
}

/** `$x.A.B`: fields of a variable, or the variable itself. */
export interface VariableOperand extends Part {
  readonly kind: "variable";
  readonly name: string;
  readonly path: readonly string[];
}

/** `(…).A.B`: fields of what an operand gives. */
export interface ChainOperand extends Part {
  readonly kind: "chain";
  readonly of: Operand;
  readonly path: readonly string[];
}

/** A number may be more than one thing: `2.0` is an integer where one is wanted. */
export interface NumberOperand extends Part {
  readonly kind: "number";
  readonly literal: string;
  /** Absent if it is no whole number. */
  readonly integer?: bigint;
  readonly float: number;
  /** What it is where either would do. */
  readonly ideal: "integer" | "float";
}

/** Returns how a part of a template is spelled. */
export function spellPart(part: Operand | Command | Statement): string {
  switch (part.kind) {
    case "dot":
      return ".";
    case "nil":
      return "nil";
    case "bool":
      return String(part.value);
    case "string":
    case "number":
      return part.literal;
    case "function":
      return part.name;
    case "field":
      return spellPath(part.path);
    case "variable":
      return part.name + spellPath(part.path);
    case "chain":
      return spellOperand(part.of) + spellPath(part.path);
    case "pipe":
      return spellPipe(part);
    case "command":
      return part.operands.map(spellOperand).join(" ");
    case "text":
      return part.text;
    case "action":
      return `{{${spellPipe(part.pipe)}}}`;
    case "break":
    case "continue":
      return `{{${part.kind}}}`;
    case "template": {
      const argument = part.pipe === undefined ? "" : ` ${spellPipe(part.pipe)}`;
      return `{{template ${quoteText(part.name)}${argument}}}`;
    }
    case "if":
    case "with":
    case "range":
      return `{{${part.kind} ${spellPipe(part.pipe)}}}`;
  }
}

function spellOperand(operand: Operand): string {
  return operand.kind === "pipe" ? `(${spellPipe(operand)})` : spellPart(operand);
}

function spellPath(path: readonly string[]): string {
  return path.map((name) => `.${name}`).join("");
}

function spellPipe({ variables, assigns, commands }: Pipe): string {
  const declared = variables.length === 0 ? "" : `${variables.join(", ")} ${assigns ? "=" : ":="} `;
  return declared + commands.map(spellPart).join(" | ");
}
