import type { DeltaField, DeltaType } from '@isotherm/delta'
import { field, randomPartitionValue, randomType, randomValue } from './random-values.ts'
import { type Random, seededRandom } from './seeded-random.ts'
import { compareValues, type Row, type Value } from './values.ts'

/** Rows whose value in a column is, or is not less than, a value; `null` stands for IS NULL. */
export type Predicate = {
  readonly column: number
  readonly operator: '=' | '>=' | 'is null'
  readonly value: Value
}

/** One thing that happens to a table. */
export type Step =
  | { readonly kind: 'append' | 'overwrite'; readonly rows: readonly Row[] }
  | { readonly kind: 'delete'; readonly predicate: Predicate }
  /** Rows with a key in column 0: known keys are replaced, new ones added. */
  | { readonly kind: 'upsert'; readonly rows: readonly Row[] }
  | { readonly kind: 'add-column'; readonly field: DeltaField; readonly column: number }
  | { readonly kind: 'rename-column'; readonly column: number; readonly name: string }
  | { readonly kind: 'drop-column'; readonly column: number }
  | { readonly kind: 'widen'; readonly column: number; readonly type: DeltaType }
  | { readonly kind: 'compact' }
  | { readonly kind: 'checkpoint' }

/** What a step leaves behind, worked out here without any engine. */
export type Chapter = {
  readonly step: Step
  readonly fields: readonly DeltaField[]
  readonly rows: readonly Row[]
}

/** A table's life: how it is created, then what happens to it. */
export type Story = {
  readonly seed: number
  readonly name: string
  readonly fields: readonly DeltaField[]
  readonly partitionColumns: readonly string[]
  /** Column 0 is a key without nulls and doubles, so that rows can be upserted. */
  readonly isKeyed: boolean
  readonly chapters: readonly Chapter[]
}

/** What a writer can do, and what the tables for it may hold. */
export type StoryRules = {
  readonly kinds: readonly Step['kind'][]
  /** Types of partition columns; empty for tables without any. */
  readonly partitionTypes: readonly DeltaType[]
  /** Types to take in place of others, at any depth. */
  readonly replaceType?: Readonly<Partial<Record<'timestamp' | 'binary', DeltaType>>>
  /** Partition texts hold no U+0000. */
  readonly plainPartitions?: boolean
  /** Columns are added before the partition columns, not at the end. */
  readonly addsBeforePartitions?: boolean
  /** Give every table a key. */
  readonly isAlwaysKeyed?: boolean
  readonly chapterCount?: number
}

const columnNames = ['id', 'value', 'Select', 'order', 'tEmp_C', '_x', 'a_rather_long_name', 'c7']

/** True if rows fulfil the predicate; null fulfils no comparison. */
export function fulfils(row: Row, { column, operator, value }: Predicate): boolean {
  const found = row[column] ?? null
  if (operator === 'is null') return found === null
  if (found === null) return false
  const order = compareValues(found, value)
  return operator === '=' ? order === 0 : order >= 0
}

/** Types a predicate can name in the SQL of every engine. */
export function isComparable(type: DeltaType): boolean {
  return ['string', 'long', 'integer', 'short', 'byte', 'date'].includes(String(type))
}

