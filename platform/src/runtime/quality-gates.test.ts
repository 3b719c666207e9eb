import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type DeviceRow, exampleFleet, newDevice } from '../contracts/index.ts'
import { createAdmission } from '../import/index.ts'
import { type Deployment, openDeployment } from './deployment.ts'
import { runPipeline } from './pipeline.ts'
import { changeGate, judgedTables, judgeTables } from './quality-gates.ts'
import { createStageClock } from './stage-clock.ts'

const startMs = Date.UTC(2026, 1, 16)
const hourMs = 3_600_000
const folders: string[] = []
let open: Deployment | undefined

afterEach(async () => {
  await open?.close()
  open = undefined
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

const units = ['north', 'south'].flatMap((site) =>
  [1, 2, 3, 4, 5].map((unit) => ({ deviceId: `${site}-${unit}`, site })),
)

const rowOf = ({ deviceId, site }: (typeof units)[number], more: Partial<DeviceRow> = {}) =>
  newDevice({
    ...{ device_id: deviceId, valid_from: startMs, equipment_class: 'example', site_id: site },
    ...more,
  })

/** A deployment with two sites; the north reports pressure against atmosphere, which nobody told. */
async function opened() {
  const folder = mkdtempSync(join(tmpdir(), 'isotherm-gates-'))
  folders.push(folder)
  let nowMs = startMs
  const deployment = await openDeployment({
    ...{ fleet: exampleFleet, dataDirectory: folder, threadCount: 2 },
    clock: () => nowMs,
  })
  open = deployment
  await deployment.state.registry.upsert(units.map((unit) => rowOf(unit)))
  const admit = createAdmission(exampleFleet)
  const clock = createStageClock(
    () => nowMs,
    () => 0,
  )
  return {
    deployment,
    /** Sends an hour of minutes and runs the pipeline at its end. */
    hour: async (hour: number, northPressure: number) => {
      const times = Array.from({ length: 60 }, (_, minute) => hourMs * hour + minute * 60_000)
      const records = times.flatMap((offsetMs) =>
        units.map(({ deviceId, site }) =>
          admit({
            deviceId,
            timeMs: startMs + offsetMs,
            payload: Buffer.from(
              JSON.stringify({
                device_id: deviceId,
                timestamp: new Date(startMs + offsetMs).toISOString(),
                readings: {
                  temperature: 4,
                  pressure: site === 'north' ? northPressure : 300,
                  door_open: false,
                },
              }),
            ),
          }),
        ),
      )
      await deployment.log.append(records)
      nowMs = startMs + (hour + 1) * hourMs
    },
    run: async () => {
      await runPipeline(deployment, clock, { finishUntilMs: nowMs })
      await judgeTables(deployment, judgedTables)
    },
  }
}

const hourlyWindows = async ({ lake }: Deployment) =>
  Object.fromEntries(
    (
      await lake.query(`SELECT split_part(device_id, '-', 1) AS site, count(*)::INTEGER
        FROM device_features WHERE window_duration_minutes = 60 GROUP BY ALL ORDER BY site`)
    ).rows,
  )

const openGates = async ({ state }: Deployment) =>
  (await state.gates.list({ status: 'open' })).filter(({ holds }) => holds !== 'nothing')

describe('a gate that fails for one site', () => {
  it('stops that site alone, and lets it catch up once the registry is mended', async () => {
    const { deployment, hour, run } = await opened()
    await hour(0, -50)
    await run()
    expect(await hourlyWindows(deployment)).toEqual({ south: 5 })
    const [entry] = await openGates(deployment)
    expect(entry).toMatchObject({
      ...{ gateId: 'E2.7', severity: 'FAIL', holds: 'rows', status: 'open' },
      ...{ scope: { siteId: 'north', firmware: '' }, rowCount: 300, value: 1 },
    })
    await hour(1, -50)
    await run()
    expect(await hourlyWindows(deployment)).toEqual({ south: 10 })
    expect(await openGates(deployment)).toMatchObject([{ rowCount: 600, failureCount: 2 }])

    await deployment.state.registry.upsert(
      units
        .filter(({ site }) => site === 'north')
        .map((unit) => rowOf(unit, { pressure_reference: 'gauge' })),
    )
    await run()
    expect(await hourlyWindows(deployment)).toEqual({ north: 10, south: 10 })
    expect(await openGates(deployment)).toEqual([])
    expect(await deployment.state.gates.entry(entry?.entryId ?? '')).toMatchObject({
      ...{ status: 'cleared', clearedBy: 'self' },
    })
    expect(await deployment.state.alerts.checkAudit()).toMatchObject({ kind: 'intact' })
  })

  it('goes on as it is, or without the rows, when a person says so', async () => {
    const { deployment, hour, run } = await opened()
    const { gates } = deployment.state
    const somebody = { id: 'ann', role: 'data_engineer' }
    await hour(0, -50)
    await run()
    const [first] = await openGates(deployment)
    await gates.decide(first?.entryId ?? '', 'release', somebody, 'the sensor is gone, we know')
    await run()
    expect(await hourlyWindows(deployment)).toEqual({ north: 5, south: 5 })
    expect(await gates.entry(first?.entryId ?? '')).toMatchObject({
      ...{ status: 'cleared', clearedBy: 'ann', note: 'the sensor is gone, we know' },
    })
    await hour(1, -50)
    await run()
    const [second] = await openGates(deployment)
    expect(second?.entryId).not.toBe(first?.entryId)
    await gates.decide(second?.entryId ?? '', 'discard', somebody, 'useless')
    await run()
    expect(await openGates(deployment)).toEqual([])
    expect(await hourlyWindows(deployment)).toEqual({ north: 5, south: 10 })
    await expect(gates.decide(second?.entryId ?? '', 'retry', somebody, '')).rejects.toThrow(
      'closed already',
    )
  })

  it('keeps a decision that came while a run was carrying out an earlier one', async () => {
    const { deployment, hour, run } = await opened()
    const { gates } = deployment.state
    const somebody = { id: 'ann', role: 'data_engineer' }
    await hour(0, -50)
    await run()
    const entryId = (await openGates(deployment))[0]?.entryId ?? ''
    const seen = (await gates.entry(entryId)).decision
    const { decision } = await gates.decide(entryId, 'release', somebody, 'meanwhile')
    await gates.waits(entryId, 300, seen)
    expect((await gates.entry(entryId)).decision).toEqual(decision)
    await gates.waits(entryId, 300, decision)
    expect((await gates.entry(entryId)).decision).toBeUndefined()
  })

  it('warns without stopping anything where the limit is only a warning', async () => {
    const { deployment, hour, run } = await opened()
    await changeGate(deployment, 'E2.7', { holdLimit: null }, { id: 'ann', role: 'admin' })
    await hour(0, -50)
    await run()
    expect(await hourlyWindows(deployment)).toEqual({ north: 5, south: 5 })
    const found = await deployment.state.gates.list({ status: 'open' })
    expect(found.map(({ gateId }) => gateId).toSorted()).toEqual(['E2.7', 'E3.6'])
    expect(found.every(({ holds, severity }) => holds === 'nothing' && severity === 'WARN')).toBe(
      true,
    )
    expect(found.map(({ scope }) => scope.siteId)).toEqual(['north', 'north'])
    await hour(1, 300)
    await run()
    expect(await deployment.state.gates.list({ status: 'open' })).toEqual([])
  })
})
