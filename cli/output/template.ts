// Templates: what `--format` asks for.
//
// The rules here are the original's own, around Go's text/template.

import { functions } from "./template/functions.ts";
import { evaluateTemplate, type EvaluationResult } from "./template/evaluator.ts";
import { anyType, type GoValue, sliceOf } from "./template/go-type.ts";
import { parseTemplates } from "./template/parser.ts";
import type { Templates } from "./template/syntax.ts";
import { alignColumns } from "./template/table.ts";
import { Failure } from "../../core/failure.ts";

/** A format, and what it is to show. */
export interface FormatRequest {
  readonly format: string;
  /** What errors call the template: the command as it was typed. */
  readonly name: string;
  readonly value: GoValue;
}

/** Tells whether a format asks for the JSON that there is without any format. */
export function asksForJson(format: string): boolean {
  return /^\s*(?:json|\{\{\s*json\.?\s*\}\})\s*$/.test(format);
}

/**
 * Shows a value as a format wants it.
 *
 * What a template writes before it fails belongs to the result, beside the failure. Fails with `usage`
 * if the format is no template.
 */
export function renderFormat({ format, name, value }: FormatRequest): EvaluationResult {
  const isTable = format.startsWith("table ");
  const wanted = isTable ? format.slice("table ".length).replaceAll(" ", "\t") : format;
  const { text, templates } = parseFormat(wanted, name);
  const data: GoValue = { kind: "slice", type: sliceOf(anyType), items: [value] };
  const result = evaluateTemplate({ templates, name, text, functions, data });
  return isTable ? { ...result, output: alignColumns(result.output) } : result;
}

interface ParsedFormat {
  readonly text: string;
  readonly templates: Templates;
}

function parseFormat(format: string, name: string): ParsedFormat {
  const known = new Set(functions.keys());
  const parse = (text: string): ParsedFormat => {
    return { text, templates: parseTemplates({ text, name, functions: known }) };
  };
  try {
    return parse(forEach(withNewline(unescaped(format))));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // A tab or newline that was meant for a string literal is an error outside of one.
    return parse(forEach(format));
  }
}

function unescaped(format: string): string {
  return format.replaceAll("\\t", "\t").replaceAll("\\n", "\n");
}

function withNewline(format: string): string {
  return format.endsWith("\n") ? format : `${format}\n`;
}

/** The data is a list of one; who does not go through it has it done. */
function forEach(format: string): string {
  const goesThrough = /\{\{\s*range\s*\.\s*\}\}.*\{\{\s*end\s*-?\}\}/s.test(format);
  return goesThrough ? format : `{{range .}}${format}{{end -}}`;
}
