import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const program = join(import.meta.dirname, '..', 'platform', 'bin', 'isotherm.js')
const folder = mkdtempSync(join(tmpdir(), 'isotherm-scenario-'))
const data = join(folder, 'data')

type Ended = { readonly code: number; readonly output: string; readonly errors: string }

function isotherm(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], (error, output, errors) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1
      resolve({ code, output, errors })
    })
  })
}

async function json<T>(...args: readonly string[]): Promise<readonly T[]> {
  const { code, output, errors } = await isotherm(...args, '--data', data, '--json')
  expect(errors).toBe('')
  expect(code).toBe(0)
  return JSON.parse(output) as readonly T[]
}

const startMs = Date.UTC(2026, 2, 2)
const dayCount = 6

/**
 * An air handler a reading a minute in degrees Fahrenheit: cooling follows the day. From noon of
 * the last day the heating valve leaks, and the supply air is warm while it is told to stay shut.
 */
function airHandlerCsv(): string {
  const rows = ['Time,Supply,Mixed,Return,Fan,Cool,Heat']
  let noise = 1
  const wobble = () => {
    noise = (noise * 48271) % 2147483647
    return noise / 2147483647 - 0.5
  }
  for (let minute = 0; minute < dayCount * 1440; minute++) {
    const hour = (minute / 60) % 24
    const isDay = hour >= 7 && hour < 19
    const isFaulty = minute >= (dayCount - 1) * 1440 + 720
    const mixed = 72 + 6 * Math.sin(((hour - 9) / 24) * 2 * Math.PI) + wobble()
    const cooling = isDay ? 0.4 + 0.1 * wobble() : 0
    const supply = mixed - 30 * cooling + (isFaulty ? 14 : 0) + wobble()
    const cells = [supply, mixed, 74 + wobble(), isDay ? 0.6 : 0.2, cooling, 0]
    const time = new Date(startMs + minute * 60_000).toISOString()
    rows.push(`${time},${cells.map((cell) => cell.toFixed(2)).join(',')}`)
  }
  return `${rows.join('\n')}\n`
}

const map = [
  'timestamp=Time',
  'supply_air_temperature=Supply[degF]',
  'mixed_air_temperature=Mixed[degF]',
  'return_air_temperature=Return[degF]',
  'supply_fan_speed=Fan[fraction]',
  'cooling_valve=Cool[fraction]',
  'heating_valve=Heat[fraction]',
]

describe('somebody with a CSV of their own equipment', () => {
  const csv = join(folder, 'unit.csv')
  const day = (n: number) => new Date(startMs + n * 86_400_000).toISOString()

  beforeAll(() => writeFileSync(csv, airHandlerCsv()))

  it('imports it, with columns mapped and units converted', async () => {
    const [done] = await json<{ rows: number; clean_rows: number }>(
      ...['import', csv, '--fleet', 'ahu', '--device', 'AHU-9', '--map', ...map],
    )
    expect(done).toMatchObject({ rows: dayCount * 1440, clean_rows: dayCount * 1440 })
    const [row] = await json<{ mixed: number }>(
      'query',
      'SELECT avg(mixed_air_temperature) AS mixed FROM clean_sensor_readings',
    )
    // 72 °F on average.
    expect(row?.mixed).toBeCloseTo(22.2, 0)
  })

  it('stores nothing twice when the file is imported again', async () => {
    await json('import', csv, '--device', 'AHU-9', '--map', ...map)
    const [row] = await json<{ n: string }>(
      'query',
      'SELECT count(*) AS n FROM clean_sensor_readings',
    )
    expect(Number(row?.n)).toBe(dayCount * 1440)
  })

  it('trains on the healthy days and gets alerts on the fault, none before', async () => {
    const trained = await json<{ result: string }>('train', '--until', day(dayCount - 1))
    expect(trained.map(({ result }) => result)).toEqual(['trained, deployed', 'trained, deployed'])
    const until = day(dayCount)
    const [replayed] = await json<{ alerts: number }>(
      ...['replay', '--from', day(dayCount - 1), '--until', until],
    )
    expect(replayed?.alerts).toBeGreaterThan(0)
    const alerts = await json<{ title: string; created: string; severity: string }>(
      'query',
      'SELECT title, severity, epoch_ms(first_detected_at) AS created FROM device_alerts ' +
        "WHERE NOT suppressed AND severity IN ('HIGH', 'CRITICAL')",
    )
    expect(alerts.length).toBeGreaterThan(0)
    const onset = startMs + (dayCount - 1) * 86_400_000 + 43_200_000
    for (const { created } of alerts) expect(Number(created)).toBeGreaterThanOrEqual(onset)
    expect(alerts.map(({ title }) => title).join('\n')).toMatch(/supply air temperature is higher/i)
  })

  it('acknowledges and resolves from the command line', async () => {
    const [first] = await json<{ alert_id: string; status: string }>('alerts', 'list')
    const id = first?.alert_id ?? ''
    const [seen] = await json<{ status: string }>('alerts', 'acknowledge', id)
    expect(seen?.status).toBe('ACKNOWLEDGED')
    const [closed] = await json<{ status: string }>(
      ...['alerts', 'resolve', id, '--code', 'REPAIRED', '--notes', 'valve stem replaced'],
    )
    expect(closed?.status).toBe('RESOLVED')
  })
}, 180_000)

