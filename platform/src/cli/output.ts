import { VersionNotAvailable } from '@isotherm/delta'
import { IsothermError } from '../contracts/index.ts'

/** Where a command writes: results to standard output, progress and errors to standard error. */
export type Output = {
  /** `--json`: one JSON document, no tables, no progress. */
  readonly isJson: boolean
  readonly line: (text: string) => void
  /** Prints records as a table for people or as JSON. */
  readonly records: (records: readonly Readonly<Record<string, unknown>>[]) => void
  /** One line that is rewritten in a terminal; silent elsewhere and with `--json`. */
  readonly progress: (text: string) => void
  readonly progressDone: () => void
}

const widestCell = 60

function cellText(value: unknown): string {
  if (value === null || value === undefined) return '-'
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Number(value.toFixed(4)))
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return text.length > widestCell ? `${text.slice(0, widestCell - 1)}…` : text
}

/** Lines of a plain table with aligned columns. */
export function tableLines(
  records: readonly Readonly<Record<string, unknown>>[],
): readonly string[] {
  const first = records[0]
  if (first === undefined) return ['(nothing)']
  const names = Object.keys(first)
  const cells = [names, ...records.map((record) => names.map((name) => cellText(record[name])))]
  const widths = names.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const isNumeric = names.map((name) =>
    records.every((record) => typeof record[name] === 'number' || record[name] == null),
  )
  const rule = widths.map((width) => '─'.repeat(width)).join('  ')
  const lines = cells.map((row) =>
    row
      .map((cell, column) =>
        isNumeric[column] === true
          ? cell.padStart(widths[column] ?? 0)
          : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
  return [lines[0] ?? '', rule, ...lines.slice(1)]
}

/** Output of a command; `isJson` decides its shape. */
export function openOutput(isJson: boolean): Output {
  const showsProgress = !isJson && process.stderr.isTTY === true
  let hasProgress = false
  const clear = () => {
    if (hasProgress) process.stderr.write('\r\u001b[2K')
    hasProgress = false
  }
  return {
    isJson,
    line: (text) => {
      clear()
      if (!isJson) process.stdout.write(`${text}\n`)
    },
    records: (records) => {
      clear()
      process.stdout.write(
        isJson ? `${JSON.stringify(records, jsonValue)}\n` : `${tableLines(records).join('\n')}\n`,
      )
    },
    progress: (text) => {
      if (!showsProgress) return
      process.stderr.write(`\r\u001b[2K${text}`)
      hasProgress = true
    },
    progressDone: clear,
  }
}

function jsonValue(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

/** Wrong usage ends with 2, everything else that failed with 1. */
export function exitCodeOf(error: unknown): 1 | 2 {
  const usage = ['INPUT_INVALID', 'NOT_FOUND', 'TABLE_UNKNOWN', 'FLEET_INVALID']
  const isUsage =
    (error instanceof IsothermError && usage.includes(error.code)) ||
    // AS OF a version or time that the table never had.
    error instanceof VersionNotAvailable
  return isUsage ? 2 : 1
}

/** What a person sees of an error: the sentence, and the stack only when it is a bug. */
export function errorText(error: unknown): string {
  if (error instanceof IsothermError) return error.message
  if (error instanceof Error) {
    const known = 'code' in error && typeof error.code === 'string'
    return known || process.env.ISOTHERM_DEBUG === undefined
      ? error.message
      : (error.stack ?? error.message)
  }
  return String(error)
}
