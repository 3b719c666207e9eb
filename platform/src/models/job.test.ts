import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { FleetDefinition } from '../contracts/index.ts'
import type { Lake } from '../lake/index.ts'
import { type TrainOptions, type TrainOutcome, trainModels } from './job.ts'
import { openModelRegistry } from './model-registry.ts'
import {
  fixtureStartMs,
  type PumpHistory,
  pumpDevices,
  pumps,
  withPumpLake,
  writePumpHistory,
} from './test-support.ts'

const dayMs = 86_400_000
const endMs = fixtureStartMs + 12 * dayMs
const devices = pumpDevices(12)
const history: PumpHistory = { deviceCount: 12, startMs: fixtureStartMs, hours: 288, nowMs: endMs }

type Setup = Partial<PumpHistory> & {
  readonly fleet?: FleetDefinition
  readonly options?: Partial<TrainOptions>
}

async function trainIn(lake: Lake, directory: string, options: Partial<TrainOptions> = {}) {
  const registry = await openModelRegistry({ directory: join(directory, 'models') })
  const untilMs = options.untilMs ?? endMs
  const context = { lake, nowMs: untilMs }
  const outcome = await trainModels(context, { registry, devices, untilMs, ...options })
  return { registry, outcome }
}

async function trainOnce({ fleet, options, ...changes }: Setup = {}) {
  return withPumpLake(async (lake, directory) => {
    await writePumpHistory(lake, { ...history, ...changes })
    const { outcome, registry } = await trainIn(lake, directory, options)
    const files = await Promise.all(
      outcome.models.map((model) =>
        model.kind === 'failed'
          ? Promise.resolve(undefined)
          : readFile(
              join(
                registry.directory,
                model.manifest.modelId,
                '60',
                model.manifest.modelVersion,
                'model.bin',
              ),
            ),
      ),
    )
    const baselines = await lake.query('SELECT count(*) FROM feature_baselines')
    return { outcome, files, baselineRows: Number(baselines.rows[0]?.[0]) }
  }, fleet)
}

function manifests({ models }: TrainOutcome) {
  return models.map((model) => {
    if (model.kind === 'failed') throw model.error
    return model.manifest
  })
}

function failures({ models }: TrainOutcome): readonly string[] {
  return models.flatMap((model) => (model.kind === 'failed' ? [model.error.message] : []))
}

