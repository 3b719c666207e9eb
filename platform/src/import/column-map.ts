import { z } from 'zod'
import { type FleetDefinition, IsothermError } from '../contracts/index.ts'

const columnMapSchema = z.strictObject({
  device: z
    .union([z.strictObject({ column: z.string() }), z.strictObject({ constant: z.string() })])
    .optional(),
  timestamp: z
    .strictObject({
      column: z.string(),
      /** strptime pattern, or `epoch_s` / `epoch_ms`; ISO 8601 without it. */
      format: z.string().optional(),
      /** IANA zone of timestamps without offset; UTC without it. */
      timezone: z.string().optional(),
    })
    .optional(),
  /** `,` for files that write 21,5; default: a point. */
  decimal: z.enum(['.', ',']).optional(),
  columns: z
    .record(z.string(), z.strictObject({ column: z.string(), unit: z.string().optional() }))
    .default({}),
})

/** How the columns of a file become messages: device, time, and one entry per sensor. */
export type ColumnMap = z.infer<typeof columnMapSchema>

/** A map whose every part is known to be in the file. */
export type ResolvedMap = {
  readonly device: { readonly column: string } | { readonly constant: string }
  readonly timestamp: NonNullable<ColumnMap['timestamp']>
  readonly decimal: '.' | ','
  readonly sensors: readonly {
    readonly name: string
    readonly column: string
    readonly unit?: string
  }[]
}

/** Reads a map from JSON text. @throws IsothermError INPUT_INVALID with the path of the fault */
export function parseColumnMap(text: string, origin: string): ColumnMap {
  try {
    return columnMapSchema.parse(JSON.parse(text))
  } catch (cause) {
    const reason =
      cause instanceof z.ZodError
        ? cause.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
        : String(cause)
    throw new IsothermError('INPUT_INVALID', `${origin} is not a column map: ${reason}`, { cause })
  }
}

/** Adds `sensor=Column` or `sensor=Column[unit]` entries from the command line to a map. */
export function withInlineEntries(map: ColumnMap, entries: readonly string[]): ColumnMap {
  const columns = { ...map.columns }
  let { device, timestamp, decimal } = map
  for (const entry of entries) {
    const match = /^([a-z][a-z0-9_]*)=(.+?)(?:\[([^\]]+)\])?$/.exec(entry)
    if (match === null) {
      throw new IsothermError(
        'INPUT_INVALID',
        `--map ${entry}: expected sensor=Column or sensor=Column[unit], or a .json file`,
      )
    }
    const [, name = '', column = '', unit] = match
    if (name === 'device_id') device = { column }
    else if (name === 'decimal' && (column === ',' || column === '.')) decimal = column
    else if (name === 'timestamp') timestamp = { column, ...(unit && { format: unit }) }
    else columns[name] = { column, ...(unit && { unit }) }
  }
  return { ...map, device, timestamp, decimal, columns }
}

const plain = (name: string) => name.trim().toLowerCase()

/**
 * Fits a map to a file and a fleet. Column names match without regard to case and outer blanks;
 * what the map leaves out is found by the sensors' own names.
 * @throws IsothermError INPUT_INVALID, naming what is missing and what the file has
 */
export function resolveMap(
  fleet: FleetDefinition,
  map: ColumnMap,
  fileColumns: readonly string[],
  defaultDeviceId: string | undefined,
): ResolvedMap {
  const byName = new Map(fileColumns.map((name) => [plain(name), name]))
  const has = fileColumns.map((name) => name.trim()).join(', ')
  const fail = (message: string): never => {
    throw new IsothermError('INPUT_INVALID', `${message}; the file has ${has}`)
  }
  const column = (name: string, what: string) =>
    byName.get(plain(name)) ?? fail(`${what}: there is no column "${name}"`)

  const unknown = Object.keys(map.columns).find(
    (name) => !fleet.sensors.some((sensor) => sensor.name === name),
  )
  if (unknown !== undefined) {
    fail(
      `the ${fleet.name} fleet has no sensor ${unknown}; its sensors are ` +
        fleet.sensors.map(({ name }) => name).join(', '),
    )
  }
  const sensors = fleet.sensors.flatMap((sensor) => {
    const mapped = map.columns[sensor.name]
    if (mapped !== undefined) {
      const { unit } = mapped
      return [
        { name: sensor.name, column: column(mapped.column, sensor.name), ...(unit && { unit }) },
      ]
    }
    // Lines as devices send them have their readings in an object of their own.
    const own = byName.get(sensor.name) ?? byName.get(`readings.${sensor.name}`)
    return own === undefined ? [] : [{ name: sensor.name, column: own }]
  })
  if (sensors.length === 0) {
    const names = fleet.sensors.map(({ name }) => name).join(', ')
    fail(`no sensor is mapped: add --map sensor=Column[unit] for some of ${names}`)
  }
  const timeColumn = map.timestamp?.column ?? 'timestamp'
  return {
    device: resolveDevice(map, byName, defaultDeviceId, column, fail),
    timestamp: { ...map.timestamp, column: column(timeColumn, 'timestamp') },
    decimal: map.decimal ?? '.',
    sensors,
  }
}

function resolveDevice(
  map: ColumnMap,
  byName: ReadonlyMap<string, string>,
  defaultDeviceId: string | undefined,
  column: (name: string, what: string) => string,
  fail: (message: string) => never,
): ResolvedMap['device'] {
  if (map.device !== undefined) {
    return 'constant' in map.device
      ? map.device
      : { column: column(map.device.column, 'device_id') }
  }
  const own = byName.get('device_id')
  if (own !== undefined) return { column: own }
  if (defaultDeviceId !== undefined) return { constant: defaultDeviceId }
  return fail('no device: add --map device_id=Column or --device ID')
}
