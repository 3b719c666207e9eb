import { z } from 'zod'

const column = z.object({
  name: z.string(),
  type: z.string(),
  nullable: z.boolean(),
  meaning: z.string(),
  unit: z.string().nullable(),
  range: z.tuple([z.number(), z.number()]).nullable(),
  values: z.array(z.string()).nullable(),
  extension: z.boolean().describe('Beyond the base contract'),
  personal: z.boolean().describe('Can identify a person'),
  max_null_fraction: z.number().nullable(),
  deprecated_on: z.string().nullable(),
  replaced_by: z.string().nullable(),
})

const summary = z.object({
  id: z.string(),
  name: z.string(),
  version: z.string(),
  purpose: z.string(),
  owner: z.string(),
  origin: z.enum(['release', 'import']),
  key: z.array(z.string()),
  column_count: z.number(),
  fresh_within_minutes: z.number().nullable(),
  kept_days: z.number().nullable(),
  state: z.enum(['ok', 'warning', 'failed']).describe('Contract against itself and stored table'),
  found: z.string().describe('What is wrong; empty when nothing is'),
})

/** All contracts with how they stand. */
export const contractListSchema = z.object({ contracts: z.array(summary) })

/** One contract with its columns, what changed, and the document of the standard. */
export const contractDetailSchema = summary.extend({
  columns: z.array(column),
  semantics: z.array(z.string()),
  odcs: z.string().describe('Open Data Contract Standard 3.1.0, YAML'),
  changes: z.array(
    z.object({
      column: z.string(),
      date_added: z.string(),
      date_deprecated: z.string().nullable(),
      fleet_coverage_pct: z.number().nullable(),
      min_viable_training_date: z.string().nullable(),
      notes: z.string().nullable(),
    }),
  ),
})

/** `GET /api/v1/contracts`. */
export type ContractListView = z.output<typeof contractListSchema>
/** `GET /api/v1/contracts/{name}`. */
export type ContractDetailView = z.output<typeof contractDetailSchema>
