import { readFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { z } from 'zod'
import { type DeviceRow, IsothermError, newDevice } from '../../contracts/index.ts'
import { deviceFields, generateSasKeys, hashPassword } from '../../objects/index.ts'
import { type Deployment, readServerMarker, type ServerMarker } from '../../runtime/index.ts'
import { callServer } from '../call-server.ts'
import { type CommonOptions, command, withDeployment, withNewDeployment } from '../program.ts'
import { addDeviceHub } from './device-hub.ts'
import { addRegistryFiles, importHubFile, isHubExport } from './registry-files.ts'

const deviceSchema = z.strictObject({
  device_id: z.string(),
  ...deviceFields,
  username: z.string().optional(),
  password: z.string().optional(),
})

type DeviceEntry = z.infer<typeof deviceSchema>

/** What the caller needs to let a device connect; shown once. */
type Registered = { readonly device_id: string; readonly connection_string: string }

function rowOf(entry: DeviceEntry, { fleet, clock }: Deployment): DeviceRow {
  const { username: _username, password: _password, ...given } = entry
  const known = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  ) as Partial<DeviceRow>
  return newDevice({
    equipment_class: fleet.equipmentClasses[0] ?? 'default',
    ...known,
    device_id: entry.device_id,
    valid_from: clock(),
  })
}

async function register(
  deployment: Deployment,
  entries: readonly DeviceEntry[],
  hostName: string,
): Promise<readonly Registered[]> {
  const { state } = deployment
  await state.registry.upsert(entries.map((entry) => rowOf(entry, deployment)))
  const registered: Registered[] = []
  const credentials: Parameters<typeof state.credentials.set>[0][number][] = []
  for (const { device_id: deviceId, username, password } of entries) {
    const keys = generateSasKeys()
    credentials.push({ deviceId, credential: keys })
    if (username !== undefined && password !== undefined) {
      const passwordHash = await hashPassword(password)
      credentials.push({ deviceId, credential: { kind: 'password', username, passwordHash } })
    }
    const parts = [
      `HostName=${hostName}`,
      `DeviceId=${deviceId}`,
      `SharedAccessKey=${keys.primaryKey}`,
    ]
    registered.push({ device_id: deviceId, connection_string: parts.join(';') })
  }
  await state.credentials.set(credentials)
  return registered
}

function readEntries(path: string): readonly DeviceEntry[] {
  let lines: readonly string[]
  try {
    lines = readFileSync(path, 'utf8').split('\n')
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new IsothermError('INPUT_INVALID', `${path}: ${reason}`, { cause })
  }
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return []
    try {
      return [deviceSchema.parse(JSON.parse(line))]
    } catch (cause) {
      const reason =
        cause instanceof z.ZodError
          ? cause.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')
          : String(cause)
      throw new IsothermError(
        'INPUT_INVALID',
        `${path} line ${index + 1}: ${reason}; one JSON object a line, device_id at least`,
        { cause },
      )
    }
  })
}

type LiveDevice = { readonly device_id: string }

async function listFromServer(server: ServerMarker): Promise<readonly LiveDevice[]> {
  const devices: LiveDevice[] = []
  let cursor = ''
  for (;;) {
    const page = await callServer<{
      readonly devices: readonly LiveDevice[]
      readonly next_cursor?: string | null
    }>(server, { path: `/api/v1/devices?limit=500${cursor}` })
    devices.push(...page.devices)
    if (page.next_cursor === undefined || page.next_cursor === null) return devices
    cursor = `&cursor=${encodeURIComponent(page.next_cursor)}`
  }
}

/** `isotherm devices ...`: who may send. */
export function addDevices(program: Command): void {
  const devices = program.command('devices').description('list and register devices')
  command<CommonOptions>(
    devices,
    'list',
    'list devices with health',
    [],
    async (options, output) => {
      const server = readServerMarker(options.data)
      if (server !== undefined) {
        output.records(await listFromServer(server))
        return
      }
      await withDeployment(options, async ({ state }) => {
        output.records(
          state.registry.devices().map((device) => {
            const live = state.live.device(device.device_id)
            return {
              device_id: device.device_id,
              site_id: device.site_id,
              model: device.model,
              health: live?.healthStatus ?? 'unknown',
              score: live?.latestScore ?? null,
              open_alerts: live?.openAlertCount ?? 0,
              last_reading:
                live?.lastReadingMs === undefined
                  ? null
                  : new Date(live.lastReadingMs).toISOString(),
            }
          }),
        )
      })
    },
  )
  addRegistryFiles(devices)
  const hostName = new Option('--host-name <name>', 'name devices connect to').default('localhost')
  command<
    CommonOptions & { readonly hostName: string; readonly site: string; readonly model: string }
  >(
    devices,
    'add <device>',
    'register one device and print its connection string, once',
    [
      hostName,
      new Option('--site <id>', 'site').default('SITE-1'),
      new Option('--model <name>', 'equipment model').default('unknown'),
    ],
    async (options, output, [deviceId = '']) => {
      const { site, model } = options
      const entry = deviceSchema.parse({ device_id: deviceId, site_id: site, model })
      output.records(
        await withNewDeployment(options, (deployment) =>
          register(deployment, [entry], options.hostName),
        ),
      )
    },
  )
  command<CommonOptions & { readonly hostName: string }>(
    devices,
    'import <file>',
    "register devices from NDJSON and print their connection strings, once; or take over an IoT Hub's export",
    [hostName],
    async (options, output, [path = '']) => {
      if (isHubExport(path)) {
        await importHubFile(options, path, output)
        return
      }
      const entries = readEntries(path)
      output.records(
        await withNewDeployment(options, (deployment) =>
          register(deployment, entries, options.hostName),
        ),
      )
    },
  )
  command<CommonOptions & { readonly backdate?: boolean }>(
    devices,
    'collector <name>',
    'create a token that may send for many devices; printed once',
    [new Option('--backdate', 'may stamp readings with their own time (history)')],
    async (options, output, [name = '']) => {
      const made = await withNewDeployment(options, ({ state }) =>
        state.credentials.addCollector({
          collectorId: name,
          mayBackdate: options.backdate === true,
        }),
      )
      output.records([{ collector: name, token: made.token }])
    },
  )
  addDeviceHub(devices)
}
