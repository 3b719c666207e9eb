import { LogCorrupt } from '../errors.ts'
import { isRecord } from '../schema/schema.ts'
import type {
  Actions,
  AddFile,
  CommitInfo,
  DeletionVector,
  DomainMetadata,
  Metadata,
  PartitionValues,
  Protocol,
  RemoveFile,
  Transaction,
} from './actions.ts'

/** Where a text comes from, for messages. */
export interface TextOrigin {
  readonly table: string
  /** The file. */
  readonly where: string
}

/** Actions in the order and with the names of the log, one JSON object each. */
export function actionLines(actions: Actions): readonly string[] {
  const { commitInfo, protocol, metadata } = actions
  return [
    ...(commitInfo === undefined ? [] : [JSON.stringify({ commitInfo })]),
    ...(protocol === undefined ? [] : [JSON.stringify({ protocol })]),
    ...(metadata === undefined ? [] : [JSON.stringify({ metaData: metadataJson(metadata) })]),
    ...actions.transactions.map((txn) => JSON.stringify({ txn })),
    ...actions.domains.map((domainMetadata) => JSON.stringify({ domainMetadata })),
    ...actions.removes.map((remove) => JSON.stringify({ remove: removeJson(remove) })),
    ...actions.adds.map((add) => JSON.stringify({ add })),
  ]
}

/**
 * Reads actions from lines of JSON. Unknown actions and keys, blank lines and a missing last newline
 * are accepted; a line that is not JSON, or an action without its required fields, is not.
 * @throws LogCorrupt
 */
export function parseActions(lines: Iterable<string>, origin: TextOrigin): Actions {
  const transactions: Transaction[] = []
  const domains: DomainMetadata[] = []
  const removes: RemoveFile[] = []
  const adds: AddFile[] = []
  const changeFiles: AddFile[] = []
  const sidecars: string[] = []
  const single: { commitInfo?: CommitInfo; protocol?: Protocol; metadata?: Metadata } = {}
  let lineNumber = 0
  for (const line of lines) {
    lineNumber++
    if (line.trim() === '') continue
    const at = { table: origin.table, where: `${origin.where}, line ${lineNumber}` }
    const action = parseLine(line, at)
    if (isRecord(action.add)) adds.push(parseAdd(action.add, at))
    else if (isRecord(action.remove)) removes.push(parseRemove(action.remove, at))
    else if (isRecord(action.txn)) transactions.push(parseTransaction(action.txn, at))
    else if (isRecord(action.commitInfo)) single.commitInfo = parseCommitInfo(action.commitInfo)
    else if (isRecord(action.protocol)) {
      if (single.protocol) throw corrupt(at, 'second protocol action in one commit')
      single.protocol = parseProtocol(action.protocol, at)
    } else if (isRecord(action.metaData)) {
      if (single.metadata) throw corrupt(at, 'second metaData action in one commit')
      single.metadata = parseMetadata(action.metaData)
    } else if (isRecord(action.domainMetadata)) {
      domains.push(parseDomain(action.domainMetadata, at))
    } else if (isRecord(action.cdc)) changeFiles.push(parseAdd(action.cdc, at))
    else if (isRecord(action.sidecar)) sidecars.push(requiredText(action.sidecar, 'path', at))
  }
  return {
    ...single,
    transactions,
    domains,
    removes,
    adds,
    ...(changeFiles.length === 0 ? {} : { changeFiles }),
    ...(sidecars.length === 0 ? {} : { sidecars }),
  }
}

function parseLine(line: string, at: TextOrigin): Readonly<Record<string, unknown>> {
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch (cause) {
    throw corrupt(at, 'torn or damaged line', 'a JSON object', line.slice(0, 80), cause)
  }
  if (!isRecord(json)) throw corrupt(at, 'not an action', 'a JSON object', line.slice(0, 80))
  return json
}

function parseAdd(json: Readonly<Record<string, unknown>>, at: TextOrigin): AddFile {
  const vector = parseDeletionVector(json.deletionVector)
  const tags = stringMap(json.tags)
  return {
    path: requiredText(json, 'path', at),
    partitionValues: parsePartitionValues(json.partitionValues),
    size: optionalNumber(json.size) ?? 0,
    modificationTime: optionalNumber(json.modificationTime) ?? 0,
    dataChange: json.dataChange !== false,
    ...statsOf(json),
    ...(tags === undefined ? {} : { tags }),
    ...(vector === undefined ? {} : { deletionVector: vector }),
    ...definedNumber('baseRowId', json.baseRowId),
    ...definedNumber('defaultRowCommitVersion', json.defaultRowCommitVersion),
    ...(typeof json.clusteringProvider === 'string'
      ? { clusteringProvider: json.clusteringProvider }
      : {}),
  }
}

/** `stats`, or the struct form that some checkpoints hold instead. */
function statsOf(json: Readonly<Record<string, unknown>>): { stats?: string } {
  if (typeof json.stats === 'string') return { stats: json.stats }
  if (isRecord(json.stats_parsed)) return { stats: JSON.stringify(json.stats_parsed) }
  return {}
}

function parseRemove(json: Readonly<Record<string, unknown>>, at: TextOrigin): RemoveFile {
  const vector = parseDeletionVector(json.deletionVector)
  return {
    path: requiredText(json, 'path', at),
    dataChange: json.dataChange !== false,
    ...definedNumber('deletionTimestamp', json.deletionTimestamp),
    ...(isRecord(json.partitionValues)
      ? { partitionValues: parsePartitionValues(json.partitionValues) }
      : {}),
    ...definedNumber('size', json.size),
    ...(vector === undefined ? {} : { deletionVector: vector }),
  }
}