describe('somebody with equipment nobody has heard of', () => {
  const room = join(folder, "a room's folder")
  const fleet = join(room, 'room.ts')
  const roomData = join(room, 'data')

  beforeAll(() => {
    mkdirSync(room)
    writeFileSync(
      fleet,
      `import { defineFleet } from 'isotherm/contracts'
      export const room = defineFleet({
        name: 'room', title: 'Rooms', deviceNoun: 'room', equipmentClasses: ['room'],
        sensors: [{ name: 'temperature', short: 'temperature', label: 'temperature', kind: 'gauge',
          unit: '°C', group: 'air', range: [-20, 60], resolution: 0.1, aggregates: ['mean'],
          meaning: 'Of the air' }],
        rangeProfiles: {}, absolutePressureSensors: [], derivedFeatures: [], windowMinutes: [60],
        operatingModes: [], firmwareMatrix: [], models: [], streamRules: [], fallbackRules: [],
        yardstickRules: [], hints: [], bands: [], importDefaults: {},
      })`,
    )
    writeFileSync(
      join(room, 'log.csv'),
      'Zeit;Temp\n01.03.2026 10:00;21,5\n01.03.2026 10:01;21,7\n',
    )
  })

  it('imports with a fleet file outside the workspace, remembered by the folder', async () => {
    const where = ['--data', roomData, '--json'] as const
    const unfit = await isotherm('import', join(room, 'log.csv'), ...where)
    expect(unfit.code).toBe(2)
    // The fleet was forgotten: the folder is not bound to another one for that.
    expect(existsSync(roomData)).toBe(false)
    const map = ['timestamp=Zeit[%d.%m.%Y %H:%M]', 'temperature=Temp', 'decimal=,']
    const done = await isotherm(
      ...['import', join(room, 'log.csv'), '--fleet', fleet, '--device', 'R1', '--map', ...map],
      ...where,
    )
    expect(done).toMatchObject({ code: 0, errors: '' })
    const sql = 'SELECT max(temperature) AS t FROM clean_sensor_readings'
    const asked = await isotherm('query', sql, ...where)
    expect(JSON.parse(asked.output)).toEqual([{ t: 21.7 }])
    const newer = await isotherm('query', `${sql} AS OF VERSION 99`, ...where)
    expect(newer).toMatchObject({ code: 2, errors: expect.stringMatching(/found newest is/) })
  })
}, 60_000)

