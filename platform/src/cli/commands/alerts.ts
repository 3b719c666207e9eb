import { randomUUID } from 'node:crypto'
import { type Command, Option } from 'commander'
import { IsothermError } from '../../contracts/index.ts'
import { localOperator } from '../../http/index.ts'
import {
  type AlertAction,
  falsePositiveReasons,
  personResolutionCodes,
} from '../../objects/index.ts'
import { readServerMarker } from '../../runtime/index.ts'
import { callServer } from '../call-server.ts'
import { countOf } from '../option-values.ts'
import { type CommonOptions, command, withDeployment } from '../program.ts'

type ListOptions = CommonOptions & { readonly all?: boolean; readonly limit: string }

type Listed = {
  readonly alert_id: string
  readonly severity: string
  readonly status: string
  readonly device_id: string
  readonly title: string
  readonly sla_deadline: string
}

function shown(alert: Listed): Readonly<Record<string, unknown>> {
  const { alert_id, severity, status, device_id, title, sla_deadline } = alert
  return { alert_id, severity, status, device_id, title, act_by: sla_deadline }
}

async function call<T>(
  options: CommonOptions,
  path: string,
  body?: unknown,
): Promise<T | undefined> {
  const server = readServerMarker(options.data)
  if (server === undefined) return undefined
  return callServer<T>(server, {
    path,
    ...(body !== undefined && { body, idempotencyKey: randomUUID() }),
  })
}

/** Performs an action through the server that owns the folder, or directly when none runs. */
async function act(
  options: CommonOptions,
  alertId: string,
  path: string,
  action: AlertAction,
  body: Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, unknown>>> {
  const found = await call<{ readonly version: number }>(options, `/api/v1/alerts/${alertId}`)
  if (found !== undefined) {
    const done = await call<Listed>(options, `/api/v1/alerts/${alertId}/actions/${path}`, {
      ...body,
      expected_version: found.version,
    })
    return done === undefined ? {} : shown(('alert' in done ? done.alert : done) as Listed)
  }
  return withDeployment(options, async ({ state }) => {
    const record = await state.alerts.get(alertId)
    if (record === undefined) {
      throw new IsothermError('NOT_FOUND', `there is no alert ${alertId}; see isotherm alerts list`)
    }
    const result = await state.alerts.act({
      alertId,
      action,
      expectedVersion: record.row.version,
      idempotencyKey: randomUUID(),
      actor: localOperator,
      source: 'api',
    })
    if (result.kind !== 'ok') throw new IsothermError('INPUT_INVALID', result.reason)
    return shown({
      ...result.alert,
      sla_deadline: new Date(result.alert.sla_deadline).toISOString(),
    })
  })
}

function addList(alerts: Command): void {
  command<ListOptions>(
    alerts,
    'list',
    'the work list: what to look at first, and why',
    [
      new Option('--all', 'closed and suppressed ones too'),
      new Option('--limit <number>', 'most alerts to print').default('50'),
    ],
    async (options, output) => {
      const limit = countOf(options.limit, 'limit', 1)
      const isAll = options.all === true
      const page = await call<{ readonly alerts: readonly Listed[] }>(
        options,
        `/api/v1/alerts?limit=${limit}${isAll ? '&status=all&suppressed=true' : ''}`,
      )
      if (page !== undefined) {
        output.records(page.alerts.map(shown))
        return
      }
      await withDeployment(options, async ({ state }) => {
        const { alerts: rows } = await state.alerts.query({
          ...(isAll ? { includeSuppressed: true } : { active: true }),
          order: 'triage',
          limit,
        })
        output.records(
          rows.map((row) =>
            shown({ ...row, sla_deadline: new Date(row.sla_deadline).toISOString() }),
          ),
        )
      })
    },
  )
  command<CommonOptions>(
    alerts,
    'show <alert>',
    'one alert whole',
    [],
    async (options, output, [id = '']) => {
      const found = await call<Readonly<Record<string, unknown>>>(options, `/api/v1/alerts/${id}`)
      if (found !== undefined) {
        output.records([found])
        return
      }
      await withDeployment(options, async ({ state }) => {
        const record = await state.alerts.get(id)
        if (record === undefined) {
          throw new IsothermError('NOT_FOUND', `there is no alert ${id}; see isotherm alerts list`)
        }
        output.line(`${record.row.severity}: ${record.row.title}\n\n${record.row.description}\n`)
        if (output.isJson) output.records([{ ...record.row }])
      })
    },
  )
}

/** `isotherm alerts ...`: the work list and the actions of a technician. */
export function addAlerts(program: Command): void {
  const alerts = program.command('alerts').description('the work list, and actions on it')
  addList(alerts)
  command<CommonOptions>(
    alerts,
    'acknowledge <alert>',
    'say that somebody looks after it',
    [],
    async (options, output, [id = '']) => {
      output.records([await act(options, id, 'acknowledge', { kind: 'AcknowledgeAlert' }, {})])
    },
  )
  command<
    CommonOptions & {
      readonly code: (typeof personResolutionCodes)[number]
      readonly notes: string
    }
  >(
    alerts,
    'resolve <alert>',
    'close it with what was found',
    [
      new Option('--code <code>', 'how it ended')
        .choices(personResolutionCodes)
        .makeOptionMandatory(),
      new Option('--notes <text>', 'what was found').makeOptionMandatory(),
    ],
    async (options, output, [id = '']) => {
      const { code, notes } = options
      const action = { kind: 'ResolveAlert', resolutionCode: code, notes } as const
      output.records([
        await act(options, id, 'resolve', action, {
          resolution_code: code,
          resolution_notes: notes,
        }),
      ])
    },
  )
  command<
    CommonOptions & {
      readonly code: (typeof falsePositiveReasons)[number]
      readonly reason: string
    }
  >(
    alerts,
    'false-positive <alert>',
    'close it as false, with the reason; models learn from it',
    [
      new Option('--code <code>', 'kind of reason')
        .choices(falsePositiveReasons)
        .makeOptionMandatory(),
      new Option('--reason <text>', 'at least ten characters').makeOptionMandatory(),
    ],
    async (options, output, [id = '']) => {
      const { code, reason } = options
      const action = { kind: 'MarkFalsePositive', reasonCode: code, reason } as const
      output.records([
        await act(options, id, 'false-positive', action, { reason_code: code, reason }),
      ])
    },
  )
}
