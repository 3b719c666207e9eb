/** A JSON value. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue }

/** A JSON object. */
export type JsonObject = { readonly [key: string]: JsonValue }

/** Desired or reported properties with the time each of them was last set. */
export type TwinPart = {
  readonly values: JsonObject
  readonly metadata: JsonObject
  readonly version: number
}

/** What is kept of a device's twin. */
export type TwinBody = {
  /** Grows with every change. */
  readonly version: number
  /** Grows with changes of tags and desired properties; its ETag. */
  readonly etagNumber: number
  readonly tags: JsonObject
  readonly desired: TwinPart
  readonly reported: TwinPart
}

/** A twin as the service shows it; devices see neither tags nor metadata. */
export type TwinDocument = {
  readonly deviceId: string
  readonly etag: string
  readonly version: number
  readonly tags: JsonObject
  readonly properties: { readonly desired: JsonObject; readonly reported: JsonObject }
}

/** What is wrong with a patch. */
export type TwinFault = { readonly errorCode: number; readonly message: string }

const maxDepth = 10
const maxKeyBytes = 1_024
const maxStringBytes = 4_096
/** Integers that every SDK keeps exactly, as IoT Hub has it. */
const maxInteger = 4_503_599_627_370_496
const badArgument = 400_004
const tooLarge = 413_001

/** Largest size of a part as JSON. */
export const twinBytes = { properties: 32_768, tags: 8_192 } as const

const forbiddenInKey = /[\s.$\p{Cc}]/u

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function keyFault(key: string): string | undefined {
  if (key === '' || Buffer.byteLength(key) > maxKeyBytes) return 'keys have 1 to 1,024 bytes'
  if (forbiddenInKey.test(key)) return `key ${JSON.stringify(key)} has a dot, $, blank or control`
  return undefined
}

