import type { DeviceTwins, TwinChange } from '../contracts/index.ts'
import { createListeners } from './listeners.ts'
import { oneAtATime } from './one-at-a-time.ts'
import type { StateDatabase } from './state-database.ts'
import {
  checkPatch,
  emptyTwin,
  etagOf,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parsePatch,
  patchPart,
  patchTags,
  type TwinBody,
  type TwinDocument,
  type TwinFault,
  twinDocument,
} from './twin-document.ts'

/** A change of a twin by the service. */
export type TwinWrite = {
  readonly tags?: JsonValue
  readonly desired?: JsonValue
  /** The given parts take the place of the old ones instead of being merged into them. */
  readonly isReplace?: boolean
  /** Only if the twin still has this ETag; `*` for any. */
  readonly ifMatch?: string
}

/** Outcome of a change by the service. */
export type TwinUpdate =
  | { readonly kind: 'changed'; readonly twin: TwinDocument }
  | { readonly kind: 'stale'; readonly etag: string }
  | { readonly kind: 'refused'; readonly errorCode: number; readonly message: string }

/** Twins of all devices; a device nobody wrote to has an empty one. */
export type Twins = DeviceTwins & {
  readonly document: (deviceId: string) => Promise<TwinDocument>
  readonly update: (deviceId: string, write: TwinWrite) => Promise<TwinUpdate>
}

/** What a read document says of itself is no property to write. */
function withoutOwn(value: JsonValue): JsonValue {
  if (!isJsonObject(value)) return value
  const entries = Object.entries(value)
  return Object.fromEntries(entries.filter(([key]) => key !== '$version' && key !== '$metadata'))
}

/** Quotes and weakness of an HTTP entity tag are not part of ours. */
function bareTag(tag: string): string {
  return tag.replace(/^W\//, '').replace(/^"(.*)"$/, '$1')
}

type Written = { readonly twin: TwinBody; readonly desiredPatch: JsonObject | undefined }

function written(
  twin: TwinBody,
  write: TwinWrite,
  isReplace: boolean,
  nowMs: number,
): Written | TwinFault {
  let next: TwinBody = { ...twin, version: twin.version + 1, etagNumber: twin.etagNumber + 1 }
  let desiredPatch: JsonObject | undefined
  if (write.tags !== undefined) {
    const checked = checkPatch(write.tags)
    if ('errorCode' in checked) return checked
    const patched = patchTags(twin.tags, checked.patch, isReplace)
    if ('errorCode' in patched) return patched
    next = { ...next, tags: patched.tags }
  }
  if (write.desired !== undefined) {
    const checked = checkPatch(withoutOwn(write.desired))
    if ('errorCode' in checked) return checked
    const options = { nowMs, isVersioned: true, isReplace }
    const desired = patchPart(twin.desired, checked.patch, options)
    if ('errorCode' in desired) return desired
    next = { ...next, desired }
    desiredPatch = checked.patch
  }
  return { twin: next, desiredPatch }
}

/** Opens the twins over their table. */
export function openTwins(database: StateDatabase, clock: () => number): Twins {
  const inTurn = oneAtATime()
  const desired = createListeners<Parameters<Parameters<DeviceTwins['onDesired']>[0]>[0]>()

  const read = async (deviceId: string): Promise<TwinBody> => {
    const row = await database
      .selectFrom('device_twins')
      .select('body')
      .where('device_id', '=', deviceId)
      .executeTakeFirst()
    return row === undefined ? emptyTwin : (JSON.parse(row.body) as TwinBody)
  }
  const save = async (deviceId: string, twin: TwinBody): Promise<void> => {
    const body = JSON.stringify(twin)
    await database
      .insertInto('device_twins')
      .values({ device_id: deviceId, body })
      .onConflict((conflict) => conflict.column('device_id').doUpdateSet({ body }))
      .execute()
  }

  const report = async (deviceId: string, text: string): Promise<TwinChange> => {
    const parsed = parsePatch(text)
    if ('errorCode' in parsed) return { kind: 'refused', ...parsed }
    const twin = await read(deviceId)
    const options = { nowMs: clock(), isVersioned: false, isReplace: false }
    const reported = patchPart(twin.reported, parsed.patch, options)
    if ('errorCode' in reported) return { kind: 'refused', ...reported }
    await save(deviceId, { ...twin, version: twin.version + 1, reported })
    return { kind: 'changed', version: reported.version }
  }

  const update = async (deviceId: string, write: TwinWrite): Promise<TwinUpdate> => {
    const twin = await read(deviceId)
    const { ifMatch = '*', isReplace = false } = write
    if (ifMatch !== '*' && bareTag(ifMatch) !== etagOf(twin)) {
      return { kind: 'stale', etag: etagOf(twin) }
    }
    const done = written(twin, write, isReplace, clock())
    if ('errorCode' in done) return { kind: 'refused', ...done }
    await save(deviceId, done.twin)
    if (done.desiredPatch !== undefined) {
      const { version } = done.twin.desired
      // A replacement is told as the whole: what is not in it is gone.
      const told = isReplace ? done.twin.desired.values : done.desiredPatch
      desired.tell({ deviceId, version, patch: JSON.stringify({ ...told, $version: version }) })
    }
    return { kind: 'changed', twin: twinDocument(deviceId, done.twin) }
  }

  return {
    propertiesOf: async (deviceId) => {
      const twin = await read(deviceId)
      return JSON.stringify({
        desired: { ...twin.desired.values, $version: twin.desired.version },
        reported: { ...twin.reported.values, $version: twin.reported.version },
      })
    },
    report: (deviceId, patch) => inTurn(() => report(deviceId, patch)),
    onDesired: desired.add,
    document: async (deviceId) => twinDocument(deviceId, await read(deviceId)),
    update: (deviceId, write) => inTurn(() => update(deviceId, write)),
  }
}
