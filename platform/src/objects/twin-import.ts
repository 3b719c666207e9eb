import { IsothermError } from '../contracts/index.ts'
import type { HubDevice } from './hub-device.ts'
import {
  checkPatch,
  emptyTwin,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  patchPart,
  patchTags,
  type TwinBody,
  type TwinPart,
} from './twin-document.ts'

export type { TwinBody }

function numberIn(etag: string | null | undefined): number {
  const bytes = Buffer.from(etag ?? '', 'base64')
  const own = Number(bytes.toString('latin1'))
  if (bytes.length > 0 && Number.isSafeInteger(own) && own > 0) return own
  // IoT Hub's are eight bytes, big-endian.
  const foreign = bytes.length === 8 ? Number(bytes.readBigUInt64BE()) : 1
  return Number.isSafeInteger(foreign) && foreign > 0 ? foreign : 1
}

function refuse(device: HubDevice, what: string): never {
  throw new IsothermError('INPUT_INVALID', `twin of device ${device.id}: ${what}`)
}

/** Properties of an export: their metadata and version are taken over, not made anew. */
function importedPart(device: HubDevice, given: JsonObject | null | undefined): TwinPart {
  if (!given) return emptyTwin.desired
  const { $metadata: metadata, $version: version, ...values } = given
  const checked = checkPatch(values as JsonValue)
  if ('errorCode' in checked) refuse(device, checked.message)
  const options = { nowMs: 0, isVersioned: false, isReplace: true }
  const fits = patchPart(emptyTwin.desired, checked.patch, options)
  if ('errorCode' in fits) refuse(device, fits.message)
  return {
    values: checked.patch,
    metadata: isJsonObject(metadata) ? metadata : {},
    version: typeof version === 'number' && Number.isSafeInteger(version) ? version : 1,
  }
}

/**
 * The twin a line of an import describes, or undefined if it describes none.
 * @throws IsothermError INPUT_INVALID for properties or tags that no twin may have
 */
export function importedTwin(device: HubDevice): TwinBody | undefined {
  const { tags, properties, twinETag } = device
  if (!tags && !properties) return undefined
  const checked = checkPatch(tags ?? {})
  if ('errorCode' in checked) refuse(device, checked.message)
  const fits = patchTags({}, checked.patch, true)
  if ('errorCode' in fits) refuse(device, fits.message)
  const desired = importedPart(device, properties?.desired)
  const reported = importedPart(device, properties?.reported)
  const etagNumber = numberIn(twinETag)
  return {
    version: Math.max(etagNumber, desired.version + reported.version - 1),
    etagNumber,
    tags: fits.tags,
    desired,
    reported,
  }
}
