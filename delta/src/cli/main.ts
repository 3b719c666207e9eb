// The command line: `npx @isotherm/delta COMMAND TABLE`. Results go to standard output, progress and
// errors to standard error; ends with 0 (done), 1 (failed or something wrong found) or 2 (usage).
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { DeltaError } from '../errors.ts'
import { systemHost } from '../host.ts'
import { openTable } from '../open-table.ts'
import { folderStore } from '../store/folder-store.ts'
import type { Command, Given } from './command.ts'
import { UsageError } from './command.ts'
import { commands } from './commands/index.ts'
import { commandHelp, generalHelp, travelOptions } from './help.ts'
import { requestedVersion } from './option-values.ts'
import { jsonText, openOutput } from './output.ts'

const universalOptions = {
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

function packageVersion(): string {
  const require = createRequire(import.meta.url)
  for (const path of ['../../package.json', '../package.json']) {
    try {
      const found = require(path) as { readonly name?: string; readonly version?: string }
      if (found.name === '@isotherm/delta') return found.version ?? ''
    } catch (cause) {
      // The built package has its package.json one folder nearer than the sources have.
      if (!(cause instanceof Error && 'code' in cause && cause.code === 'MODULE_NOT_FOUND')) {
        throw cause
      }
    }
  }
  return 'unknown'
}

function parse(command: Command, words: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries({
      ...command.options,
      ...(command.travels ? travelOptions : {}),
      ...universalOptions,
    }).map(([name, option]) => [
      name,
      {
        type: option.type,
        ...('multiple' in option && option.multiple === true ? { multiple: true } : {}),
        ...('short' in option && option.short !== undefined ? { short: option.short } : {}),
      },
    ]),
  )
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true })
  } catch (cause) {
    // What parseArgs throws is written for people: it names the option it does not know.
    throw new UsageError(cause instanceof Error ? cause.message : String(cause))
  }
}

async function runCommand(command: Command, words: readonly string[]): Promise<number> {
  const { values, positionals } = parse(command, words)
  if (values.help === true) {
    process.stdout.write(commandHelp(command))
    return 0
  }
  const [table, ...rest] = positionals
  if (table === undefined) throw new UsageError(`${command.name} needs TABLE, the table's folder`)
  if (rest.length !== command.wordCount) {
    throw new UsageError(`usage: ${command.name} ${command.words}`)
  }
  const text = (name: string) => {
    const value = values[name]
    return typeof value === 'string' ? value : undefined
  }
  const given: Given = {
    table,
    rest,
    text,
    flag: (name) => values[name] === true,
    list: (name) => {
      const value = values[name]
      const parts: readonly unknown[] = Array.isArray(value) ? value : []
      return parts.filter((part) => typeof part === 'string')
    },
  }
  return await command.run({
    given,
    output: openOutput(values.json === true),
    host: systemHost,
    openTable: () => openTable(folderStore(resolve(table))),
    at: command.travels ? requestedVersion(text('version'), text('timestamp')) : {},
  })
}

async function main(words: readonly string[]): Promise<number> {
  const [name, ...rest] = words
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const about = commands.find((command) => command.name === rest[0])
    process.stdout.write(about === undefined ? generalHelp(commands) : commandHelp(about))
    return name === undefined ? 2 : 0
  }
  if (name === '--version') {
    process.stdout.write(`${packageVersion()}\n`)
    return 0
  }
  const command = commands.find((candidate) => candidate.name === name)
  if (command === undefined) {
    const known = commands.map((candidate) => candidate.name).join(', ')
    throw new UsageError(`no command ${name}; there are ${known}`)
  }
  return await runCommand(command, rest)
}

function failed(cause: unknown, isJson: boolean): number {
  if (cause instanceof UsageError) {
    process.stderr.write(`${cause.message}\nSee --help.\n`)
    return 2
  }
  const message = cause instanceof Error ? cause.message : String(cause)
  const code = cause instanceof DeltaError ? cause.code : 'ERROR'
  const text = isJson ? jsonText({ error: { code, message } }) : `${code}: ${message}`
  process.stderr.write(`${text}\n`)
  return 1
}

// A reader that closes the pipe early, such as `head`, has all it wants.
process.stdout.on('error', (cause: Error & { readonly code?: string }) => {
  if (cause.code === 'EPIPE') process.exit(0)
  throw cause
})
const words = process.argv.slice(2)
try {
  process.exitCode = await main(words)
} catch (cause) {
  process.exitCode = failed(cause, words.includes('--json'))
}