describe('training', () => {
  it('gives identical artifact bytes again, on two threads, and for files in any row order (S7)', async () => {
    const first = await trainOnce()
    const again = await trainOnce({ order: 'ORDER BY hash(d + 31 * w)' })
    const threaded = await trainOnce({ options: { threads: 2 } })
    expect(first.files.every((file) => file !== undefined && file.length > 1_000)).toBe(true)
    expect(again.files).toEqual(first.files)
    expect(threaded.files).toEqual(first.files)
    expect(manifests(threaded.outcome)).toEqual(manifests(first.outcome))
  })

  it('gives another forest for another seed', async () => {
    const first = await trainOnce()
    const other = await trainOnce({ options: { seed: 7 } })
    expect(other.files[0]).not.toEqual(first.files[0])
  })

  it('deploys the first version as champion and keeps later ones waiting (MOD-41)', () =>
    withPumpLake(async (lake, directory) => {
      await writePumpHistory(lake, history)
      const first = await trainIn(lake, directory)
      expect(first.outcome.models.map(({ kind }) => kind)).toEqual(['trained', 'trained'])
      const repeated = await trainIn(lake, directory)
      expect(repeated.outcome.models.map(({ kind }) => kind)).toEqual(['unchanged', 'unchanged'])
      await writePumpHistory(lake, { ...history, startMs: endMs, hours: 24 })
      const later = await trainIn(lake, directory, { untilMs: endMs + dayMs })
      expect(manifests(later.outcome).map(({ modelVersion }) => modelVersion)).toEqual([
        '1.1.0',
        '1.1.0',
      ])
      const running = await later.registry.deployed(endMs + 2 * dayMs)
      expect(running.map((row) => row.model_version)).toEqual(['1.0.0', '1.0.0'])
      const asked = await trainIn(lake, directory, { untilMs: endMs + dayMs, deploy: true })
      expect(asked.outcome.models.map(({ kind }) => kind)).toEqual(['unchanged', 'unchanged'])
      const promoted = await asked.registry.deployed(endMs + 2 * dayMs)
      expect(promoted.map((row) => row.model_version)).toEqual(['1.1.0', '1.1.0'])
      const baselines = await lake.query(
        `SELECT model_version, count(*) FROM feature_baselines
         WHERE granularity = 'fleet' GROUP BY ALL ORDER BY ALL`,
      )
      expect(baselines.rows).toEqual([
        ['1.0.0', '15'],
        ['1.1.0', '15'],
      ])
    }))

  it('sees nothing of the validation part, of the gap, or later (FEA-16, FEA-45)', async () => {
    const clean = await trainOnce()
    const [forest] = manifests(clean.outcome)
    const firstHidden = (forest!.split.trainEndMs - fixtureStartMs) / 3_600_000
    const spoiled = await trainOnce({
      overrides: {
        temperature_mean: `CASE WHEN w >= ${firstHidden} AND d = 1 THEN 500 ELSE -20 + (hash(d + 100 * w) % 100) / 50.0 END`,
      },
    })
    const twin = await trainOnce({
      overrides: { temperature_mean: '-20 + (hash(d + 100 * w) % 100) / 50.0' },
    })
    expect(spoiled.files[0]).toEqual(twin.files[0])
    expect(twin.files[0]).not.toEqual(clean.files[0])
  })

  it('leaves out rows by the selection rules and says how many (MOD-31)', async () => {
    const { outcome } = await trainOnce({
      overrides: {
        sensor_completeness: 'CASE WHEN d = 0 THEN 0.69 ELSE 1 END',
        reading_count: 'CASE WHEN d = 1 AND w % 2 = 0 THEN 39 ELSE 60 END',
        quality_flag_count: 'CASE WHEN d = 2 AND w % 4 = 0 THEN 21 WHEN d = 3 THEN 20 ELSE 0 END',
        post_maintenance: 'd = 4 AND w < 48',
      },
      options: {
        excludedSpans: [
          {
            deviceId: 'pump-005',
            startMs: fixtureStartMs + 3_600_000,
            endMs: fixtureStartMs + 7_200_000,
          },
        ],
      },
    })
    const [forest] = manifests(outcome)
    const hours = (forest!.split.trainEndMs - forest!.split.trainStartMs) / 3_600_000
    expect(forest!.exclusions).toEqual({
      totalBefore: 12 * hours,
      lowCompleteness: hours,
      lowReading: hours / 2,
      highQualityFlags: hours / 4,
      postMaintenance: 48,
      alerted: 1,
      outOfService: 0,
      excludedFraction: (1.75 * hours + 49) / (12 * hours),
    })
    expect(forest!.training.rowCount).toBe(12 * hours - 1.75 * hours - 49)
  })

  it('fails loudly when a sensor the models need is dead fleet-wide (design, invariant 3)', async () => {
    const { outcome, baselineRows } = await trainOnce({
      overrides: {
        pressure_mean: 'CASE WHEN w >= 200 THEN NULL ELSE 200 + (hash(d + 7 * w) % 10) END',
      },
    })
    expect(failures(outcome)).toHaveLength(2)
    expect(failures(outcome)[0]).toMatch(/pressure_mean is null in 100\.0 % .*training: 0\.0 %/)
    expect(baselineRows).toBe(0)
  })

  it('fails the publish gate when most validation rows are flagged (MOD-63)', async () => {
    const { outcome } = await trainOnce({
      overrides: { temperature_mean: '-20 + 0.2 * w + (hash(d + 100 * w) % 100) / 50.0' },
    })
    expect(failures(outcome).join()).toMatch(
      /validation rows are flagged, expected 0\.5 % to 20\.0 %/,
    )
  })

  it('leaves a sensor out of the model that no device has (FEA-2)', async () => {
    const { outcome } = await trainOnce({
      overrides: { current_mean: 'NULL', current_std: 'NULL' },
    })
    const [forest] = manifests(outcome)
    expect(forest?.absentFeatures).toEqual(['current_mean', 'current_std'])
    expect(forest?.features).not.toContain('current_mean')
  })

  it('works on four days of one unit and says that the scores are provisional', async () => {
    const fleet: FleetDefinition = { ...pumps, models: pumps.models.slice(0, 1) }
    const untilMs = fixtureStartMs + 4 * dayMs
    const { outcome } = await trainOnce({ fleet, deviceCount: 1, hours: 96, options: { untilMs } })
    const [forest] = manifests(outcome)
    expect(forest?.split.kind).toBe('brief')
    expect(forest?.training.rowCount).toBe(76)
  })

  it('draws a bounded, repeatable sample from a long history (MOD-33)', async () => {
    const options = { rowLimit: 1_000 }
    const first = await trainOnce({ options })
    const again = await trainOnce({ options, order: 'ORDER BY hash(d + 31 * w)' })
    expect(manifests(first.outcome)[0]?.training.rowCount).toBe(1_000)
    expect(again.files).toEqual(first.files)
  })

  it('refits device statistics on the whole period, but not the forest (MOD-15)', () =>
    withPumpLake(async (lake, directory) => {
      await writePumpHistory(lake, {
        ...history,
        overrides: {
          pressure_mean: 'CASE WHEN w >= 150 THEN 204 ELSE 200 END + (hash(d + 7 * w) % 10)',
        },
      })
      const { registry } = await trainIn(lake, directory, {
        only: { modelId: 'statistical_baseline' },
      })
      const [row] = await registry.deployed(endMs)
      const { artifact } = await registry.load({
        modelId: row!.model_id,
        durationMinutes: 60,
        modelVersion: row!.model_version,
      })
      const { detector } = artifact
      if (detector.kind !== 'robust_baseline') throw new Error('expected a baseline')
      expect(artifact.deviceIds).toHaveLength(12)
      expect(detector.devices.rowCounts[0]).toBeGreaterThan(detector.fleet.rowCounts[0]! / 12)
      expect(artifact.calibrations.device).toBeDefined()
    }))

  it('says what to do when there is no history', async () => {
    const { outcome } = await trainOnce({ options: { untilMs: fixtureStartMs } })
    expect(failures(outcome)[0]).toMatch(/no 60-minute feature window before .*import history/)
  })
})
