import { join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { openModelRegistry } from '../../models/index.ts'
import { trainDeployment } from '../../runtime/index.ts'
import { countOf, instantOf, threadsOf } from '../option-values.ts'
import { type CommonOptions, command, requireDataFolder, withDeployment } from '../program.ts'

type TrainOptions = CommonOptions & {
  readonly model?: string
  readonly until?: string
  readonly seed?: string
  readonly threads?: string
  readonly deploy?: boolean
  readonly asKnown?: boolean
}

/** `isotherm train`: models from the features there are; `isotherm models`: what there is. */
export function addTrain(program: Command): void {
  command<TrainOptions>(
    program,
    'train',
    'train the models of the fleet and register them',
    [
      new Option('--model <id>', 'only this family'),
      new Option('--until <instant>', 'use nothing later'),
      new Option('--seed <number>', 'seed instead of the one in the fleet definition'),
      new Option('--threads <number>', 'threads of SQL engine and scoring; the result is the same'),
      new Option('--deploy', 'let the new versions drive alerts at once'),
      new Option('--as-known', 'read the feature history as it was known at --until (a UTC day)'),
    ],
    async (options, output) => {
      const { model, until, seed, threads, deploy, asKnown } = options
      await withDeployment(
        {
          data: options.data,
          ...(options.fleet && { fleet: options.fleet }),
          ...threadsOf(threads),
        },
        async (deployment) => {
          // Trained as of the past, a model is in force from then on: a replay needs it.
          const untilMs = until === undefined ? deployment.clock() : instantOf(until, 'until')
          const outcome = await trainDeployment(deployment, {
            untilMs,
            effectiveMs: untilMs,
            onProgress: (label, done, total) => output.progress(`${label} (${done} of ${total})`),
            ...(model !== undefined && { only: { modelId: model } }),
            ...(seed !== undefined && { seed: countOf(seed, 'seed', 0) }),
            ...threadsOf(threads),
            ...(deploy !== undefined && { deploy }),
            ...(asKnown !== undefined && { asKnown }),
          })
          output.records(
            outcome.models.map((trained) =>
              trained.kind === 'failed'
                ? {
                    model: trained.modelId,
                    minutes: trained.durationMinutes,
                    version: null,
                    result: `failed: ${trained.error.message}`,
                    hash: null,
                  }
                : {
                    model: trained.manifest.modelId,
                    minutes: trained.manifest.durationMinutes,
                    version: trained.manifest.modelVersion,
                    result:
                      trained.kind === 'trained' && trained.isDeployed
                        ? 'trained, deployed'
                        : trained.kind,
                    hash: trained.manifest.contentHash.slice(0, 12),
                  },
            ),
          )
          if (outcome.models.every(({ kind }) => kind === 'failed')) process.exitCode = 1
        },
      )
    },
  )
  command<CommonOptions>(
    program,
    'models',
    'list registered models',
    [],
    async (options, output) => {
      const directory = join(resolve(requireDataFolder(options.data)), 'models')
      // Registered models are immutable files: they can be listed beside a running server.
      const models = await openModelRegistry({ directory })
      const deployed = await models.deployed(Date.now())
      output.records(
        (await models.list()).map((manifest) => ({
          model: manifest.modelId,
          minutes: manifest.durationMinutes,
          version: manifest.modelVersion,
          role:
            deployed.find(
              (row) =>
                row.model_id === manifest.modelId &&
                row.window_duration_minutes === manifest.durationMinutes &&
                row.model_version === manifest.modelVersion,
            )?.deployment_role ?? '-',
          hash: manifest.contentHash.slice(0, 12),
        })),
      )
    },
  )
}
