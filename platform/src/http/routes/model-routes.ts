import { z } from 'zod'
import type { ApiContext } from '../api-context.ts'
import { defineRoute, type Route } from '../route.ts'

const modelSchema = z.object({
  model_id: z.string(),
  model_version: z.string(),
  window_duration_minutes: z.number().int(),
  granularity: z.string(),
  kind: z.string(),
  deployment_roles: z.array(z.string()).describe('Roles in force now; empty if it does not run'),
  trained_at: z.iso.datetime(),
  training_start: z.iso.datetime(),
  training_end: z.iso.datetime(),
  training_row_count: z.number().int(),
  training_device_count: z.number().int(),
  threshold: z.number(),
  seed: z.number().int(),
  snapshot_id: z.string(),
  content_hash: z.string(),
  feature_count: z.number().int(),
  metrics: z.record(z.string(), z.number()),
  warnings: z.array(z.string()),
})

const modelParams = z.object({
  model_id: z.string().regex(/^[a-z][a-z0-9_]*$/),
  minutes: z.coerce.number().int().positive(),
  model_version: z.string().regex(/^\d+\.\d+\.\d+$/),
})

const iso = (timeMs: number) => new Date(timeMs).toISOString()

/** What the registry holds and what of it runs, SRV-24 and SRV-25. */
export function modelRoutes({ registry, clock }: ApiContext): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/models',
      summary: 'Registered model versions and where they run',
      reply: z.object({ models: z.array(modelSchema) }),
      handle: async () => {
        const [manifests, deployed] = await Promise.all([
          registry.list(),
          registry.deployed(clock()),
        ])
        const models = manifests.map((manifest) => ({
          model_id: manifest.modelId,
          model_version: manifest.modelVersion,
          window_duration_minutes: manifest.durationMinutes,
          granularity: manifest.granularity,
          kind: manifest.spec.kind,
          deployment_roles: deployed
            .filter(
              (row) =>
                row.model_id === manifest.modelId &&
                row.model_version === manifest.modelVersion &&
                row.window_duration_minutes === manifest.durationMinutes,
            )
            .map((row) => row.deployment_role),
          trained_at: iso(manifest.trainedAtMs),
          training_start: iso(manifest.training.startMs),
          training_end: iso(manifest.training.endMs),
          training_row_count: manifest.training.rowCount,
          training_device_count: manifest.training.deviceCount,
          threshold: manifest.threshold,
          seed: manifest.seed,
          snapshot_id: manifest.snapshotId,
          content_hash: manifest.contentHash,
          feature_count: manifest.features.length,
          metrics: { ...manifest.metrics },
          warnings: [...manifest.warnings],
        }))
        return { models }
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/models/{model_id}/{minutes}/{model_version}/card',
      summary: 'Model card, Markdown',
      params: modelParams,
      reply: z.object({ card: z.string() }),
      handle: async ({ params }) => ({
        card: await registry.card({
          modelId: params.model_id,
          durationMinutes: params.minutes,
          modelVersion: params.model_version,
        }),
      }),
    }),
  ]
}
