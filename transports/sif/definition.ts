// Definition: the file that a Singularity image was built by, as far as it says what is to be run.

/**
 * Returns the script that does what the definition says, or undefined if it says nothing.
 *
 * It sets the environment first. Lines lose the blanks around them, as in the original.
 */
export function runScriptOf(definition: string): string | undefined {
  const environment: string[] = [];
  const script: string[] = [];
  let section = "";
  for (const line of linesOf(definition)) {
    if (line.startsWith("%")) section = line;
    else if (section === "%runscript") script.push(line);
    else if (section === "%environment" && !/^(?:#.*)?$/.test(line)) environment.push(line);
  }
  if (environment.length === 0 && script.length === 0) return undefined;
  return `#!/bin/bash\n${environment.join("\n")}\n${script.join("\n")}\n`;
}

function linesOf(text: string): readonly string[] {
  return text
    .replace(/\r?\n$/, "")
    .split("\n")
    .map((line) => line.trim());
}
