// Completions: scripts that let a shell finish words of our command line.

import type { Flag } from "./flags/flag.ts";
import { plainHelp, type Vocabulary } from "./help.ts";
import type { Program } from "./program.ts";

/** What a completion script is made from. */
export interface CompletionWords extends Vocabulary {
  readonly program: Program;
  /** How image names begin. */
  readonly images: readonly string[];
}

/** The shells we know, and how each is taught. */
export const completions: Readonly<Record<string, (words: CompletionWords) => string>> = {
  bash,
  fish,
  zsh,
};

/** Commands whose operands are image names. */
const imageCommands = ["copy", "delete", "inspect", "list-tags"];

function bash(words: CompletionWords): string {
  const { program, commands, images } = words;
  const names = commands.map(({ name }) => name).join(" ");
  return `# bash completion for ${program}
_${program}() {
  local word=\${COMP_WORDS[COMP_CWORD]} at=$COMP_CWORD command="" each
  # bash takes docker:// for three words, and replaces the last of them.
  while [[ at -gt 1 && ( \${COMP_WORDS[at]} == : || \${COMP_WORDS[at-1]} == : ) ]]; do
    word=\${COMP_WORDS[--at]}$word
  done
  for each in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case " ${names} " in *" $each "*) command=$each; break ;; esac
  done
  case "$command:$word" in
${flagCases(words, (flags) => `COMPREPLY=($(compgen -W "${flags}" -- "$word"))`)}
    :*) COMPREPLY=($(compgen -W "${names}" -- "$word")) ;;
    help:*) COMPREPLY=($(compgen -W "${names}" -- "$word")) ;;
    ${imageCommands.map((name) => `${name}:*`).join(" | ")})
      COMPREPLY=($(compgen -W "${images.join(" ")}" -- "$word"))
      [[ \${#COMPREPLY[@]} -gt 0 ]] && compopt -o nospace ;;
  esac
  [[ at -lt COMP_CWORD ]] && COMPREPLY=("\${COMPREPLY[@]#\${word%\${word##*:}}}")
  return 0
}
complete -o default -F _${program} ${program}
`;
}

function zsh(words: CompletionWords): string {
  const { program, commands, images } = words;
  const names = commands.map(({ name }) => name).join(" ");
  return `#compdef ${program}
_${program}() {
  local word=$words[CURRENT] command="" each
  for each in "\${(@)words[2,CURRENT-1]}"; do
    case " ${names} " in *" $each "*) command=$each; break ;; esac
  done
  case "$command:$word" in
${flagCases(words, (flags) => `compadd -- ${flags}`)}
    :*) compadd -- ${names} ;;
    help:*) compadd -- ${names} ;;
    ${imageCommands.map((name) => `${name}:*`).join(" | ")})
      compadd -S "" -- ${images.join(" ")}
      compset -P "*:"; _files ;;
    *) _files ;;
  esac
}
if [[ $funcstack[1] == _${program} ]]; then _${program} "$@"; else compdef _${program} ${program}; fi
`;
}

/** The branches of a \`case\` over "command:word" that offer flags. */
function flagCases(words: CompletionWords, offer: (flags: string) => string): string {
  const spelled = (flags: readonly Flag<unknown>[]) =>
    [...flags, ...words.globals].map(({ name }) => `--${name}`).join(" ");
  return [
    ...words.commands.map(({ name, flags }) => `    ${name}:-*) ${offer(spelled(flags))} ;;`),
    `    :-*) ${offer(`${spelled([])} --help --version`)} ;;`,
  ].join("\n");
}

function fish({ program, commands, globals, images }: CompletionWords): string {
  const line = (...parts: string[]) => `complete -c ${program} ${parts.join(" ")}`;
  const flag = (each: Flag<unknown>) => [
    ...(each.shorthand === undefined ? [] : [`-s ${each.shorthand}`]),
    `-l ${each.name}`,
    ...(each.bare === undefined ? ["-r"] : []),
    `-d ${inQuotes(plainHelp(each))}`,
  ];
  const within = (names: readonly string[]) =>
    `-n ${inQuotes(`__fish_seen_subcommand_from ${names.join(" ")}`)}`;
  return [
    `# fish completion for ${program}`,
    ...commands.map(({ name, summary }) =>
      line("-f", "-n __fish_use_subcommand", `-a ${name}`, `-d ${inQuotes(summary)}`),
    ),
    ...globals.map((each) => line(...flag(each))),
    ...commands.flatMap(({ name, flags }) =>
      flags.map((each) => line(within([name]), ...flag(each))),
    ),
    line(within(imageCommands), `-a ${inQuotes(images.join(" "))}`),
    line("-f", within(["help"]), `-a ${inQuotes(commands.map(({ name }) => name).join(" "))}`),
    "",
  ].join("\n");
}

/** As fish reads it. */
function inQuotes(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
