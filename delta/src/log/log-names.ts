import { decodeLogPath } from '../data/file-path.ts'

/** Folder of the log, with its slash. */
export const logFolder = '_delta_log/'

/** Path of the hint that names the newest checkpoint. */
export const lastCheckpointPath = `${logFolder}_last_checkpoint`

/** The version as the 20 digits of the log's file names. */
export function versionDigits(version: number): string {
  return String(version).padStart(20, '0')
}

/** Path of a commit. */
export function commitPath(version: number): string {
  return `${logFolder}${versionDigits(version)}.json`
}

/** Path of a classic checkpoint in one file. */
export function checkpointPath(version: number): string {
  return `${logFolder}${versionDigits(version)}.checkpoint.parquet`
}

/** Path of a file that belongs to a V2 checkpoint, by its name, path or URI in the log. */
export function sidecarPath(name: string): string {
  // Delta: "Sidecar Files" always lie in this folder, so only the last part of the name counts.
  return `${logFolder}_sidecars/${decodeLogPath(name, logFolder).split('/').at(-1) ?? ''}`
}

/** What a file of the log is, judged by its name. */
export type LogFileName =
  | { readonly kind: 'commit'; readonly version: number }
  | {
      readonly kind: 'checkpoint'
      readonly version: number
      readonly part: number
      readonly partCount: number
    }
  | { readonly kind: 'other' }

const commitName = /^_delta_log\/(\d{20})\.json$/
const classicName = /^_delta_log\/(\d{20})\.checkpoint\.parquet$/
const partName = /^_delta_log\/(\d{20})\.checkpoint\.(\d{10})\.(\d{10})\.parquet$/
const v2Name = /^_delta_log\/(\d{20})\.checkpoint\.[0-9a-fA-F-]{36}\.(?:json|parquet)$/

/** Reads the name of a file in the log; names of no known form are `other` and ignored. */
export function parseLogName(path: string): LogFileName {
  const commit = commitName.exec(path)
  if (commit) return { kind: 'commit', version: Number(commit[1]) }
  const classic = classicName.exec(path)
  if (classic) return { kind: 'checkpoint', version: Number(classic[1]), part: 1, partCount: 1 }
  const part = partName.exec(path)
  if (part) {
    const [, version, index, count] = part
    return {
      kind: 'checkpoint',
      version: Number(version),
      part: Number(index),
      partCount: Number(count),
    }
  }
  const v2 = v2Name.exec(path)
  if (v2) return { kind: 'checkpoint', version: Number(v2[1]), part: 1, partCount: 1 }
  return { kind: 'other' }
}
