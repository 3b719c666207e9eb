import { z } from 'zod'
import {
  type Column,
  fleetContracts,
  IsothermError,
  type TableContract,
} from '../../contracts/index.ts'
import {
  contractFaults,
  defaultOwner,
  odcsYaml,
  storedSchemaDifference,
} from '../../data-contracts/index.ts'
import type { ApiContext } from '../api-context.ts'
import { defineRoute, type Route } from '../route.ts'
import { contractDetailSchema, contractListSchema } from '../schemas/contract-schema.ts'

type Standing = { readonly state: 'ok' | 'warning' | 'failed'; readonly found: string }

function columnView(column: Column) {
  const { name, type, nullable, meaning, unit, range, values } = column
  return {
    name,
    type,
    nullable,
    meaning,
    unit: unit ?? null,
    range: range === undefined ? null : ([range[0], range[1]] as [number, number]),
    values: values === undefined ? null : [...values],
    extension: column.extension === true,
    personal: column.personal === true,
    max_null_fraction: column.maxNullFraction ?? null,
    deprecated_on: column.deprecatedOn ?? null,
    replaced_by: column.replacedBy ?? null,
  }
}

/** How a contract stands against itself and the table it describes. */
async function standingOf({ lake }: ApiContext, contract: TableContract): Promise<Standing> {
  const faults = contractFaults(contract)
  if (faults.length > 0) return { state: 'failed', found: faults.join('; ') }
  if (!lake.tableNames.includes(contract.name)) return { state: 'ok', found: '' }
  const { schema } = await lake.table(contract.name).snapshot()
  const { missing, undeclared, retyped } = storedSchemaDifference(contract, schema.fields)
  if (retyped.length > 0) return { state: 'failed', found: retyped.join('; ') }
  if (missing.length > 0)
    return { state: 'warning', found: `not stored yet: ${missing.join(', ')}` }
  const found = undeclared.length > 0 ? `unknown to this release: ${undeclared.join(', ')}` : ''
  return { state: found === '' ? 'ok' : 'warning', found }
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : null)

async function changesOf({ lake }: ApiContext, name: string) {
  const { rows } = await lake.query(
    `SELECT column_name, date_added, date_deprecated, fleet_coverage_pct, min_viable_training_date,
      notes FROM schema_change_log WHERE table_name = '${name.replaceAll("'", "''")}'
    ORDER BY date_added DESC, column_name`,
  )
  return rows.map(([column, added, deprecated, coverage, viable, notes]) => ({
    column: String(column),
    date_added: String(added),
    date_deprecated: textOf(deprecated),
    fleet_coverage_pct: typeof coverage === 'number' ? coverage : null,
    min_viable_training_date: textOf(viable),
    notes: textOf(notes),
  }))
}

/** What each table promises: the contracts of the release and those that were imported. */
export function contractRoutes(
  context: ApiContext,
  imported: () => readonly TableContract[],
): readonly Route[] {
  const own = fleetContracts(context.fleet)
  const all = () => [
    ...own.map((contract) => ({ contract, origin: 'release' as const })),
    ...imported().map((contract) => ({ contract, origin: 'import' as const })),
  ]
  const summary = async ({ contract, origin }: ReturnType<typeof all>[number]) => {
    const { id, name, version, purpose, owner, key, columns, service } = contract
    return {
      id,
      name,
      version,
      purpose,
      owner: owner ?? defaultOwner,
      origin,
      key: [...key],
      column_count: columns.length,
      fresh_within_minutes: service?.freshnessMinutes ?? null,
      kept_days: service?.retentionDays ?? null,
      ...(await standingOf(context, contract)),
    }
  }
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/contracts',
      summary: 'Data contracts: owner, version, freshness, and whether the stored table follows',
      reply: contractListSchema,
      handle: async () => ({ contracts: await Promise.all(all().map(summary)) }),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/contracts/{name}',
      summary: 'One data contract with columns, changes and its ODCS document',
      params: z.object({ name: z.string().max(200) }),
      reply: contractDetailSchema,
      handle: async ({ params }) => {
        const known = all()
        const found = known.find(({ contract }) => contract.name === params.name)
        if (found === undefined) {
          const names = known.map(({ contract }) => contract.name).join(', ')
          throw new IsothermError('NOT_FOUND', `no contract ${params.name}; there are ${names}`)
        }
        return {
          ...(await summary(found)),
          columns: found.contract.columns.map(columnView),
          semantics: [...(found.contract.semantics ?? [])],
          odcs: odcsYaml(found.contract),
          changes: await changesOf(context, params.name),
        }
      },
    }),
  ]
}
