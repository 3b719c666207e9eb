import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exampleFleet, newDevice } from 'isotherm/contracts'
import { createAdmission } from 'isotherm/import'
import { reportHtml } from 'isotherm/quality'
import {
  createStageClock,
  type Deployment,
  openDeployment,
  openQuality,
  runPipeline,
} from 'isotherm/runtime'
import { openOffline } from './offline-page.ts'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

const startMs = Date.UTC(2026, 1, 16)
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const sites = ['north', 'south', 'east'] as const
const unitsPerSite = 8
/** What the north sends: kPa against atmosphere, as its gauges do, although we were told absolute. */
const gaugePressure = -20

type Unit = { readonly deviceId: string; readonly site: string }

const units: readonly Unit[] = sites.flatMap((site) =>
  Array.from({ length: unitsPerSite }, (_, index) => ({ deviceId: `${site}-${index}`, site })),
)

function deviceOf({ deviceId, site }: Unit, reference: 'absolute' | 'gauge') {
  return newDevice({
    ...{ device_id: deviceId, site_id: site, valid_from: startMs, equipment_class: 'example' },
    ...{ firmware_version: '3.5', pressure_reference: reference },
  })
}

async function sendHour({ log }: Deployment, hour: number): Promise<void> {
  const admit = createAdmission(exampleFleet)
  const records = Array.from(
    { length: 60 },
    (_, minute) => startMs + hour * hourMs + minute * minuteMs,
  )
    .flatMap((timeMs) => units.map((unit) => ({ ...unit, timeMs })))
    .map(({ deviceId, site, timeMs }) => {
      const pressure = site === 'north' ? gaugePressure : 310
      const readings = { temperature: 4 + (timeMs % 7), pressure, door_open: false }
      const timestamp = new Date(timeMs).toISOString()
      const payload = Buffer.from(JSON.stringify({ device_id: deviceId, timestamp, readings }))
      return admit({ deviceId, timeMs, payload })
    })
  await log.append(records)
}

/** Quarter-hour windows per site. */
async function windows({ lake }: Deployment): Promise<Readonly<Record<string, number>>> {
  const { rows } = await lake.query(`SELECT split_part(device_id, '-', 1), count(*)::INTEGER
    FROM device_features WHERE window_duration_minutes = 15 GROUP BY ALL`)
  return Object.fromEntries(rows)
}

/** Windows of the north whose pressure is the true one. */
async function trueWindows({ lake }: Deployment): Promise<number> {
  const { rows } = await lake.query(`SELECT count(*)::INTEGER FROM device_features
    WHERE window_duration_minutes = 15 AND starts_with(device_id, 'north')
      AND abs(pressure_mean - ${gaugePressure + 101.325}) < 1e-9 AND reading_count = 15`)
  return Number(rows[0]?.[0])
}

/** A site whose data cannot be right waits, alone; mended, it catches up. */
export const promised: Promised = {
  id: 'D3',
  title:
    'a gate of one site fails: its features wait, others go on, it catches up, and people see it',
  unit: 'conditions that did not hold',
  bar: '0 of 9',
  quick: false,
  limitSeconds: 120,
  run: async (report) => {
    const folder = temporaryFolder('d3')
    let nowMs = startMs
    const deployment = await openDeployment({
      ...{ fleet: exampleFleet, dataDirectory: join(folder.path, 'data'), threadCount: 2 },
      clock: () => nowMs,
    })
    try {
      const { registry } = deployment.state
      const quality = openQuality(deployment)
      const clock = createStageClock(
        () => nowMs,
        () => performance.now(),
      )
      const run = async (hour: number) => {
        nowMs = startMs + hour * hourMs
        await runPipeline(deployment, clock, { finishUntilMs: nowMs })
        await quality.check()
      }
      const holding = async () =>
        (await quality.entries({ status: 'open' })).filter(({ holds }) => holds === 'rows')
      await registry.upsert(units.map((unit) => deviceOf(unit, 'absolute')))
      await sendHour(deployment, 0)
      await run(1)
      await sendHour(deployment, 1)
      await run(2)
      const perHour = 4 * unitsPerSite
      const held = await windows(deployment)
      const entries = await holding()
      const page = await quality.report({})
      const path = join(folder.path, 'report.html')
      writeFileSync(path, reportHtml(page))
      const shown = await openOffline(path)
      report(`held: ${JSON.stringify({ held, gates: entries.map(({ gateId }) => gateId) })}`)

      await registry.upsert(
        units.filter(({ site }) => site === 'north').map((unit) => deviceOf(unit, 'gauge')),
      )
      await sendHour(deployment, 2)
      await run(3)
      const after = await windows(deployment)
      report(`mended: ${JSON.stringify(after)}`)
      const conditions = {
        waits: held.north === undefined,
        othersGoOn: held.south === 2 * perHour && held.east === 2 * perHour,
        oneEntry: entries.length === 1 && entries[0]?.scope.siteId === 'north',
        rowsCounted: entries[0]?.rowCount === 2 * 60 * unitsPerSite,
        shownOffline: shown.text.includes('north') && shown.text.includes('960 rows wait'),
        nothingFetched: shown.requests === 0 && shown.errors.length === 0,
        caughtUp: after.north === 3 * perHour && after.south === 3 * perHour,
        trueValues: (await trueWindows(deployment)) === 3 * perHour,
        closedByItself:
          (await holding()).length === 0 &&
          (await deployment.state.alerts.checkAudit()).kind === 'intact',
      }
      const failed = Object.entries(conditions).flatMap(([name, holds]) => (holds ? [] : [name]))
      return {
        ok: failed.length === 0,
        value: failed.length,
        detail: { failed, held, after, browser: shown.browser, shownErrors: shown.errors },
      }
    } finally {
      await deployment.close()
      folder.remove()
    }
  },
}
