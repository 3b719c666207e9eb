import type { ParseArgsConfig } from 'node:util'
import type { Host } from '../host.ts'
import type { DeltaTable, SnapshotRequest } from '../table.ts'
import type { Output } from './output.ts'

/** An option of a command, as `node:util` parses it, with what the help says of it. */
export type CommandOption = NonNullable<ParseArgsConfig['options']>[string] & {
  /** Placeholder of the value in the help, for instance `N`. */
  readonly value?: string
  readonly help: string
}

/** The words of a command line after the command's name. */
export interface Given {
  readonly table: string
  /** Further words, for instance the query of `sql`. */
  readonly rest: readonly string[]
  readonly text: (name: string) => string | undefined
  readonly flag: (name: string) => boolean
  readonly list: (name: string) => readonly string[]
}

/** What a command works with. */
export interface CommandContext {
  readonly given: Given
  readonly output: Output
  readonly host: Host
  readonly openTable: () => Promise<DeltaTable>
  /** The version that `--version` or `--timestamp` asks for. */
  readonly at: SnapshotRequest
}

/** A command of the command line. */
export interface Command {
  readonly name: string
  /** The words after the name, for instance `TABLE "SELECT ..."`. */
  readonly words: string
  readonly summary: string
  /** Lines that follow the summary in the command's own help. */
  readonly details?: readonly string[]
  /** True if `--version` and `--timestamp` make sense. */
  readonly travels: boolean
  readonly options: Readonly<Record<string, CommandOption>>
  /** How many words it takes after TABLE. */
  readonly wordCount: number
  /** @returns exit code: 0, or 1 if it found something wrong */
  readonly run: (context: CommandContext) => Promise<number>
}

/** A command line that makes no sense. Ends with exit code 2. */
export class UsageError extends Error {}