/** Texts that stand in the SQL of every engine without escape. */
export function isPlainText(value: Value): boolean {
  return typeof value !== 'string' || !/['"\\\p{C}]/u.test(value)
}

/** The story of a seed. */
export function randomStory(seed: number, name: string, rules: StoryRules): Story {
  const random = seededRandom(seed)
  const isKeyed =
    rules.isAlwaysKeyed === true || (rules.kinds.includes('upsert') && random.chance(0.5))
  const typeFor = () => replaced(randomType(random), rules.replaceType ?? {})
  const data = columnNames
    .slice(0, 1 + random.below(7))
    .map((column, i) => field(column, i === 0 && isKeyed ? 'long' : typeFor()))
  const partitionCount =
    rules.partitionTypes.length === 0 ? 0 : random.pick([0, 0, 0, 1, 1, 1, 2, 2])
  const partitions = Array.from({ length: partitionCount }, (_, i) =>
    field(`part${i}`, random.pick(rules.partitionTypes)),
  )
  const fields = [...data, ...partitions]
  const partitionColumns = partitions.map((partition) => partition.name)
  const writer = { random, rules, partitionColumns, isKeyed, typeFor }
  const chapterCount = rules.chapterCount ?? 1 + random.below(6)
  const chapters = nextChapters(writer, { fields, rows: [] }, 0, chapterCount)
  return { seed, name, fields, partitionColumns, isKeyed, chapters }
}

/** The story with `count` more chapters, which obey other rules. */
export function continuedStory(
  story: Story,
  seed: number,
  rules: StoryRules,
  count: number,
): Story {
  const random = seededRandom(seed)
  const typeFor = () => replaced(randomType(random), rules.replaceType ?? {})
  const { partitionColumns, isKeyed, chapters, fields } = story
  const writer = { random, rules, partitionColumns, isKeyed, typeFor }
  const last = chapters.at(-1) ?? { fields, rows: [] }
  const more = nextChapters(writer, last, chapters.length, count)
  return { ...story, chapters: [...chapters, ...more] }
}

function nextChapters(
  writer: Writer,
  before: Pick<Chapter, 'fields' | 'rows'>,
  index: number,
  count: number,
): readonly Chapter[] {
  const chapters: Chapter[] = []
  let last = before
  for (let i = index; i < index + count; i++) {
    const step = nextStep(writer, last, i)
    const chapter = { step, ...outcome(last, step) }
    chapters.push(chapter)
    last = chapter
  }
  return chapters
}

function replaced(type: DeltaType, by: NonNullable<StoryRules['replaceType']>): DeltaType {
  if (type === 'timestamp' || type === 'binary') return by[type] ?? type
  if (typeof type === 'string' || type.type === 'decimal') return type
  const inner = (one: DeltaType) => replaced(one, by)
  if (type.type === 'array') return { ...type, elementType: inner(type.elementType) }
  if (type.type === 'map') return { ...type, valueType: inner(type.valueType) }
  return { ...type, fields: type.fields.map((one) => ({ ...one, type: inner(one.type) })) }
}

type Writer = {
  readonly random: Random
  readonly rules: StoryRules
  readonly partitionColumns: readonly string[]
  readonly isKeyed: boolean
  readonly typeFor: () => DeltaType
}

function nextStep(writer: Writer, last: Pick<Chapter, 'fields' | 'rows'>, index: number): Step {
  const { random, rules, isKeyed, partitionColumns } = writer
  const possible = rules.kinds.filter((kind) => kind !== 'upsert' || isKeyed)
  // Most tables grow before they shrink.
  const kind = index === 0 || random.chance(0.35) ? 'append' : random.pick(possible)
  switch (kind) {
    case 'append':
    case 'overwrite':
    case 'upsert':
      return { kind, rows: newRows(writer, last.fields, kind === 'append' ? last.rows : []) }
    case 'delete': {
      const predicate = randomPredicate(random, last)
      if (predicate !== undefined) return { kind, predicate }
      return { kind: 'append', rows: newRows(writer, last.fields, last.rows) }
    }
    case 'add-column':
      return {
        kind,
        field: field(`added${index}`, writer.typeFor()),
        column: last.fields.length - (rules.addsBeforePartitions ? partitionColumns.length : 0),
      }
    case 'rename-column':
    case 'drop-column':
    case 'widen':
      return reshapingStep(writer, last.fields, kind, index)
    default:
      return { kind }
  }
}

/** The types that a column may be widened to without its old files being written again. */
const wider: ReadonlyMap<DeltaType, DeltaType> = new Map<DeltaType, DeltaType>([
  ['byte', 'short'],
  ['short', 'integer'],
  ['integer', 'long'],
  ['float', 'double'],
])

/** A change to a column that is neither the key nor a partition column, where there is one. */
function reshapingStep(
  { random, partitionColumns }: Writer,
  fields: readonly DeltaField[],
  kind: 'rename-column' | 'drop-column' | 'widen',
  index: number,
): Step {
  const free = [...fields.keys()].filter(
    (i) => i > 0 && !partitionColumns.includes(fields[i]?.name ?? ''),
  )
  if (kind === 'widen') {
    const column = free.find((i) => wider.has(fields[i]?.type ?? 'void'))
    const type = wider.get(fields[column ?? -1]?.type ?? 'void')
    if (column !== undefined && type !== undefined) return { kind, column, type }
  } else if (free.length > 1) {
    const column = random.pick(free)
    return kind === 'drop-column' ? { kind, column } : { kind, column, name: `renamed${index}` }
  }
  return { kind: 'compact' }
}

function newRows(
  { random, rules, partitionColumns, isKeyed }: Writer,
  fields: readonly DeltaField[],
  known: readonly Row[],
): readonly Row[] {
  const count = random.chance(0.05) ? 3000 : random.pick([1, 2, 5, 20, 60])
  const taken = new Set(known.map((row) => row[0]))
  const nullShares = fields.map(() => random.pick([0, 0, 0.1, 0.5, 1]))
  const rows = Array.from({ length: count }, () =>
    fields.map(({ name, type }, i): Value => {
      if (partitionColumns.includes(name)) {
        const value = randomPartitionValue(random, type)
        const isPlain = rules.plainPartitions !== true || typeof value !== 'string'
        return isPlain ? value : value.replaceAll('\u0000', '0')
      }
      if (i === 0 && isKeyed) return random.between(0n, 199n)
      return random.chance(nullShares[i] ?? 0) ? null : randomValue(random, type)
    }),
  )
  if (!isKeyed) return rows
  return rows.filter((row) => {
    const isNew = !taken.has(row[0])
    taken.add(row[0])
    return isNew
  })
}

/** A predicate that some row fulfils, where a column allows one. */
export function randomPredicate(
  random: Random,
  { fields, rows }: Pick<Chapter, 'fields' | 'rows'>,
): Predicate | undefined {
  if (rows.length === 0) return undefined
  const columns = [...fields.keys()].filter((i) => isComparable(fields[i]?.type ?? 'void'))
  if (columns.length === 0) return undefined
  const column = random.pick(columns)
  const value = random.pick(rows)[column] ?? null
  if (value === null) return { column, operator: 'is null', value: null }
  if (!isPlainText(value)) return undefined
  return { column, operator: random.pick(['=', '>='] as const), value }
}

function outcome(
  { fields, rows }: Pick<Chapter, 'fields' | 'rows'>,
  step: Step,
): Pick<Chapter, 'fields' | 'rows'> {
  switch (step.kind) {
    case 'append':
      return { fields, rows: [...rows, ...step.rows] }
    case 'overwrite':
      return { fields, rows: step.rows }
    case 'delete':
      return { fields, rows: rows.filter((row) => !fulfils(row, step.predicate)) }
    case 'upsert': {
      const keys = new Set(step.rows.map(([key]) => key))
      return { fields, rows: [...rows.filter(([key]) => !keys.has(key)), ...step.rows] }
    }
    case 'add-column':
      return {
        fields: fields.toSpliced(step.column, 0, step.field),
        rows: rows.map((row) => row.toSpliced(step.column, 0, null)),
      }
    case 'rename-column': {
      const { column, name } = step
      return { fields: fields.map((one, i) => (i === column ? { ...one, name } : one)), rows }
    }
    case 'widen': {
      const { column, type } = step
      return { fields: fields.map((one, i) => (i === column ? { ...one, type } : one)), rows }
    }
    case 'drop-column': {
      const { column } = step
      return {
        fields: fields.toSpliced(column, 1),
        rows: rows.map((row) => row.toSpliced(column, 1)),
      }
    }
    case 'compact':
    case 'checkpoint':
      return { fields, rows }
  }
}
