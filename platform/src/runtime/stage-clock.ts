/** How the runs of one stage went, for health and metrics. */
export type StageHealth = {
  readonly stage: string
  readonly runCount: number
  readonly failureCount: number
  readonly lastSeconds: number
  readonly totalSeconds: number
  readonly lastEndMs: number | undefined
  /** Message of the newest failure since the last good run. */
  readonly failure: string | undefined
}

/** Times the stages of a pipeline and remembers how they went. */
export type StageClock = {
  readonly timed: <T>(stage: string, work: () => Promise<T>) => Promise<T>
  readonly health: () => readonly StageHealth[]
}

/** A stage clock over a wall clock in epoch ms and a stopwatch in ms. */
export function createStageClock(clock: () => number, stopwatch: () => number): StageClock {
  const stages = new Map<string, StageHealth>()
  const note = (stage: string, seconds: number, failure: string | undefined) => {
    const before = stages.get(stage)
    stages.set(stage, {
      stage,
      runCount: (before?.runCount ?? 0) + 1,
      failureCount: (before?.failureCount ?? 0) + (failure === undefined ? 0 : 1),
      lastSeconds: seconds,
      totalSeconds: (before?.totalSeconds ?? 0) + seconds,
      lastEndMs: clock(),
      failure,
    })
  }
  return {
    timed: async (stage, work) => {
      const start = stopwatch()
      try {
        const result = await work()
        note(stage, (stopwatch() - start) / 1000, undefined)
        return result
      } catch (error) {
        const failure = error instanceof Error ? error.message : String(error)
        note(stage, (stopwatch() - start) / 1000, failure)
        throw error
      }
    },
    health: () => [...stages.values()],
  }
}