describe('commands beside a running server', () => {
  let server: ReturnType<typeof spawn>
  const own = mkdtempSync(join(folder, 'served-'))

  beforeAll(async () => {
    server = spawn(process.execPath, [
      ...[program, 'up', '--data', own, '--fleet', 'ahu'],
      ...['--port', '0', '--mqtt-port', '0', '--mqtts-port', '0'],
    ])
    await once(server.stdout as NodeJS.ReadableStream, 'data')
  })
  afterAll(() => void server.kill('SIGKILL'))

  it('read on, or say who has the folder and what to do', async () => {
    for (const reading of [
      ['models'],
      ['alerts', 'list'],
      ['devices', 'list'],
      ['tokens', 'list'],
    ]) {
      const { code, output } = await isotherm(...reading, '--data', own, '--json')
      expect([reading, code, output.trim()]).toEqual([reading, 0, '[]'])
    }
    for (const writing of [['train'], ['run', 'all'], ['devices', 'add', 'A'], ['up']]) {
      const { code, errors } = await isotherm(...writing, '--data', own)
      expect(errors).toMatch(/in use by the server at http:.*: stop it with Ctrl-C/)
      expect(code).toBe(1)
    }
  })

  it('ends well when interrupted', async () => {
    const ended = once(server, 'exit')
    server.kill('SIGINT')
    expect(await ended).toEqual([0, null])
  })
}, 60_000)

describe('wrong usage ends with 2 and says what to type', () => {
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['an unknown command', ['trane'], /unknown command 'trane'/],
    ['an unknown flag', ['train', '--sed', '1'], /unknown option '--sed'.*Did you mean --seed/s],
    ['an unknown stage', ['run', 'fly'], /no stage fly; type one of land, clean/],
    ['an unknown fleet', ['train', '--fleet', 'boats', '--data', data], /no fleet boats/],
    [
      'a missing file',
      ['import', 'nowhere.csv', '--fleet', 'ahu', '--data', join(folder, 'n')],
      /no such file/,
    ],
    [
      'a wrong instant',
      ['run', 'all', '--until', 'soon', '--data', data],
      /--until soon: expected an instant/,
    ],
    ['a query that writes', ['query', 'DROP TABLE model_scores', '--data', data], /read only/],
    ['a folder that is not there', ['train', '--data', join(folder, 'n')], /is no data folder/],
    ['no step', ['replay', '--until', '2026-03-08', '--step', '0', '--data', data], /--step 0/],
    [
      'an address others reach, without tokens',
      ['up', '--host', '0.0.0.0', '--data', join(folder, 'open')],
      /isotherm tokens add/,
    ],
    ['an unknown alert', ['alerts', 'acknowledge', 'x', '--data', data], /no alert x/],
  ]
  it.each(cases)('%s', async (_name, args, message) => {
    const { code, errors } = await isotherm(...args)
    expect(errors).toMatch(message)
    expect(code).toBe(2)
  })

  it('a partly bad CSV, row by row', async () => {
    const csv = join(folder, 'bad.csv')
    writeFileSync(
      csv,
      'device_id,timestamp,cooling_valve\nA,2026-03-01T00:00:00Z,1\nA,never,2\nA,2026-03-01T00:02:00Z,x\n',
    )
    const { code, errors } = await isotherm(
      ...['import', csv, '--fleet', 'ahu', '--data', join(folder, 'bad')],
    )
    expect(code).toBe(2)
    expect(errors).toMatch(/2 bad rows.*row 2: .*never.*row 3: .*"x" is no number/s)
  })
}, 60_000)

describe('a start that cannot work is refused and damages nothing', () => {
  const blocker = createServer()
  let port = 0

  beforeAll(async () => {
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve))
    const address = blocker.address()
    port = typeof address === 'object' && address !== null ? address.port : 0
  })
  afterAll(() => void blocker.close())

  it('when the port is taken', async () => {
    const { code, errors } = await isotherm(
      ...['up', '--data', data, '--port', String(port), '--mqtt-port', '0', '--mqtts-port', '0'],
    )
    expect(errors).toMatch(new RegExp(`port ${port} .*in use`))
    expect(code).toBe(1)
  })

  it('when the folder is of a newer version', async () => {
    const newer = mkdtempSync(join(folder, 'newer-'))
    const marker = join(newer, 'isotherm.json')
    writeFileSync(marker, '{"layout":99,"fleet":"ahu"}')
    const { code, errors } = await isotherm('train', '--data', newer)
    expect(errors).toMatch(/layout 99.*nothing was changed/s)
    expect(code).toBe(1)
    expect(readFileSync(marker, 'utf8')).toBe('{"layout":99,"fleet":"ahu"}')
  })
}, 60_000)
