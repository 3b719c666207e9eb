import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Lake } from '../lake/index.ts'
import {
  type ModelRegistry,
  openModelRegistry,
  readFeatureRows,
  scoreRows,
} from '../models/index.ts'
import { type ScoringOptions, scoringJob } from './job.ts'
import { repeatLastRun } from './repeat-run.ts'
import type { ScoringOutcome } from './scored-window.ts'
import {
  fanDevices,
  hourMs,
  scoringStartMs,
  trainedFolder,
  withTrained,
  writeFanWindows,
} from './test-support.ts'

let trained: string
beforeAll(async () => {
  trained = await trainedFolder()
})
afterAll(() => rm(trained, { recursive: true, force: true }))

const minutes5 = 300_000

/** Writes the hour that begins `hour` hours after the training history: 60 and 15 minute windows. */
async function writeHour(
  lake: Lake,
  hour: number,
  more: { readonly changes?: Readonly<Record<string, string>>; readonly where?: string } = {},
): Promise<void> {
  const fromMs = scoringStartMs + hour * hourMs
  for (const minutes of [60, 15]) {
    await writeFanWindows(lake, { fromMs, toMs: fromMs + hourMs, minutes, ...more })
  }
}

function score(
  lake: Lake,
  registry: ModelRegistry,
  hour: number,
  options: Partial<ScoringOptions> = {},
): Promise<ScoringOutcome> {
  const nowMs = scoringStartMs + hour * hourMs + minutes5
  return scoringJob({ lake, nowMs }, { registry, devices: fanDevices, backfillMs: 0, ...options })
}

async function rowsOf(lake: Lake, sql: string): Promise<readonly (readonly unknown[])[]> {
  return (await lake.query(sql, { maxRows: 100_000 })).rows
}

const content = `SELECT * EXCLUDE (run_id, scored_at, scored_at_date) FROM model_scores
  ORDER BY model_id, window_duration_minutes, device_id, window_start`

/** Starts every family at the beginning of the scored period, as a deployment would be running. */
async function begin(lake: Lake, registry: ModelRegistry): Promise<void> {
  await score(lake, registry, 0, { backfillMs: hourMs })
}

