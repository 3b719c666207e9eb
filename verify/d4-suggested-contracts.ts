import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { checkRows, readOdcs } from 'isotherm/data-contracts'
import type { Promised } from './promise.ts'
import { isotherm, temporaryFolder } from './system.ts'

const dataFolder = join(import.meta.dirname, '..', '..', 'shared', 'data')

/** A public set with a clean stretch to learn from and the next clean stretch. */
type PublicSet = {
  readonly file: string
  readonly learn: readonly [from: string, days: number]
  readonly next: readonly [from: string, until: string]
  readonly time: string
  readonly timeFormat?: string
  /** Column that faults are injected into. */
  readonly column: string
}

const sets: readonly PublicSet[] = [
  {
    file: 'nab-sample/art_daily_small_noise.csv',
    learn: ['2014-04-01', 7],
    next: ['2014-04-08', '2014-04-15'],
    time: 'timestamp',
    column: 'value',
  },
  {
    // Office temperature; labelled anomalies begin in December.
    file: 'nab-sample/ambient_temperature_system_failure.csv',
    learn: ['2013-07-04', 7],
    next: ['2013-07-11', '2013-07-18'],
    time: 'timestamp',
    column: 'value',
  },
  {
    // Of its eleven days four are without an imposed fault: two to learn from, two to hold.
    file: 'lbnl-ahu-szvav/SZVAV.csv',
    learn: ['2017-09-20', 2],
    next: ['2017-09-23', '2017-09-25'],
    time: 'Datetime',
    timeFormat: '%m/%d/%Y %H:%M',
    column: 'AHU: Return Air Temperature',
  },
]

type Rows = readonly (readonly string[])[]

/** A fault made in rows of text; `column` and `time` are places in a row. */
type Fault = {
  readonly name: string
  /** The rule that must speak. */
  readonly rule: string
  readonly make: (header: readonly string[], rows: Rows, column: number) => readonly [Rows, Rows]
}

function changed(rows: Rows, column: number, of: (value: string, row: number) => string): Rows {
  return rows.map((row, i) => row.map((cell, place) => (place === column ? of(cell, i) : cell)))
}

function columnFault(
  name: string,
  rule: string,
  of: (value: string, row: number, rowCount: number) => string,
): Fault {
  return {
    name,
    rule,
    make: (header, rows, column) => [
      [header],
      changed(rows, column, (value, row) => of(value, row, rows.length)),
    ],
  }
}

const middle = (rows: Rows) => Math.floor(rows.length / 2)

const faults: readonly Fault[] = [
  columnFault('a spike', 'range', (value, row) => (row === 100 ? '9999' : value)),
  columnFault('kelvin for degrees', 'range', (value) => String(Number(value) + 273.15)),
  columnFault('a thousand times too large', 'range', (value) => String(Number(value) * 1000)),
  columnFault('words for a number', 'unreadable', (value, row) => (row === 100 ? 'ERR' : value)),
  columnFault('not a number', 'not-finite', (value, row) => (row === 100 ? 'nan' : value)),
  columnFault('a burst of nulls', 'null-fraction', (value, row, count) =>
    row > count * 0.8 ? '' : value,
  ),
  {
    name: 'a column gone',
    rule: 'column-missing',
    make: (header, rows, column) => {
      const without = (row: readonly string[]) => row.filter((_, place) => place !== column)
      return [[without(header)], rows.map(without)]
    },
  },
  {
    name: 'a column under another name',
    rule: 'column-missing',
    make: (header, rows, column) => [
      [header.map((name, place) => (place === column ? `${name} new` : name))],
      rows,
    ],
  },
  {
    name: 'a row twice',
    rule: 'key',
    make: (header, rows) => [[header], [...rows, ...rows.slice(100, 101)]],
  },
  {
    name: 'every third row only',
    rule: 'cadence',
    make: (header, rows) => [[header], rows.filter((_, row) => row % 3 === 0)],
  },
  {
    name: 'a pause of thirty rows',
    rule: 'gap',
    make: (header, rows) => [
      [header],
      rows.filter((_, row) => row < middle(rows) || row > middle(rows) + 30),
    ],
  },
]

/** Milliseconds of `2014-04-08 00:05:00` or `9/23/2017 0:05`, both without a zone: UTC. */
function instantOf(text: string): number {
  const us = /^(\d+)\/(\d+)\/(\d+) (\d+):(\d+)$/.exec(text)
  if (us === null) return Date.parse(`${text.replace(' ', 'T')}Z`)
  const [, month, day, year, hour, minute] = us.map(Number)
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute)
}

