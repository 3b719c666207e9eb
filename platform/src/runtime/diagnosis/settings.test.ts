import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type DeviceRow, exampleFleet, newDevice } from '../../contracts/index.ts'
import { openState } from '../../objects/index.ts'
import { settings, temporaryFolder } from './diagnosis-test-support.ts'
import { fleetDefinition, registryNames, timeZones } from './settings.ts'

/** A folder whose registry holds one device with something wrong. */
async function folderWith(wrong: DeviceRow): Promise<string> {
  const dataDirectory = temporaryFolder()
  const state = await openState({
    path: join(dataDirectory, 'state.db'),
    secretKey: new Uint8Array(32),
    clock: () => Date.now(),
  })
  await state.registry.upsert([wrong])
  await state.close()
  return dataDirectory
}

const device = (wrong: Partial<DeviceRow>) =>
  newDevice({
    device_id: 'D-1',
    valid_from: Date.now(),
    equipment_class: exampleFleet.equipmentClasses[0] ?? '',
    ...wrong,
  })

describe('the settings', () => {
  it('are failed for a fleet that does not load, or is not that of the folder', async () => {
    const dataDirectory = temporaryFolder()
    const fleet = { kind: 'failed', named: 'mine.ts', reason: 'no sensor hum' } as const
    expect(await fleetDefinition(settings({ fleet }))).toMatchObject([
      { state: 'failed', where: 'mine.ts', found: 'no sensor hum' },
    ])
    writeFileSync(join(dataDirectory, 'isotherm.json'), '{"layout":1,"fleet":"boats"}')
    const [found] = await fleetDefinition(settings({ dataDirectory }))
    expect(found).toMatchObject({ state: 'failed' })
    expect(found?.found).toContain('the folder holds boats')
    writeFileSync(join(dataDirectory, 'isotherm.json'), '{"layout":')
    expect(await fleetDefinition(settings({ dataDirectory }))).toMatchObject([{ state: 'failed' }])
  })

  it('are warned of when a device names a sensor or class the fleet does not know', async () => {
    const wrong = { expected_sensors: ['warp_core'], equipment_class: 'starship' }
    const dataDirectory = await folderWith(device(wrong))
    const findings = await registryNames(settings({ dataDirectory }))
    expect(findings.map(({ found }) => found)).toEqual([
      `sensor warp_core of D-1 is unknown to ${exampleFleet.name}`,
      `equipment class starship of D-1 is unknown to ${exampleFleet.name}`,
    ])
  })

  it('are failed for a zone nobody knows, and warned of for local times without one', async () => {
    const mars = await folderWith(device({ timezone: 'Mars/Olympus' }))
    expect(await timeZones(settings({ dataDirectory: mars }))).toMatchObject([
      { state: 'failed', found: 'Mars/Olympus of D-1' },
    ])
    const local = await folderWith(device({ timestamp_mode: 'local' }))
    expect(await timeZones(settings({ dataDirectory: local }))).toMatchObject([
      { state: 'warning', found: 'local times, but zone UTC, for D-1' },
    ])
    const good = await folderWith(device({ timezone: 'Europe/Berlin' }))
    expect(await timeZones(settings({ dataDirectory: good }))).toMatchObject([{ state: 'ok' }])
  })
})
