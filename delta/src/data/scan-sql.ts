import { join } from 'node:path'
import type { AddFile } from '../log/actions.ts'
import type { MappingMode } from '../schema/column-mapping.ts'
import { fieldId, physicalName, physicalType } from '../schema/column-mapping.ts'
import { toDuckDbType } from '../schema/duckdb-types.ts'
import type { DeltaField } from '../schema/schema.ts'
import { holds } from '../schema/schema.ts'
import { decodeLogPath, isAbsolutePath } from './file-path.ts'
import { partitionCast, partitionListCast, partitionText } from './partition-literal.ts'
import { renamedValue } from './renamed-value.ts'
import type { RowChoice } from './row-choice.ts'
import { rowCondition, rowConditionOfFiles } from './row-choice.ts'
import { sqlName, sqlPathList, sqlText } from './sql-text.ts'

/** The columns a scan gives, and how to find them. */
export interface ScanColumns {
  /** Absolute path of the table's folder. */
  readonly root: string
  readonly mode: MappingMode
  readonly fields: readonly DeltaField[]
  /** Names of the partition columns, as in the schema. */
  readonly partitionColumns: readonly string[]
  /** Any data column, read where `fields` has none. */
  readonly anyDataField?: DeltaField
  /** Name of a column with the file's `index`. */
  readonly fileColumn?: string
}

/** A file to scan. */
export interface ScanFile {
  readonly file: AddFile
  /** What the file column says in its rows. */
  readonly index: number
  /** Default: all rows. */
  readonly choice?: RowChoice
}

/** Names the engine has of its own inside a scan. */
const engineNames: ReadonlySet<string> = new Set(['file_index', 'file_row_number', 'filename'])

/** Absolute path, or URI, of a data file. */
export function dataFilePath(root: string, file: AddFile): string {
  const path = decodeLogPath(file.path, root)
  return isAbsolutePath(path) ? path : join(root, path)
}

/** SELECT over files that share their partition values, read whole. */
export function scanOfPartition(columns: ScanColumns, files: readonly ScanFile[]): string {
  const first = files[0]
  const textOf = (field: DeltaField) =>
    first === undefined ? 'NULL' : valueText(columns, field, first.file)
  const indexSql = files.length === 1 ? String(first?.index ?? 0) : indexOfFiles(files)
  return select(columns, files, (field) => partitionCast(textOf(field), field.type), indexSql)
}

/** SELECT over one file of which only some rows count. */
export function scanOfChoice(columns: ScanColumns, file: ScanFile): string {
  const sql = scanOfPartition(columns, [file])
  return file.choice === undefined ? sql : `${sql} WHERE ${rowCondition(file.choice)}`
}

/**
 * SELECT over files of any partitions: each row looks its values up by the number of its file.
 * @param deleted rows to leave out, by position in `files`
 */
export function scanOfMany(
  columns: ScanColumns,
  files: readonly ScanFile[],
  deleted?: readonly Float64Array[],
): string {
  const partitionSql = (field: DeltaField) => {
    const values = files.map(({ file }) => valueText(columns, field, file))
    return ofFile(partitionListCast(values, field.type))
  }
  const sql = select(columns, files, partitionSql, indexOfFiles(files))
  return deleted === undefined ? sql : `${sql} WHERE ${rowConditionOfFiles(deleted)}`
}

function select(
  columns: ScanColumns,
  files: readonly ScanFile[],
  partitionSql: (field: DeltaField) => string,
  indexSql: string,
): string {
  const { fields, partitionColumns, mode, fileColumn, root } = columns
  const expressions = fields.map((field) => {
    const sql = partitionColumns.includes(field.name)
      ? partitionSql(field)
      : renamedValue(sqlName(scanName(field, mode)), field.type, mode)
    return `${sql} AS ${sqlName(field.name)}`
  })
  if (fileColumn !== undefined) {
    expressions.push(`CAST(${indexSql} AS BIGINT) AS ${sqlName(fileColumn)}`)
  }
  const paths = files.map(({ file }) => dataFilePath(root, file))
  const settings = ['hive_partitioning=false', ...schemaSettings(columns)]
  const rowCount = knownRowCount(files)
  if (rowCount !== undefined) settings.push(`explicit_cardinality=${rowCount}`)
  return `SELECT ${expressions.join(', ')} FROM read_parquet(${sqlPathList(paths)}, ${settings.join(', ')})`
}

/**
 * The explicit schema fills in columns that a file lacks, widens types, and finds columns by number
 * in mode `id`. With it the engine opens no file before the query runs, and so knows no row count.
 */
function schemaSettings(columns: ScanColumns): readonly string[] {
  const { mode, fields, partitionColumns, anyDataField, root } = columns
  const wanted = fields.filter((field) => !partitionColumns.includes(field.name))
  if (wanted.length === 0 && anyDataField !== undefined) wanted.push(anyDataField)
  if (wanted.length === 0) return []
  const entries = wanted.map((field) => {
    const key = mode === 'id' ? String(fieldId(field, root)) : sqlText(physicalName(field, mode))
    const type = sqlText(toDuckDbType(physicalType(field.type, mode)))
    return `${key}: {name: ${sqlText(scanName(field, mode))}, type: ${type}, default_value: NULL}`
  })
  // Some writers do not mark text as such; without this it would come out as escaped bytes.
  const isText = !wanted.some(({ type }) => holds(type, 'binary'))
  return [`schema=MAP {${entries.join(', ')}}`, ...(isText ? ['binary_as_string=true'] : [])]
}

/** Name of a data column inside the scan: its physical one, out of the way of the engine's own. */
function scanName(field: DeltaField, mode: MappingMode): string {
  const name = physicalName(field, mode)
  return engineNames.has(name.toLowerCase()) ? `column ${name}` : name
}

function valueText(columns: ScanColumns, field: DeltaField, file: AddFile): string {
  const value = file.partitionValues[physicalName(field, columns.mode)] ?? null
  const where = `file ${file.path}, column ${field.name}`
  return partitionText(value, field.type, { table: columns.root, where })
}

function indexOfFiles(files: readonly ScanFile[]): string {
  const start = files[0]?.index ?? 0
  const isRun = files.every(({ index }, position) => index === start + position)
  return isRun
    ? `file_index::BIGINT + ${start}`
    : ofFile(`[${files.map((f) => f.index).join(', ')}]`)
}

/** The element of a list for the row's file. */
function ofFile(list: string): string {
  return `(${list})[(file_index + 1)::BIGINT]`
}

const rowCountForm = /"numRecords"\s*:\s*(\d{1,15})\b/

/**
 * Sum of the row counts in the statistics, for the query planner alone: no row is lost where it is
 * wrong. Without a count for every file the planner does as it likes.
 */
function knownRowCount(files: readonly ScanFile[]): number | undefined {
  let total = 0
  for (const { file, choice } of files) {
    const count = rowCountForm.exec(file.stats ?? '')?.[1]
    if (count === undefined) return undefined
    const chosen = choice?.rows.length ?? 0
    total += choice?.kind === 'only' ? chosen : Math.max(0, Number(count) - chosen)
  }
  return total
}
