// Sources: the project's own files, as the house rules look at them.

import { readFileSync } from "node:fs";
import { posix } from "node:path";

import { codeOf } from "./source-text.ts";

/** One file, and what it imports. */
export interface Source {
  /** From the root of the project, with slashes. */
  readonly path: string;
  readonly text: string;
  /** The text without comments and without the contents of strings, character for character. */
  readonly code: string;
  readonly imports: readonly Import[];
}

/** One import: of values or types, at the top or inside a function, or an export from elsewhere. */
export interface Import {
  /** A path from the root of the project, or the name of a package. */
  readonly target: string;
  readonly isPackage: boolean;
  readonly line: number;
}

/** Reads all TypeScript files below some folders of the project. */
export function readSources(root: string, folders: readonly string[]): readonly Source[] {
  const found = new Bun.Glob(`{${folders.join(",")}}/**/*.ts`).scanSync({ cwd: root });
  return [...found].sort().map((path) => sourceOf(path, readFileSync(`${root}/${path}`, "utf8")));
}

/** Returns a file of this content as the rules look at it. */
export function sourceOf(path: string, text: string): Source {
  const code = codeOf(text);
  const imports = [...code.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)"/g)].map(
    ({ 0: match, index }) => {
      const begin = index + match.length;
      const specifier = text.slice(begin, text.indexOf('"', begin));
      const isPackage = !specifier.startsWith(".");
      return {
        target: isPackage ? specifier : posix.join(posix.dirname(path), specifier),
        isPackage,
        line: lineAt(text, index),
      };
    },
  );
  return { path, text, code, imports };
}

/** Returns the number of the line that holds the character at `index`. */
export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
