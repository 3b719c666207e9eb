import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openLog } from '../../log/index.ts'
import { settings, temporaryFolder } from './diagnosis-test-support.ts'
import { consumers } from './stored-data.ts'

const hourMs = 3_600_000

it('finds a consumer that is further behind than the log keeps', async () => {
  const dataDirectory = temporaryFolder()
  const nowMs = Date.now()
  const log = await openLog({ directory: join(dataDirectory, 'log'), clock: () => nowMs })
  const record = (ageHours: number) => ({
    deviceId: 'D-1',
    eventId: `e-${ageHours}`,
    ingestedAtMs: nowMs - ageHours * hourMs,
    protocol: 'mqtt3' as const,
    body: {
      kind: 'readable' as const,
      format: 'wide' as const,
      deviceTimeMs: nowMs,
      payload: Buffer.from('{}'),
    },
  })
  await log.append([record(200), record(100), record(1)])
  const states = async (position: number) => {
    await log.commitPosition('isotherm-materializer', 0, position)
    return await consumers(settings({ dataDirectory, nowMs }))
  }
  expect(await states(0)).toMatchObject([
    { state: 'failed', found: '200.0 h and 3 records behind' },
  ])
  expect(await states(1)).toMatchObject([
    { state: 'warning', found: '100.0 h and 2 records behind' },
  ])
  expect(await states(2)).toMatchObject([{ state: 'ok' }])
  await log.close()
  writeFileSync(join(dataDirectory, 'log', 'positions.json'), '{')
  expect(await consumers(settings({ dataDirectory, nowMs }))).toMatchObject([{ state: 'failed' }])
})
