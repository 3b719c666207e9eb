/** A value of a table's cell. */
export type Cell = string | number | bigint | boolean | null | undefined

/** A line of a table: cells by column. */
export type Line = Readonly<Record<string, Cell>>

/** Where a command writes: results to standard output; progress and errors to standard error. */
export interface Output {
  /** `--json`: one JSON document per line, no tables, no progress. */
  readonly isJson: boolean
  /** A line of text for people; nothing with `--json`. */
  readonly text: (text: string) => void
  /** A document for programs; nothing without `--json`. */
  readonly json: (value: unknown) => void
  /** A table for people; nothing with `--json`. */
  readonly table: (lines: readonly Line[]) => void
  /** One line that is rewritten in a terminal; nothing elsewhere and with `--json`. */
  readonly progress: (text: string) => void
}

const widestCell = 100

/** Output to the process's streams. */
export function openOutput(isJson: boolean): Output {
  const showsProgress = !isJson && process.stderr.isTTY === true
  let hasProgress = false
  const clear = () => {
    if (hasProgress) process.stderr.write('\r\u001b[2K')
    hasProgress = false
  }
  const write = (text: string) => {
    clear()
    process.stdout.write(text)
  }
  return {
    isJson,
    text: (text) => {
      if (!isJson) write(`${text}\n`)
    },
    json: (value) => {
      if (isJson) write(`${jsonText(value)}\n`)
    },
    table: (lines) => {
      if (!isJson) write(`${tableLines(lines).join('\n')}\n`)
    },
    progress: (text) => {
      if (!showsProgress) return
      process.stderr.write(`\r\u001b[2K${text}`)
      hasProgress = true
    },
  }
}

/** JSON text; maps become objects, whole numbers past 2^53 text, bytes base64. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'bigint') {
      return part >= -(2n ** 53n) && part <= 2n ** 53n ? Number(part) : String(part)
    }
    if (typeof part === 'number' && !Number.isFinite(part)) return String(part)
    if (part instanceof Map) return Object.fromEntries(part)
    if (part instanceof Uint8Array) return Buffer.from(part).toString('base64')
    return part
  })
}

/** Lines of a plain table with aligned columns; long cells are cut. */
export function tableLines(lines: readonly Line[]): readonly string[] {
  const [first] = lines
  if (first === undefined) return ['(nothing)']
  const names = Object.keys(first)
  const cells = lines.map((line) => names.map((name) => cellText(line[name])))
  const widths = names.map((name, column) =>
    cells.reduce((widest, row) => Math.max(widest, (row[column] ?? '').length), name.length),
  )
  const isNumber = names.map((name) =>
    lines.every((line) => line[name] == null || /^(number|bigint)$/.test(typeof line[name])),
  )
  const aligned = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        isNumber[column] === true
          ? cell.padStart(widths[column] ?? 0)
          : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd()
  const rule = widths.map((width) => '─'.repeat(width)).join('  ')
  return [aligned(names), rule, ...cells.map(aligned)]
}

function cellText(value: Cell): string {
  if (value === null || value === undefined) return '-'
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Number(value.toFixed(6)))
  // Control characters would tear the table apart, or steer the terminal.
  const text = String(value).replaceAll(/\p{C}/gu, '·')
  return text.length > widestCell ? `${text.slice(0, widestCell - 1)}…` : text
}

/** `81.2 kB`: bytes for people. */
export function sizeText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

/** `2026-11-20T10:00:00.000Z` */
export function timeText(ms: number | undefined): string {
  return ms === undefined || Number.isNaN(new Date(ms).getTime()) ? '-' : new Date(ms).toISOString()
}
