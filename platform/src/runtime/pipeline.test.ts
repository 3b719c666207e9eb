import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { exampleFleet, newDevice } from '../contracts/index.ts'
import { createAdmission } from '../import/index.ts'
import { type Deployment, openDeployment } from './deployment.ts'
import { runPipeline } from './pipeline.ts'
import { createStageClock } from './stage-clock.ts'

const startMs = Date.UTC(2026, 0, 15)
const hourMs = 3_600_000

const fleet = {
  ...exampleFleet,
  fallbackRules: [{ feature: 'temp_mean', above: 0 }],
}

const unit = (device_id: string) =>
  newDevice({ device_id, valid_from: startMs, equipment_class: 'example' })

let open: Deployment | undefined

afterEach(async () => {
  await open?.close()
  open = undefined
})

/** An hour of two units in the log: WARM stands at +5 °C, COLD at -5 °C. */
async function deploymentWithAnHour(): Promise<Deployment> {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'isotherm-pipeline-'))
  const deployment = await openDeployment({
    fleet,
    dataDirectory,
    clock: () => startMs + hourMs + 60_000,
    threadCount: 1,
  })
  open = deployment
  await deployment.state.registry.upsert([unit('WARM'), unit('COLD')])
  const admit = createAdmission(fleet)
  const message = (deviceId: string, timeMs: number, temperature: number) =>
    admit({
      deviceId,
      timeMs,
      payload: Buffer.from(
        JSON.stringify({
          device_id: deviceId,
          timestamp: new Date(timeMs).toISOString(),
          readings: { temperature, pressure: 200, door_open: false },
        }),
      ),
    })
  const records = Array.from({ length: 60 }, (_, minute) => startMs + minute * 60_000).flatMap(
    (timeMs) => [message('WARM', timeMs, 5), message('COLD', timeMs, -5)],
  )
  await deployment.log.append(records)
  return deployment
}

const run = (deployment: Deployment) =>
  runPipeline(deployment, createStageClock(deployment.clock, deployment.clock), {
    finishUntilMs: startMs + hourMs,
  })

describe('the pipeline', () => {
  it('carries readings from the log to features and alerts, and a second run adds nothing', async () => {
    const deployment = await deploymentWithAnHour()
    const first = await run(deployment)
    expect(first.landing).toMatchObject({ rowCount: 120, deadLetterCount: 0 })
    expect(first.clean).toMatchObject({ rowCount: 120, quarantinedCount: 0 })
    // Two units, four quarters and one hour each.
    expect(first.features?.emittedCount).toBe(10)
    const again = await run(deployment)
    expect(again.landing?.rowCount).toBe(0)
    expect(again.clean?.rowCount).toBe(0)
    expect(again.features?.emittedCount).toBe(0)
  })

  it('alerts by fixed limits before anything was trained, once per window (SRV-36)', async () => {
    const deployment = await deploymentWithAnHour()
    expect((await run(deployment)).fallback).toEqual({ createdCount: 1 })
    expect((await run(deployment)).fallback).toEqual({ createdCount: 0 })
    const { rows } = await deployment.lake.query(
      'SELECT device_id, severity, model_id, anomaly_score, title FROM device_alerts',
    )
    expect(rows).toHaveLength(1)
    expect(rows[0]?.slice(0, 4)).toEqual(['WARM', 'MEDIUM', 'rules_fallback', null])
    expect(rows[0]?.[4]).toMatch(/temperature is 5.0 °C, above the limit of 0.0 °C/)
  })

  it('remembers a failed stage and goes on with it in the next run', async () => {
    const deployment = await deploymentWithAnHour()
    const clock = createStageClock(deployment.clock, deployment.clock)
    const broken = {
      ...deployment,
      lake: { ...deployment.lake, withConnection: () => Promise.reject(new Error('disk is full')) },
    }
    await expect(runPipeline(broken, clock)).rejects.toThrow('disk is full')
    expect(clock.health()).toMatchObject([{ stage: 'land', failure: 'disk is full' }])
    await runPipeline(deployment, clock, { finishUntilMs: startMs + hourMs })
    expect(clock.health().find(({ stage }) => stage === 'land')?.failure).toBeUndefined()
    const { rows } = await deployment.lake.query('SELECT count(*) FROM raw_sensor_readings')
    expect(Number(rows[0]?.[0])).toBe(120)
  })
})