function valueFault(value: JsonValue, depth: number): string | undefined {
  if (typeof value === 'string') {
    return Buffer.byteLength(value) > maxStringBytes ? 'a string is over 4,096 bytes' : undefined
  }
  if (typeof value === 'number') {
    const isUnsafe = Number.isInteger(value) && Math.abs(value) > maxInteger
    return isUnsafe ? 'an integer is beyond 4503599627370496' : undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  if (depth > maxDepth) return `it is nested deeper than ${maxDepth}`
  const inside = Array.isArray(value) ? value : Object.values(value)
  if (!Array.isArray(value)) {
    const wrong = Object.keys(value).map(keyFault).find(Boolean)
    if (wrong !== undefined) return wrong
  }
  for (const item of inside) {
    const wrong = valueFault(item, depth + 1)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

/** Parses a patch; a text that is no JSON object, or breaks a rule for keys and values, is a fault. */
export function parsePatch(text: string): { readonly patch: JsonObject } | TwinFault {
  let parsed: JsonValue
  try {
    parsed = JSON.parse(text) as JsonValue
  } catch {
    return { errorCode: badArgument, message: 'the patch is not valid JSON' }
  }
  return checkPatch(parsed)
}

/** The same for a value that was parsed already. */
export function checkPatch(
  value: JsonValue | undefined,
): { readonly patch: JsonObject } | TwinFault {
  if (!isJsonObject(value)) {
    return { errorCode: badArgument, message: 'the patch is not a JSON object' }
  }
  const wrong = valueFault(value, 1)
  return wrong === undefined ? { patch: value } : { errorCode: badArgument, message: wrong }
}

/** Stamp of a change for the metadata. */
type Stamp = { readonly at: string; readonly version: number | undefined }

function stampOf({ at, version }: Stamp): JsonObject {
  return version === undefined
    ? { $lastUpdated: at }
    : { $lastUpdated: at, $lastUpdatedVersion: version }
}

function stamped(value: JsonValue, stamp: Stamp): JsonObject {
  if (!isJsonObject(value)) return stampOf(stamp)
  const inside = Object.entries(value).map(([key, item]) => [key, stamped(item, stamp)] as const)
  return { ...stampOf(stamp), ...Object.fromEntries(inside) }
}

/** What is left of a new value when its nulls are taken as deletions. */
function withoutNulls(value: JsonValue): JsonValue {
  if (!isJsonObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null)
      .map(([key, item]) => [key, withoutNulls(item)]),
  )
}

type Merged = { readonly values: JsonObject; readonly metadata: JsonObject }

/** JSON merge patch (RFC 7396) of values and, beside them, of their metadata. */
function merge(before: Merged, patch: JsonObject, stamp: Stamp): Merged {
  // Maps, because a key may be called __proto__.
  const values = new Map(Object.entries(before.values))
  const metadata = new Map(Object.entries(before.metadata))
  for (const [key, change] of Object.entries(patch)) {
    const old = values.get(key)
    const oldMetadata = metadata.get(key)
    if (change === null) {
      values.delete(key)
      metadata.delete(key)
    } else if (isJsonObject(change) && isJsonObject(old)) {
      const inner = { values: old, metadata: isJsonObject(oldMetadata) ? oldMetadata : {} }
      const merged = merge(inner, change, stamp)
      values.set(key, merged.values)
      metadata.set(key, merged.metadata)
    } else {
      const fresh = withoutNulls(change)
      values.set(key, fresh)
      metadata.set(key, stamped(fresh, stamp))
    }
  }
  return {
    values: Object.fromEntries(values),
    metadata: { ...Object.fromEntries(metadata), ...stampOf(stamp) },
  }
}

/** A part after a patch, or why it cannot be: it would be too large. */
export function patchPart(
  part: TwinPart,
  patch: JsonObject,
  options: {
    readonly nowMs: number
    /** Metadata names the version of each change. */
    readonly isVersioned: boolean
    /** What was there before is gone. */
    readonly isReplace: boolean
  },
): TwinPart | TwinFault {
  const version = part.version + 1
  const at = new Date(options.nowMs).toISOString()
  const before = options.isReplace ? { values: {}, metadata: {} } : part
  const stamp = { at, version: options.isVersioned ? version : undefined }
  const merged = merge(before, patch, stamp)
  const sizeFault = tooLargeFault(merged.values, twinBytes.properties)
  return sizeFault ?? { ...merged, version }
}

/** Tags after a patch. */
export function patchTags(
  tags: JsonObject,
  patch: JsonObject,
  isReplace: boolean,
): { readonly tags: JsonObject } | TwinFault {
  const before = { values: isReplace ? {} : tags, metadata: {} }
  const { values } = merge(before, patch, { at: '', version: undefined })
  return tooLargeFault(values, twinBytes.tags) ?? { tags: values }
}

function tooLargeFault(values: JsonObject, limitBytes: number): TwinFault | undefined {
  const sizeBytes = Buffer.byteLength(JSON.stringify(values))
  if (sizeBytes <= limitBytes) return undefined
  const message = `it would have ${sizeBytes} bytes, at most ${limitBytes} are kept`
  return { errorCode: tooLarge, message }
}

const emptyPart: TwinPart = { values: {}, metadata: {}, version: 1 }

/** Twin of a device nobody said anything about. */
export const emptyTwin: TwinBody = {
  version: 1,
  etagNumber: 1,
  tags: {},
  desired: emptyPart,
  reported: emptyPart,
}

/** ETag of a twin, without the quotes HTTP puts around it. */
export function etagOf({ etagNumber }: TwinBody): string {
  return Buffer.from(String(etagNumber)).toString('base64')
}

/** The twin as the service shows it. */
export function twinDocument(deviceId: string, twin: TwinBody): TwinDocument {
  const shown = ({ values, metadata, version }: TwinPart): JsonObject => ({
    ...values,
    $metadata: metadata,
    $version: version,
  })
  return {
    deviceId,
    etag: etagOf(twin),
    version: twin.version,
    tags: twin.tags,
    properties: { desired: shown(twin.desired), reported: shown(twin.reported) },
  }
}