describe('a scoring run', () => {
  it('scores every complete window once, and only the newest may alert (SRV-4, MOD-4)', () =>
    withTrained(trained, async (lake, registry) => {
      await begin(lake, registry)
      await writeHour(lake, 0)
      const outcome = await score(lake, registry, 1)
      expect(
        outcome.models.map((run) => (run.kind === 'scored' ? run.rowCount : run.kind)),
      ).toEqual([12, 12, 48])
      const counts = await rowsOf(
        lake,
        `SELECT window_duration_minutes, model_id, count(*)::INTEGER, count(DISTINCT score_id)::INTEGER,
           count(*) FILTER (alert_eligible)::INTEGER, max(window_start) FILTER (alert_eligible)::VARCHAR
         FROM model_scores WHERE run_id = '${outcome.runId}' GROUP BY ALL ORDER BY ALL`,
      )
      expect(counts).toEqual([
        [15, 'isolation_forest', 48, 48, 12, '2026-03-16 00:45:00+00'],
        [60, 'isolation_forest', 12, 12, 12, '2026-03-16 00:00:00+00'],
        [60, 'statistical_baseline', 12, 12, 12, '2026-03-16 00:00:00+00'],
      ])
      expect(outcome.eligible.size).toBe(12)
    }))

  it('adds nothing when it runs again (design, invariant 2)', () =>
    withTrained(trained, async (lake, registry) => {
      await begin(lake, registry)
      await writeHour(lake, 0)
      await score(lake, registry, 1)
      const before = await rowsOf(lake, content)
      const version = (await lake.table('model_scores').snapshot()).version
      const again = await score(lake, registry, 1)
      expect(again.models.every(({ kind }) => kind === 'nothing_new')).toBe(true)
      expect(await rowsOf(lake, content)).toEqual(before)
      expect((await lake.table('model_scores').snapshot()).version).toBe(version)
    }))

  it('goes on where a crash between two commits left off', () =>
    withTrained(trained, async (lake, registry) => {
      await begin(lake, registry)
      await writeHour(lake, 0)
      const [first, ...others] = await registry.deployed(scoringStartMs)
      const only = (rows: readonly (typeof first)[]): ModelRegistry => ({
        ...registry,
        deployed: async () => rows.filter((row) => row !== undefined),
      })
      await score(lake, only([first]), 1)
      const resumed = await score(lake, registry, 1)
      expect(resumed.models.filter(({ kind }) => kind === 'scored')).toHaveLength(others.length)
      const interrupted = await rowsOf(lake, content)
      const whole = await withTrained(trained, async (otherLake, otherRegistry) => {
        await begin(otherLake, otherRegistry)
        await writeHour(otherLake, 0)
        await score(otherLake, otherRegistry, 1)
        return rowsOf(otherLake, content)
      })
      expect(interrupted).toEqual(whole)
    }))

  it('writes the same rows in small batches and on two threads (S7, SRV-7)', async () => {
    const run = (options: Partial<ScoringOptions>) =>
      withTrained(trained, async (lake, registry) => {
        await begin(lake, registry)
        await writeHour(lake, 0, {
          changes: { airflow_mean: 'CASE WHEN d < 4 THEN 500.0 ELSE 800 + d END' },
        })
        const { flagged } = await score(lake, registry, 1, options)
        return { flagged, rows: await rowsOf(lake, content) }
      })
    const plain = await run({})
    expect(plain.flagged.length).toBeGreaterThan(3)
    expect(await run({ batchRows: 5 })).toEqual(plain)
    expect(await run({ threads: 2, minThreadedRows: 1 })).toEqual(plain)
  })

  it('writes what the pure scoring of the same rows gives', () =>
    withTrained(trained, async (lake, registry) => {
      await begin(lake, registry)
      await writeHour(lake, 0)
      await score(lake, registry, 1)
      const rows = await readFeatureRows(lake, {
        durationMinutes: 60,
        range: { startMs: scoringStartMs, endMs: scoringStartMs + hourMs },
        devices: fanDevices,
      })
      for (const modelId of ['isolation_forest', 'statistical_baseline']) {
        const { artifact } = await registry.load({
          modelId,
          durationMinutes: 60,
          modelVersion: '1.0.0',
        })
        const { scores, rawScores } = await scoreRows(artifact, rows)
        const written = await rowsOf(
          lake,
          `SELECT anomaly_score, raw_score FROM model_scores WHERE model_id = '${modelId}'
           AND window_duration_minutes = 60 AND window_start = '2026-03-16 00:00:00+00' ORDER BY device_id`,
        )
        expect(written).toEqual([...scores].map((value, at) => [value, rawScores[at]]))
      }
    }))

  it('explains a flag in the sensor’s own unit, in memory and in the table alike (MOD-10)', () =>
    withTrained(trained, async (lake, registry) => {
      await begin(lake, registry)
      await writeHour(lake, 0, {
        changes: { airflow_mean: 'CASE WHEN d = 3 THEN 500.0 ELSE 800.0 + 20 * d END' },
      })
      const { flagged } = await score(lake, registry, 1)
      const window = flagged.find(
        ({ deviceId, modelId }) => deviceId === 'fan-03' && modelId === 'statistical_baseline',
      )
      expect(window).toMatchObject({
        granularity: 'device',
        confidence: 'normal',
        isDataQuality: false,
      })
      const [first] = window?.contributors ?? []
      expect(first).toMatchObject({ feature: 'airflow_mean', direction: 'low', value: 500 })
      expect(Math.abs((first?.referenceMedian ?? 0) - 860)).toBeLessThan(3)
      expect(first?.referenceScale).toBeGreaterThan(1)
      const written = await rowsOf(
        lake,
        `SELECT device_id, top_contributors[1], contributor_directions[1], alert_eligible,
           component_scores['air'] > 0.9
         FROM model_scores WHERE score_id = '${window?.scoreId}'`,
      )
      expect(written).toEqual([['fan-03', 'airflow_mean', 'low', true, true]])
    }))

  it('leaves out rows below half completeness and lists who is missing (SRV-5)', () =>
    withTrained(trained, async (lake, registry) => {
      await begin(lake, registry)
      await writeHour(lake, 0, {
        changes: {
          sensor_completeness: 'CASE d WHEN 1 THEN 0.49 WHEN 2 THEN 0.6 ELSE 1 END::DOUBLE',
        },
        where: 'd <> 5',
      })
      const outcome = await score(lake, registry, 1)
      const forest = outcome.exclusions.filter(
        ({ modelId, durationMinutes }) => modelId === 'isolation_forest' && durationMinutes === 60,
      )
      expect(forest.map(({ deviceId, reason }) => [deviceId, reason])).toEqual([
        ['fan-01', 'LOW_COMPLETENESS'],
        ['fan-05', 'FULL_DROPOUT'],
      ])
      const low = await rowsOf(
        lake,
        "SELECT DISTINCT device_id FROM model_scores WHERE confidence = 'low'",
      )
      expect(low).toEqual([['fan-02']])
    }))

  it('drops a row with more than half of its features gone, and says so', () =>
    withTrained(trained, async (lake, registry) => {
      await begin(lake, registry)
      const gone = (sql: string) => `CASE WHEN d = 7 THEN NULL ELSE ${sql} END::DOUBLE`
      await writeHour(lake, 0, {
        changes: {
          airflow_mean: gone('800 + 20 * d'),
          airflow_std: gone('6'),
          current_mean: gone('2'),
          current_std: gone('0.5'),
          vibration_mean: gone('1.5'),
        },
      })
      const { exclusions } = await score(lake, registry, 1)
      expect(exclusions.map(({ deviceId, reason }) => `${deviceId} ${reason}`)).toContain(
        'fan-07 IMPUTATION_FAILED',
      )
    }))

  it('stops only the models that need a sensor that died fleet-wide (design, invariant 3)', () =>
    withTrained(trained, async (lake, registry) => {
      await begin(lake, registry)
      await writeHour(lake, 0, { changes: { vibration_mean: 'NULL::DOUBLE' } })
      const outcome = await score(lake, registry, 1)
      expect(
        outcome.models.map(({ modelId, durationMinutes, kind }) => [
          modelId,
          durationMinutes,
          kind,
        ]),
      ).toEqual([
        ['isolation_forest', 60, 'failed'],
        ['statistical_baseline', 60, 'scored'],
        ['isolation_forest', 15, 'failed'],
      ])
      const [forest] = outcome.models
      expect(forest?.kind === 'failed' ? forest.error.message : '').toMatch(
        /vibration_mean is null in 100/,
      )
      expect(outcome.isPartial).toBe(true)
      await writeHour(lake, 1)
      const repaired = await score(lake, registry, 2)
      const hours = repaired.models.map((run) => (run.kind === 'scored' ? run.rowCount : run.kind))
      expect(hours).toEqual([24, 12, 96])
    }))

  it('goes on without a model whose file is damaged, naming it', () =>
    withTrained(trained, async (lake, registry) => {
      await begin(lake, registry)
      await writeHour(lake, 0)
      await writeFile(join(registry.directory, 'isolation_forest', '15', '1.0.0', 'model.bin'), 'x')
      const reopened = await openModelRegistry({ directory: registry.directory })
      const outcome = await score(lake, reopened, 1)
      expect(outcome.models.map(({ kind }) => kind)).toEqual(['scored', 'scored', 'failed'])
      const damaged = outcome.models[2]
      expect(damaged?.kind === 'failed' ? damaged.error.message : '').toMatch(
        /15\/1\.0\.0\/model\.bin/,
      )
    }))

  it('scores a window that late data created once, and never lets it alert (FEA-11, SRV-4)', () =>
    withTrained(trained, async (lake, registry) => {
      await begin(lake, registry)
      await writeHour(lake, 0, { where: 'd <> 9' })
      await score(lake, registry, 1)
      await writeFanWindows(lake, {
        fromMs: scoringStartMs,
        toMs: scoringStartMs + hourMs,
        minutes: 60,
        where: 'd = 9',
        changes: { late_created: 'true' },
        completeMs: scoringStartMs + hourMs + 1000,
      })
      for (const hour of [1, 2]) {
        await writeHour(lake, hour)
        await score(lake, registry, hour + 1)
      }
      const late = await rowsOf(
        lake,
        `SELECT model_id, count(*)::INTEGER, bool_or(alert_eligible) FROM model_scores
         WHERE device_id = 'fan-09' AND window_duration_minutes = 60
           AND window_start = '2026-03-16 00:00:00+00' GROUP BY ALL ORDER BY ALL`,
      )
      expect(late).toEqual([
        ['isolation_forest', 1, false],
        ['statistical_baseline', 1, false],
      ])
    }))

  it('catches up after a pause; all but the newest window stay silent', () =>
    withTrained(trained, async (lake, registry) => {
      await begin(lake, registry)
      for (const hour of [0, 1, 2]) await writeHour(lake, hour)
      const outcome = await score(lake, registry, 3)
      expect(outcome.models.map((run) => (run.kind === 'scored' ? run.rowCount : 0))).toEqual([
        36, 36, 144,
      ])
      const eligible = await rowsOf(
        lake,
        `SELECT count(*)::INTEGER FROM model_scores WHERE alert_eligible AND run_id = '${outcome.runId}'`,
      )
      expect(eligible).toEqual([[36]])
    }))

  it('does not score features older than two hours, and does so when fresh ones come (SRV-34)', () =>
    withTrained(trained, async (lake, registry) => {
      await begin(lake, registry)
      await writeHour(lake, 0)
      const stale = await score(lake, registry, 4)
      expect(stale.models.every(({ kind }) => kind === 'stale')).toBe(true)
      expect(stale.exclusions[0]?.reason).toBe('FEATURES_STALE')
      const imported = await score(lake, registry, 4, { staleAfterMs: Number.POSITIVE_INFINITY })
      expect(imported.models.every(({ kind }) => kind === 'scored')).toBe(true)
    }))

  it('records a shadow version beside the champion without letting it alert (SRV-31)', () =>
    withTrained(trained, async (lake, registry) => {
      await begin(lake, registry)
      const [champion] = await registry.deployed(scoringStartMs)
      await registry.deploy({ ...champion!, deployment_role: 'shadow' })
      await writeHour(lake, 0)
      await score(lake, registry, 1)
      const roles = await rowsOf(
        lake,
        `SELECT deployment_role, count(*)::INTEGER, bool_or(alert_eligible) FROM model_scores
         WHERE model_id = 'isolation_forest' AND window_duration_minutes = 60
           AND window_start >= '2026-03-16 00:00:00+00' GROUP BY ALL ORDER BY ALL`,
      )
      expect(roles).toEqual([
        ['champion', 12, true],
        ['shadow', 12, false],
      ])
    }))

  it('can be repeated for alerting after a crash, the same to the last value, writing nothing', () =>
    withTrained(trained, async (lake, registry) => {
      expect(await repeatLastRun(lake, { registry, devices: fanDevices })).toBeUndefined()
      await begin(lake, registry)
      await writeHour(lake, 0, {
        changes: { airflow_mean: 'CASE WHEN d < 4 THEN 500.0 ELSE 800 + d END' },
      })
      const original = await score(lake, registry, 1)
      const version = (await lake.table('model_scores').snapshot()).version
      const repeated = await repeatLastRun(lake, { registry, devices: fanDevices })
      expect(original.flagged.length).toBeGreaterThan(3)
      expect(repeated).toMatchObject({
        runId: original.runId,
        scoredAtMs: original.scoredAtMs,
        flagged: original.flagged,
        eligible: original.eligible,
        exclusions: original.exclusions,
      })
      expect((await lake.table('model_scores').snapshot()).version).toBe(version)
    }))
})
