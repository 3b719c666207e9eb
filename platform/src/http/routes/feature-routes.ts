import { z } from 'zod'
import type { FleetDefinition } from '../../contracts/index.ts'
import {
  type FeatureSheet,
  featureDistribution,
  featureSheet,
  featureSheets,
  featureSqlTexts,
  featureVersion,
  modelFeatureFamilies,
} from '../../features/index.ts'
import type { ApiContext } from '../api-context.ts'
import { defineRoute, type Route } from '../route.ts'
import { featureCatalogueSchema, featureDetailSchema } from '../schemas/feature-schema.ts'

const dayMs = 86_400_000

function sheetView({ nullWhen, builtOn, usedBy, sensors, ...rest }: FeatureSheet) {
  return {
    ...rest,
    sensors: [...sensors],
    null_when: nullWhen,
    built_on: [...builtOn],
    used_by: [...usedBy],
  }
}

/** Windows of an hour or more, which every formula can be made for; else the shortest. */
function showMinutes({ windowMinutes }: FleetDefinition): number {
  return windowMinutes.find((minutes) => minutes >= 60) ?? windowMinutes[0] ?? 60
}

/** The catalogue of features: definitions, SQL, distribution and freshness. */
export function featureRoutes({ fleet, lake, clock }: ApiContext): readonly Route[] {
  const sheets = featureSheets(fleet).map(sheetView)
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/features',
      summary: 'All features with definition, users, distribution and freshness',
      reply: featureCatalogueSchema,
      handle: async () => {
        const found = await featureDistribution(lake, fleet.windowMinutes[0] ?? 60)
        const spreads = new Map(found?.spreads.map((spread) => [spread.name, spread]))
        return {
          feature_version: featureVersion(fleet),
          families: modelFeatureFamilies.map(({ id, pattern }) => ({ id, pattern })),
          newest:
            found === undefined
              ? null
              : {
                  minutes: found.minutes,
                  window_end: new Date(found.windowEndMs).toISOString(),
                  row_count: found.rowCount,
                },
          features: sheets.map((sheet) => {
            const spread = spreads.get(sheet.name)
            return {
              ...sheet,
              null_fraction: spread?.nullFraction ?? null,
              quantiles: spread?.quantiles ? [...spread.quantiles] : null,
            }
          }),
        }
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/features/{name}',
      summary: 'One feature with its SQL for DuckDB and for Spark; also {f}_lag{k} and the like',
      params: z.object({ name: z.string().max(200) }),
      reply: featureDetailSchema,
      handle: ({ params }) => {
        const minutes = showMinutes(fleet)
        const endMs = Math.floor(clock() / dayMs) * dayMs
        const selection = { minutes, startMs: endMs - dayMs, endMs }
        return Promise.resolve({
          ...sheetView(featureSheet(fleet, params.name)),
          minutes,
          sql: featureSqlTexts(fleet, params.name, selection),
        })
      },
    }),
  ]
}