/** Header and the rows of the next stretch, as the file has them. */
function nextRows({ file, next, time }: PublicSet): readonly [readonly string[], Rows] {
  const [head = '', ...lines] = readFileSync(join(dataFolder, file), 'utf8').trim().split(/\r?\n/)
  const header = head.split(',')
  const place = header.indexOf(time)
  const [from, until] = next.map((text) => Date.parse(`${text}T00:00:00Z`))
  const rows = lines
    .map((line) => line.split(','))
    .filter((row) => {
      const at = instantOf(row[place] ?? '')
      return at >= (from ?? 0) && at < (until ?? 0)
    })
  return [header, rows]
}

/** Learns one set's contract and holds the next stretch and its spoiled copies against it. */
async function judge(set: PublicSet, folder: string, faulty: string[]): Promise<number> {
  const contract = join(folder, 'learned.odcs.yaml')
  const format = set.timeFormat === undefined ? [] : ['--time-format', set.timeFormat]
  const [from, days] = set.learn
  const source = join(dataFolder, set.file)
  const learned = await isotherm(
    ...['contracts', 'suggest', source, '--to', contract],
    ...['--from', from, '--days', String(days), ...format],
  )
  if (learned.code !== 0) throw new Error(`${set.file}: suggest failed: ${learned.errors}`)
  const check = async (rows: string) =>
    isotherm('contracts', 'check', contract, '--rows', rows, '--json', ...format)

  const [header, clean] = nextRows(set)
  const stretch = join(folder, 'next.csv')
  const write = (head: Rows, rows: Rows) =>
    writeFileSync(stretch, [...head, ...rows].map((row) => row.join(',')).join('\n'))
  write([header], clean)
  const accepted = await check(stretch)
  if (accepted.code !== 0) {
    faulty.push(`${set.file}: the next clean stretch is refused: ${accepted.output}`)
  }
  const spike = faults[0]
  if (spike === undefined) throw new Error('there is no fault')
  write(...spike.make(header, clean, header.indexOf(set.column)))
  const refused = await check(stretch)
  if (refused.code !== 1) faulty.push(`${set.file}: a spike is accepted: ${refused.output}`)
  // The other faults go past the command line: a process each would take most of the time.
  const [known] = readOdcs(readFileSync(contract, 'utf8')).contracts
  if (known === undefined) throw new Error('the file holds no contract')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  let refusedCount = 0
  for (const { name, rule, make } of faults) {
    write(...make(header, clean, header.indexOf(set.column)))
    const timeFormat = set.timeFormat === undefined ? '' : `, timestampformat = '${set.timeFormat}'`
    const relation = `read_csv('${stretch}', sample_size = -1${timeFormat})`
    const { isAccepted, violations } = await checkRows(connection, known, relation)
    const isNamed = violations.some((one) => one.severity === 'FAIL' && one.rule === rule)
    if (!isAccepted && isNamed) refusedCount += 1
    else faulty.push(`${set.file}: ${name}: ${JSON.stringify(violations)}`)
  }
  connection.closeSync()
  instance.closeSync()
  return refusedCount
}

export const promised: Promised = {
  id: 'D4',
  title:
    'a contract suggested from clean public data accepts the next clean stretch, refuses faults',
  unit: 'wrong verdicts',
  bar: '0 over 3 public sets, each with its next clean stretch and 11 injected faults',
  // The public data is not part of the repository.
  quick: false,
  limitSeconds: 300,
  run: async (report) => {
    const missing = sets.find(({ file }) => !existsSync(join(dataFolder, file)))
    if (missing !== undefined) {
      report(`skipped: the public data folder has no ${missing.file}`)
      return { ok: true, value: 0, detail: { skipped: 'the public data folder is not there' } }
    }
    const folder = temporaryFolder('d4')
    const faulty: string[] = []
    let refusedCount = 0
    try {
      for (const set of sets) {
        const refused = await judge(set, folder.path, faulty)
        report(`${set.file}: ${refused} of ${faults.length} faults refused`)
        refusedCount += refused
      }
      const refused = `${refusedCount} of ${sets.length * faults.length}`
      return {
        ok: faulty.length === 0,
        value: faulty.length,
        detail: { sets: sets.length, refused, faulty: faulty.slice(0, 5) },
      }
    } finally {
      folder.remove()
    }
  },
}
