import { readFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { z } from 'zod'
import { IsothermError } from '../../contracts/index.ts'
import { deriveDeviceKey, type KeptEnrollment } from '../../objects/index.ts'
import { readServerMarker } from '../../runtime/index.ts'
import { callServer } from '../call-server.ts'
import { type CommonOptions, command, withDeployment, withNewDeployment } from '../program.ts'

type AddOptions = CommonOptions & {
  readonly individual?: boolean
  readonly ca?: string
  readonly thumbprint?: string
  readonly device?: string
  readonly site?: string
  readonly model?: string
  readonly reprovision: KeptEnrollment['reprovision']
  readonly disabled?: boolean
  readonly keys?: string
}

type Listed = { readonly id_scope: string; readonly enrollments: readonly object[] }
type Keys = { readonly primary_key?: string; readonly secondary_key?: string }

function attestationOf({ ca, thumbprint }: AddOptions): KeptEnrollment['attestation'] {
  if (ca !== undefined) {
    try {
      return { kind: 'x509_ca', certificate: readFileSync(ca, 'utf8') }
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new IsothermError('INPUT_INVALID', `--ca ${ca}: ${reason}`, { cause })
    }
  }
  if (thumbprint === undefined) return { kind: 'symmetric_key' }
  const primaryThumbprint = thumbprint.replaceAll(':', '').toUpperCase()
  return { kind: 'x509_thumbprint', primaryThumbprint, secondaryThumbprint: null }
}

const keyPair = z.object({ primaryKey: z.base64().min(1), secondaryKey: z.base64().min(1) })

/** Keys from a file: a pair, or an enrollment as `az iot dps enrollment-group show` prints it. */
function keysOf({ keys: path }: AddOptions): z.output<typeof keyPair> | undefined {
  if (path === undefined) return undefined
  const shown = z.object({ attestation: z.object({ symmetricKey: keyPair }) })
  try {
    const found = z.union([keyPair, shown]).parse(JSON.parse(readFileSync(path, 'utf8')))
    return 'attestation' in found ? found.attestation.symmetricKey : found
  } catch (cause) {
    throw new IsothermError(
      'INPUT_INVALID',
      `--keys ${path}: expected JSON with primaryKey and secondaryKey in base64, as ` +
        'az iot dps enrollment-group show --show-keys prints it',
      { cause },
    )
  }
}

/** The same for the API, in its own spelling. */
function requestOf(id: string, options: AddOptions): object {
  const attestation = attestationOf(options)
  const keys = keysOf(options)
  return {
    enrollment_id: id,
    kind: options.individual === true ? 'individual' : 'group',
    attestation:
      attestation.kind === 'x509_thumbprint'
        ? { kind: attestation.kind, primary_thumbprint: attestation.primaryThumbprint }
        : attestation,
    is_enabled: options.disabled !== true,
    reprovision: options.reprovision,
    ...(keys !== undefined && {
      keys: { primary_key: keys.primaryKey, secondary_key: keys.secondaryKey },
    }),
    ...(options.device !== undefined && { device_id: options.device }),
    device: {
      ...(options.site !== undefined && { site_id: options.site }),
      ...(options.model !== undefined && { model: options.model }),
    },
  }
}

async function addLocally(id: string, options: AddOptions): Promise<Keys> {
  return withNewDeployment(options, async ({ state, fleet }) => {
    const equipmentClass = fleet.equipmentClasses[0]
    const kept: KeptEnrollment = {
      enrollmentId: id,
      kind: options.individual === true ? 'individual' : 'group',
      attestation: attestationOf(options),
      isEnabled: options.disabled !== true,
      reprovision: options.reprovision,
      ...(options.device !== undefined && { deviceId: options.device }),
      device: {
        ...(equipmentClass !== undefined && { equipment_class: equipmentClass }),
        ...(options.site !== undefined && { site_id: options.site }),
        ...(options.model !== undefined && { model: options.model }),
      },
    }
    const made = await state.enrollments.put(kept, keysOf(options))
    return made === undefined
      ? {}
      : { primary_key: made.primaryKey, secondary_key: made.secondaryKey }
  })
}

/** `isotherm enrollments ...`: which devices may register themselves. */
export function addEnrollments(program: Command): void {
  const enrollments = program
    .command('enrollments')
    .description('let devices register themselves (device provisioning service)')
  command<CommonOptions>(
    enrollments,
    'list',
    'list enrollments and the id scope',
    [],
    async (options, output) => {
      const server = readServerMarker(options.data)
      const listed: Listed =
        server === undefined
          ? await withDeployment(options, async ({ state }) => ({
              id_scope: state.enrollments.idScope,
              enrollments: state.enrollments.list(),
            }))
          : await callServer<Listed>(server, { path: '/api/v1/enrollments' })
      output.records(listed.enrollments.map((one) => ({ id_scope: listed.id_scope, ...one })))
    },
  )
  command<AddOptions>(
    enrollments,
    'add <id>',
    'add a group, or one device, and print keys that were made, once',
    [
      new Option('--individual', 'for the one device with this registration id'),
      new Option('--ca <file>', 'group: PEM of the authority of the devices’ certificates'),
      new Option('--thumbprint <sha256>', 'individual: of the device’s certificate'),
      new Option('--device <id>', 'individual: default the registration id'),
      new Option('--site <id>', 'site of devices that register'),
      new Option('--model <name>', 'equipment model of devices that register'),
      new Option('--reprovision <policy>', 'what a repeated registration does')
        .choices(['migrate', 'reset', 'never'])
        .default('migrate'),
      new Option('--keys <file>', 'keys the devices have already, from another service'),
      new Option('--disabled', 'nobody may register by it now'),
    ],
    async (options, output, [id = '']) => {
      const server = readServerMarker(options.data)
      const keys =
        server === undefined
          ? await addLocally(id, options)
          : await callServer<Keys>(server, {
              path: '/api/v1/enrollments',
              method: 'PUT',
              body: requestOf(id, options),
            })
      // Whoever brought the keys has them: only new ones are shown.
      output.records([{ enrollment: id, ...(options.keys === undefined && keys) }])
    },
  )
  command<CommonOptions>(
    enrollments,
    'set-scope <id-scope>',
    'take over the id scope that devices have in their firmware; while the server is stopped',
    [],
    async (options, output, [scope = '']) => {
      if (!/^[A-Za-z0-9-]{1,64}$/.test(scope)) {
        throw new IsothermError('INPUT_INVALID', `${scope} is no id scope such as 0ne00ABC123`)
      }
      await withNewDeployment(options, ({ state }) =>
        state.settings.set('provisioning.id_scope', scope),
      )
      output.records([{ id_scope: scope }])
    },
  )
  command<CommonOptions & { readonly groupKey: string }>(
    enrollments,
    'device-key <registration>',
    'print the key of one device of a group',
    [new Option('--group-key <base64>', 'key of the group').makeOptionMandatory()],
    async (options, output, [registrationId = '']) => {
      const key = deriveDeviceKey(options.groupKey, registrationId)
      output.records([{ registration_id: registrationId, key }])
    },
  )
  command<CommonOptions>(
    enrollments,
    'remove <id>',
    'remove an enrollment; devices stay',
    [],
    async (options, output, [id = '']) => {
      const server = readServerMarker(options.data)
      if (server === undefined) {
        const isGone = await withDeployment(options, ({ state }) => state.enrollments.remove(id))
        if (!isGone) throw new IsothermError('NOT_FOUND', `there is no enrollment ${id}`)
      } else {
        const path = `/api/v1/enrollments/${encodeURIComponent(id)}`
        await callServer(server, { path, method: 'DELETE' })
      }
      output.records([{ removed: id }])
    },
  )
}
