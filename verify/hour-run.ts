// Runs the pipeline of S3 over a prepared hour and prints what it took.
// node verify/hour-run.ts FOLDER
import { refrigeration } from '@isotherm/fleet-refrigeration'
import { openDeployment, runPipeline, type StageClock } from 'isotherm/runtime'

/** A day's tenth hour: no daily windows end with it. */
export const hourStartMs = Date.UTC(2026, 2, 10, 10)
export const hourEndMs = hourStartMs + 3_600_000

/** What one stage took. */
export type StageCost = {
  readonly seconds: number
  readonly cpuSeconds: number
  /** Largest resident memory of the process so far, MiB. */
  readonly peakMib: number
}

/** What the timed process prints. */
export type HourOutcome = {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakMib: number
  readonly stages: Readonly<Record<string, StageCost>>
  readonly rows: HourRows
}

/** Rows of each stage. */
export type HourRows = {
  readonly landed: number
  readonly cleaned: number
  /** Duplicates, folded, quarantined and dead letters. */
  readonly setAside: number
  readonly featured: number
  /** Devices whose hourly window was scored by the hour's first model. */
  readonly hourlyWindows: number
  readonly scored: number
  readonly flagged: number
  readonly alerts: number
}

const peakMib = () => Math.round(process.resourceUsage().maxRSS / 1024)

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

const rounded = (value: number) => Math.round(value * 100) / 100

function costClock(stages: Record<string, StageCost>): StageClock {
  return {
    timed: async (stage, work) => {
      const start = performance.now()
      const startCpu = cpuSeconds()
      const result = await work()
      stages[stage] = {
        seconds: rounded((performance.now() - start) / 1000),
        cpuSeconds: rounded(cpuSeconds() - startCpu),
        peakMib: peakMib(),
      }
      console.error(`${stage}: ${JSON.stringify(stages[stage])}`)
      return result
    },
    health: () => [],
  }
}

async function runHour(dataDirectory: string): Promise<HourOutcome> {
  const stages: Record<string, StageCost> = {}
  const deployment = await openDeployment({
    ...{ fleet: refrigeration, dataDirectory, threadCount: 2 },
    clock: () => hourEndMs,
  })
  const start = performance.now()
  const startCpu = cpuSeconds()
  const { landing, clean, features, scoring, alerts } = await runPipeline(
    deployment,
    costClock(stages),
    { finishUntilMs: hourEndMs },
  )
  const seconds = (performance.now() - start) / 1000
  const models = (scoring?.models ?? []).filter((model) => model.kind === 'scored')
  const setAside =
    (clean?.duplicateCount ?? 0) +
    (clean?.foldedCount ?? 0) +
    (clean?.quarantinedCount ?? 0) +
    (clean?.deadLetterCount ?? 0)
  const rows: HourRows = {
    landed: landing?.rowCount ?? 0,
    cleaned: clean?.rowCount ?? 0,
    setAside,
    featured: features?.emittedCount ?? 0,
    hourlyWindows: models.find(({ durationMinutes }) => durationMinutes === 60)?.rowCount ?? 0,
    scored: models.reduce((sum, model) => sum + model.rowCount, 0),
    flagged: scoring?.flagged.length ?? 0,
    alerts: alerts?.createdCount ?? 0,
  }
  const outcome = {
    seconds: rounded(seconds),
    cpuSeconds: rounded(cpuSeconds() - startCpu),
    peakMib: peakMib(),
    stages,
    rows,
  }
  await deployment.close()
  return outcome
}

const [folder] = process.argv.slice(2)
if (import.meta.main && folder !== undefined) console.log(JSON.stringify(await runHour(folder)))
