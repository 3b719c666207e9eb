import { fieldNames, jsonKind, type MessageScan, type UnknownMember } from './message-scan.ts'

/** Bound of ING-7 for what no schema knows. */
const maxUnmappedBytes = 4_096
/** Room kept for the closing braces and the count of what did not fit. */
const reservedBytes = 40
const firstNarrowField = fieldNames.indexOf('sensor_type')

/** Fields of the narrow format that stand in a wide message belong to no schema there. */
function strayFields(scan: MessageScan): readonly UnknownMember[] {
  const stray: UnknownMember[] = []
  for (let i = firstNarrowField; i < fieldNames.length; i++) {
    if (scan.kinds[i] === jsonKind.absent) continue
    stray.push({ start: -1 - i, end: scan.ends[i]!, inReadings: false })
  }
  return stray
}

function hasNarrowField(kinds: Uint8Array): boolean {
  for (let i = firstNarrowField; i < kinds.length; i++) {
    if (kinds[i] !== jsonKind.absent) return true
  }
  return false
}

function memberText(scan: MessageScan, payload: Buffer, member: UnknownMember): string {
  if (member.start >= 0) return payload.toString('utf8', member.start, member.end)
  const field = -1 - member.start
  return `"${fieldNames[field]}":${payload.toString('utf8', scan.starts[field]!, member.end)}`
}

/**
 * Keys no schema knows, as one JSON object; unknown sensors stand under `readings`. What does not
 * fit into 4 KB is left out whole and counted as `_omitted`.
 */
export function unmappedFields(
  scan: MessageScan,
  payload: Buffer,
  isWide: boolean,
): string | undefined {
  const hasStray = isWide && hasNarrowField(scan.kinds)
  if (scan.unknown.length === 0 && !hasStray) return undefined
  const members = hasStray ? [...scan.unknown, ...strayFields(scan)] : scan.unknown
  const own: string[] = []
  const readings: string[] = []
  let room = maxUnmappedBytes - reservedBytes
  let omitted = 0
  for (const member of members) {
    const sizeBytes = member.end - Math.max(member.start, 0) + 1
    const text =
      sizeBytes <= maxUnmappedBytes || member.start < 0 ? memberText(scan, payload, member) : ''
    const needed = text === '' ? maxUnmappedBytes : Buffer.byteLength(text) + 1
    if (needed > room) omitted++
    else {
      room -= needed
      if (member.inReadings) readings.push(text)
      else own.push(text)
    }
  }
  if (readings.length > 0) own.push(`"readings":{${readings.join(',')}}`)
  if (omitted > 0) own.push(`"_omitted":${omitted}`)
  return `{${own.join(',')}}`
}
