import { z } from 'zod'

const sheetShape = {
  name: z.string(),
  label: z.string(),
  unit: z.string(),
  group: z.string(),
  resolution: z.number(),
  kind: z.enum(['stored', 'model_input', 'experimental']),
  formula: z.string().describe('In words'),
  null_when: z.string(),
  sensors: z.array(z.string()),
  built_on: z.array(z.string()),
  used_by: z.array(z.string()),
}

/** One feature as its definition describes it. */
export const featureSheetSchema = z.object(sheetShape)

/** The catalogue, and how each stored feature is spread over the fleet in the newest window. */
export const featureCatalogueSchema = z.object({
  feature_version: z.string(),
  families: z.array(z.object({ id: z.string(), pattern: z.string() })),
  newest: z
    .object({ minutes: z.number(), window_end: z.string(), row_count: z.number() })
    .nullable()
    .describe('Window of the distributions; null before the first'),
  features: z.array(
    z.object({
      ...sheetShape,
      null_fraction: z.number().nullable(),
      quantiles: z.array(z.number()).nullable().describe('Lowest, 5, 25, 50, 75, 95 % and highest'),
    }),
  ),
})

/** One feature with its SQL. */
export const featureDetailSchema = z.object({
  ...sheetShape,
  minutes: z.number(),
  sql: z.object({ duckdb: z.string(), spark: z.string() }),
})

/** The catalogue as the console reads it. */
export type FeatureCatalogueView = z.output<typeof featureCatalogueSchema>
/** One feature with its SQL, as the console reads it. */
export type FeatureDetailView = z.output<typeof featureDetailSchema>
