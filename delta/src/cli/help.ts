import type { Command, CommandOption } from './command.ts'

const program = 'npx @isotherm/delta'

/** Options of the commands that can look at an older version. */
export const travelOptions: Readonly<Record<string, CommandOption>> = {
  version: { type: 'string', value: 'N', help: 'look at this version (default: the newest)' },
  timestamp: {
    type: 'string',
    value: 'TIME',
    help: 'look at the version of this time, UTC unless it says a zone',
  },
}

/** What the program can do. */
export function generalHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length))
  return [
    'Delta Lake tables in folders: look at them, query them, keep them in order.',
    '',
    `Usage: ${program} COMMAND TABLE [options]`,
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'TABLE is the folder that holds _delta_log. Every command takes --json: one JSON document',
    `per line, errors too. Options of a command: ${program} COMMAND --help`,
    'Exit codes: 0 done; 1 failed, or check found an error; 2 wrong usage.',
    '',
  ].join('\n')
}

/** What one command can do. */
export function commandHelp({ name, words, summary, details = [], ...command }: Command): string {
  const options: Readonly<Record<string, CommandOption>> = {
    ...command.options,
    ...(command.travels ? travelOptions : {}),
    json: { type: 'boolean', help: 'one JSON document per line' },
  }
  const lines = Object.entries(options).map(
    ([option, { value, help }]) =>
      [`--${option}${value === undefined ? '' : ` ${value}`}`, help] as const,
  )
  const width = Math.max(...lines.map(([left]) => left.length))
  return [
    `Usage: ${program} ${name} ${words} [options]`,
    '',
    `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`,
    ...details,
    '',
    ...lines.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`),
    '',
  ].join('\n')
}
