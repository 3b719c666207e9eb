import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { z } from 'zod'
import { IsothermError } from '../../contracts/index.ts'
import { generateSasKeys, type HubDevice, hubDeviceSchema } from '../../objects/index.ts'
import type { Output } from '../output.ts'
import { type CommonOptions, command } from '../program.ts'
import { type RegistryAccess, stepSize, withRegistry } from '../registry-access.ts'

function linesOf(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\n')
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new IsothermError('INPUT_INVALID', `${path}: ${reason}`, { cause })
  }
}

/** True for an export of an IoT Hub: its first line names its device `id`. */
export function isHubExport(path: string): boolean {
  const first = linesOf(path).find((line) => line.trim() !== '')
  return first !== undefined && /^\s*\{\s*"id"\s*:/.test(first)
}

type Failure = { readonly line: number; readonly id: string; readonly reason: string }

function parseLine(text: string): HubDevice | string {
  try {
    return hubDeviceSchema.parse(JSON.parse(text))
  } catch (error) {
    if (error instanceof z.ZodError) {
      return error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')
    }
    if (error instanceof SyntaxError) return 'the line is not valid JSON'
    throw error
  }
}

/** Imports a file in IoT Hub's format; lines that cannot be taken are listed and cost no other. */
export async function importHubFile(
  options: CommonOptions,
  path: string,
  output: Output,
): Promise<void> {
  const failures: Failure[] = []
  const found: { readonly line: number; readonly device: HubDevice }[] = []
  for (const [index, text] of linesOf(path).entries()) {
    if (text.trim() === '') continue
    const device = parseLine(text)
    const line = index + 1
    if (typeof device === 'string') failures.push({ line, id: '', reason: device })
    else found.push({ line, device })
  }
  const counts = { created: 0, updated: 0, deleted: 0 }
  await withRegistry(options, async (registry) => {
    for (let start = 0; start < found.length; start += stepSize) {
      const step = found.slice(start, start + stepSize)
      const outcomes = await registry.importDevices(step.map(({ device }) => device))
      for (const [index, { id, result, reason = '' }] of outcomes.entries()) {
        if (result !== 'failed') counts[result]++
        else failures.push({ line: step[index]?.line ?? 0, id, reason })
      }
      output.progress(`${start + step.length} of ${found.length} devices`)
    }
  })
  output.records([{ ...counts, failed: failures.length, ...(output.isJson && { failures }) }])
  if (failures.length === 0) return
  if (!output.isJson) output.records(failures)
  process.exitCode = 1
}

async function exportFile(
  registry: RegistryAccess,
  path: string,
  withKeys: boolean,
): Promise<number> {
  // Whoever reads the file can be any of the devices: nobody else may.
  const file = openSync(path, 'wx', 0o600)
  try {
    let count = 0
    let after = ''
    for (;;) {
      const devices = await registry.exportDevices({ after, limit: stepSize, withKeys })
      const last = devices.at(-1)
      if (last === undefined) return count
      writeSync(file, devices.map((device) => `${JSON.stringify(device)}\n`).join(''))
      count += devices.length
      after = last.id
    }
  } finally {
    closeSync(file)
  }
}

async function deviceIn(registry: RegistryAccess, deviceId: string): Promise<HubDevice> {
  // The id before this one in text order, so that it is the first of what follows.
  const before = deviceId.slice(0, -1)
  for (let after = before; ; ) {
    const devices = await registry.exportDevices({ after, limit: 500, withKeys: true })
    const device = devices.find(({ id }) => id === deviceId)
    if (device !== undefined) return device
    const last = devices.at(-1)
    if (last === undefined || last.id > deviceId) {
      throw new IsothermError(
        'NOT_FOUND',
        `there is no device ${deviceId}; see isotherm devices list`,
      )
    }
    after = last.id
  }
}

async function importOne(registry: RegistryAccess, device: HubDevice): Promise<void> {
  const [outcome] = await registry.importDevices([device])
  if (outcome?.result !== 'failed') return
  throw new IsothermError('INPUT_INVALID', `device ${device.id}: ${outcome.reason}`)
}

type RollOptions = CommonOptions & { readonly key: string; readonly hostName: string }

function addRollKey(devices: Command): void {
  command<RollOptions>(
    devices,
    'roll-key <device>',
    'make one of the two keys anew and print its connection string, once; the other stays valid',
    [
      new Option('--key <which>', 'the key no device uses any more')
        .choices(['primary', 'secondary'])
        .makeOptionMandatory(),
      new Option('--host-name <name>', 'name devices connect to').default('localhost'),
    ],
    async (options, output, [deviceId = '']) => {
      const { primaryKey: fresh } = generateSasKeys()
      await withRegistry(options, async (registry) => {
        const { authentication } = await deviceIn(registry, deviceId)
        const changed = options.key === 'primary' ? { primaryKey: fresh } : { secondaryKey: fresh }
        await importOne(registry, {
          id: deviceId,
          importMode: 'update',
          authentication: {
            type: 'sas',
            symmetricKey: { ...authentication?.symmetricKey, ...changed },
          },
        })
      })
      const parts = [
        `HostName=${options.hostName}`,
        `DeviceId=${deviceId}`,
        `SharedAccessKey=${fresh}`,
      ]
      output.records([{ device_id: deviceId, connection_string: parts.join(';') }])
    },
  )
}

/** `isotherm devices export|disable|enable|roll-key`. */
export function addRegistryFiles(devices: Command): void {
  command<CommonOptions & { readonly keys: boolean }>(
    devices,
    'export <file>',
    "write all devices with keys, tags and twins to a new file, in IoT Hub's format",
    [new Option('--no-keys', 'leave the secrets out')],
    async (options, output, [path = '']) => {
      const count = await withRegistry(options, (registry) =>
        exportFile(registry, path, options.keys),
      )
      output.records([{ devices: count, file: path, keys: options.keys }])
    },
  )
  for (const [name, status] of [
    ['disable', 'disabled'],
    ['enable', 'enabled'],
  ] as const) {
    command<CommonOptions>(
      devices,
      `${name} <device>`,
      name === 'disable' ? 'refuse a device and end its session' : 'let a device in again',
      [],
      async (options, output, [id = '']) => {
        await withRegistry(options, (registry) =>
          importOne(registry, { id, importMode: 'update', status }),
        )
        output.records([{ device_id: id, status }])
      },
    )
  }
  addRollKey(devices)
}