function parseTransaction(json: Readonly<Record<string, unknown>>, at: TextOrigin): Transaction {
  return {
    appId: requiredText(json, 'appId', at),
    version: optionalNumber(json.version) ?? 0,
    ...definedNumber('lastUpdated', json.lastUpdated),
  }
}

function parseDomain(json: Readonly<Record<string, unknown>>, at: TextOrigin): DomainMetadata {
  return {
    domain: requiredText(json, 'domain', at),
    configuration: typeof json.configuration === 'string' ? json.configuration : '',
    removed: json.removed === true,
  }
}

function parseProtocol(json: Readonly<Record<string, unknown>>, at: TextOrigin): Protocol {
  const minReaderVersion = optionalNumber(json.minReaderVersion)
  const minWriterVersion = optionalNumber(json.minWriterVersion)
  if (minReaderVersion === undefined || minWriterVersion === undefined) {
    throw corrupt(at, 'protocol without versions', 'minReaderVersion and minWriterVersion')
  }
  const readerFeatures = textList(json.readerFeatures)
  const writerFeatures = textList(json.writerFeatures)
  return {
    minReaderVersion,
    minWriterVersion,
    ...(readerFeatures === undefined ? {} : { readerFeatures }),
    ...(writerFeatures === undefined ? {} : { writerFeatures }),
  }
}

/** Missing maps and lists count as empty, a missing schema as the empty text (refused on a scan). */
function parseMetadata(json: Readonly<Record<string, unknown>>): Metadata {
  return {
    id: typeof json.id === 'string' ? json.id : '',
    ...(typeof json.name === 'string' ? { name: json.name } : {}),
    ...(typeof json.description === 'string' ? { description: json.description } : {}),
    schemaString: typeof json.schemaString === 'string' ? json.schemaString : '',
    partitionColumns: textList(json.partitionColumns) ?? [],
    configuration: stringMap(json.configuration) ?? {},
    ...definedNumber('createdTime', json.createdTime),
  }
}

/** The metadata with the names and fixed parts of the log. */
export function metadataJson(metadata: Metadata): unknown {
  return {
    id: metadata.id,
    name: metadata.name ?? null,
    description: metadata.description ?? null,
    format: { provider: 'parquet', options: {} },
    schemaString: metadata.schemaString,
    partitionColumns: metadata.partitionColumns,
    configuration: metadata.configuration,
    createdTime: metadata.createdTime ?? null,
  }
}

/** With the marker that partition values and size are present, as Spark writes it. */
function removeJson(remove: RemoveFile): unknown {
  const isExtended = remove.partitionValues !== undefined && remove.size !== undefined
  return isExtended ? { ...remove, extendedFileMetadata: true } : remove
}

function parseCommitInfo(json: Readonly<Record<string, unknown>>): CommitInfo {
  const { operationParameters, operationMetrics } = json
  return {
    ...definedNumber('timestamp', json.timestamp),
    ...definedNumber('inCommitTimestamp', json.inCommitTimestamp),
    ...(typeof json.operation === 'string' ? { operation: json.operation } : {}),
    ...(isRecord(operationParameters) ? { operationParameters } : {}),
    ...definedNumber('readVersion', json.readVersion),
    ...(typeof json.isBlindAppend === 'boolean' ? { isBlindAppend: json.isBlindAppend } : {}),
    ...(isRecord(operationMetrics) ? { operationMetrics } : {}),
    ...(typeof json.engineInfo === 'string' ? { engineInfo: json.engineInfo } : {}),
    ...(typeof json.txnId === 'string' ? { txnId: json.txnId } : {}),
  }
}

/** A deletion vector's descriptor, or undefined. */
export function parseDeletionVector(json: unknown): DeletionVector | undefined {
  if (!isRecord(json)) return undefined
  return {
    storageType: typeof json.storageType === 'string' ? json.storageType : '',
    pathOrInlineDv: typeof json.pathOrInlineDv === 'string' ? json.pathOrInlineDv : '',
    ...definedNumber('offset', json.offset),
    sizeInBytes: optionalNumber(json.sizeInBytes) ?? 0,
    cardinality: optionalNumber(json.cardinality) ?? 0,
  }
}

/** The empty text stands for null (Delta: "Partition Value Serialization"); numbers become text. */
export function parsePartitionValues(json: unknown): PartitionValues {
  if (!isRecord(json)) return {}
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => [
      name,
      value === null || value === '' ? null : String(value),
    ]),
  )
}

/** A map of texts; null values are left out, others become text. */
export function stringMap(json: unknown): Readonly<Record<string, string>> | undefined {
  if (!isRecord(json)) return undefined
  const entries = Object.entries(json).filter(([, value]) => value !== null)
  return Object.fromEntries(entries.map(([key, value]) => [key, String(value)]))
}

function textList(json: unknown): readonly string[] | undefined {
  return Array.isArray(json) ? json.map(String) : undefined
}

function requiredText(
  json: Readonly<Record<string, unknown>>,
  key: string,
  at: TextOrigin,
): string {
  const value = json[key]
  if (typeof value === 'string') return value
  throw corrupt(at, `action without ${key}`, 'text', JSON.stringify(value) ?? 'nothing')
}

function optionalNumber(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}

function definedNumber<K extends string>(key: K, value: unknown): { [P in K]?: number } {
  return typeof value === 'number' ? ({ [key]: value } as { [P in K]?: number }) : {}
}

function corrupt(
  at: TextOrigin,
  what: string,
  expected?: string,
  found?: string,
  cause?: unknown,
): LogCorrupt {
  return new LogCorrupt({
    ...at,
    what,
    ...(expected === undefined ? {} : { expected }),
    ...(found === undefined ? {} : { found }),
    fix: 'restore the log file from a backup; if it is the newest commit and torn, it never took effect',
    cause,
  })
}
