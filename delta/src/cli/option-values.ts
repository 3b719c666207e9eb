import type { SnapshotRequest } from '../table.ts'
import { UsageError } from './command.ts'

/**
 * A whole number that is not negative.
 * @throws UsageError
 */
export function wholeNumber(name: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new UsageError(`--${name} takes a whole number, not ${JSON.stringify(text)}`)
}

/**
 * Bytes of a text like `128MB`, `64 kB`, `1GiB` or `5000`.
 * @throws UsageError
 */
export function byteCount(name: string, text: string): number {
  const parts = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?$/i.exec(text.trim())
  if (parts === null) {
    throw new UsageError(`--${name} takes a size such as 128MB, not ${JSON.stringify(text)}`)
  }
  const [, count, unit = '', binary] = parts
  const base = binary === '' ? 1000 : 1024
  return Math.round(Number(count) * base ** ['', 'k', 'm', 'g', 't'].indexOf(unit.toLowerCase()))
}

const spanMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/**
 * Milliseconds of a span like `7d`, `168 hours` or `2w`.
 * @throws UsageError
 */
export function durationMs(name: string, text: string): number {
  const parts = /^(\d+(?:\.\d+)?)\s*(s|m|h|d|w|seconds?|minutes?|hours?|days?|weeks?)$/i.exec(
    text.trim(),
  )
  if (parts === null) {
    throw new UsageError(`--${name} takes a span such as 7d or 168h, not ${JSON.stringify(text)}`)
  }
  return Number(parts[1]) * (spanMs[(parts[2] ?? '').charAt(0).toLowerCase()] ?? 0)
}

/** Names separated by commas. */
export function nameList(text: string | undefined): readonly string[] | undefined {
  const names = text?.split(',').map((name) => name.trim())
  return names?.filter((name) => name !== '')
}

/**
 * The version that `--version` or `--timestamp` asks for.
 * @throws UsageError
 */
export function requestedVersion(
  version: string | undefined,
  timestamp: string | undefined,
): SnapshotRequest {
  if (version !== undefined && timestamp !== undefined) {
    throw new UsageError('--version and --timestamp exclude each other')
  }
  if (version !== undefined) return { version: wholeNumber('version', version) }
  if (timestamp === undefined) return {}
  // A time without a zone is UTC, as everywhere in the log.
  const hasZone = /(z|[+-]\d\d:?\d\d)$/i.test(timestamp) || !/[t ]/i.test(timestamp)
  const timestampMs = /^\d{10,}$/.test(timestamp)
    ? Number(timestamp)
    : Date.parse(hasZone ? timestamp : `${timestamp.replace(' ', 'T')}Z`)
  if (!Number.isNaN(timestampMs)) return { timestampMs }
  throw new UsageError(
    `--timestamp takes a time such as 2026-11-20T10:00:00Z or milliseconds since 1970, not ${JSON.stringify(timestamp)}`,
  )
}
