/** What `isotherm status` shows. */
export type StatusFigures = {
  readonly url: string
  readonly processId: number
  readonly state: 'ok' | 'late' | 'failed'
  readonly uptimeSeconds: number
  readonly memoryBytes: number
  readonly connections: number
  /** Devices connected, and those that stopped reporting. */
  readonly online: number
  readonly silent: number
  /** Messages since the start of the server. */
  readonly received: number
  readonly stored: number
  readonly duplicates: number
  readonly refused: number
  readonly throttled: number
  /** The log takes nothing now. */
  readonly isStalled: boolean
  readonly logBytes: number
  /** Of the consumer that is furthest behind. */
  readonly lagSeconds: number
  readonly diskUsedShare: number
  /** Dead letters nobody has looked at. */
  readonly openLetters: number
  readonly newestReadingAt: string | null
  readonly newestScoredAt: string | null
  readonly troubles: readonly string[]
}

const mib = 2 ** 20
const words = { ok: 'well', late: 'late', failed: 'FAILED' } as const

/** Seconds in the largest unit that fits. */
function spanText(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800
    ? `${Math.round(seconds / 3_600)} h`
    : `${Math.round(seconds / 86_400)} d`
}

function agoText(at: string | null, nowMs: number): string {
  return at === null ? 'none yet' : `${spanText(Math.max(0, nowMs - Date.parse(at)) / 1_000)} ago`
}

/** The figures as lines for people, troubles last. */
export function statusLines(figures: StatusFigures, nowMs: number): readonly string[] {
  const count = (value: number) => value.toLocaleString('en')
  const { received, stored, duplicates, refused, throttled, isStalled } = figures
  return [
    `${words[figures.state]}      ${figures.url} (process ${figures.processId}), up ${spanText(figures.uptimeSeconds)}, ${Math.round(figures.memoryBytes / mib)} MiB`,
    `devices   ${count(figures.online)} online over ${count(figures.connections)} connections, ${count(figures.silent)} stopped reporting`,
    `messages  ${count(received)} received: ${count(stored)} stored (${count(refused)} of them unreadable), ${count(duplicates)} duplicates, ${count(throttled)} times delayed or refused by a limit`,
    `log       ${count(Math.round(figures.logBytes / mib))} MiB, slowest consumer ${spanText(figures.lagSeconds)} behind${isStalled ? ', TAKES NOTHING NOW' : ''}`,
    `disk      ${Math.round(figures.diskUsedShare * 100)} % in use`,
    `newest    reading ${agoText(figures.newestReadingAt, nowMs)}, score ${agoText(figures.newestScoredAt, nowMs)}`,
    `letters   ${count(figures.openLetters)} messages could not be read and wait (isotherm deadletters)`,
    ...figures.troubles.map((trouble) => `trouble   ${trouble}`),
  ]
}
