import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { modelHash } from '@isotherm/anomaly'
import { IsothermError } from '../contracts/index.ts'
import { decodeArtifact, type ModelArtifact } from './artifact.ts'
import { canonicalJson } from './canonical-json.ts'
import { type DeploymentRow, deploymentsInForce, parseDeployments } from './deployments.ts'
import { createFolder, incomingPrefix, replaceFile } from './durable-file.ts'
import { type ModelKey, type ModelManifest, parseManifest } from './model-manifest.ts'
import { compareVersions } from './model-version.ts'

/** A registered model ready to score. */
export type RegisteredModel = { readonly manifest: ModelManifest; readonly artifact: ModelArtifact }

/** Trained models as immutable folders, and the append-only list of what runs (MOD-69, SRV-24). */
export type ModelRegistry = {
  readonly directory: string
  /** All versions, oldest first within a family and duration. */
  readonly list: () => Promise<readonly ModelManifest[]>
  /**
   * A version with its artifact, checked against its content hash.
   * @throws IsothermError NOT_FOUND, or MODEL_INVALID naming the damaged file
   */
  readonly load: (key: ModelKey) => Promise<RegisteredModel>
  /** The generated card of a version, Markdown. */
  readonly card: (key: ModelKey) => Promise<string>
  /**
   * Adds a version; all of its files become visible at once.
   * @throws IsothermError CONFLICT if the version exists with other content
   */
  readonly register: (entry: {
    readonly manifest: ModelManifest
    readonly bytes: Uint8Array
    readonly card: string
  }) => Promise<void>
  /** Promotes or rolls back: one new row (SRV-25). @throws IsothermError NOT_FOUND */
  readonly deploy: (row: DeploymentRow) => Promise<void>
  /** All rows ever written, oldest first. */
  readonly deployments: () => Promise<readonly DeploymentRow[]>
  /** What runs at an instant; nothing resolves "latest" (MOD-67). */
  readonly deployed: (nowMs: number) => Promise<readonly DeploymentRow[]>
}

/** Artifacts kept in memory: three families, three durations, a challenger each. */
const cachedModels = 18

const deploymentsFile = 'deployments.ndjson'

function keyPath({ modelId, durationMinutes, modelVersion }: ModelKey): string {
  return join(modelId, String(durationMinutes), modelVersion)
}

async function folders(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { withFileTypes: true })
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith(incomingPrefix))
    .map(({ name }) => name)
    .sort()
}

async function textOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    // A registry without deployments has no file yet.
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return ''
    throw cause
  }
}

async function readManifest(directory: string, key: ModelKey): Promise<ModelManifest> {
  const path = join(directory, keyPath(key), 'manifest.json')
  const text = await textOrEmpty(path)
  if (text === '') {
    throw new IsothermError(
      'NOT_FOUND',
      `there is no model ${keyPath(key)} in ${directory}; \`isotherm models\` lists the versions`,
    )
  }
  const manifest = parseManifest(text, path)
  if (keyPath(manifest) === keyPath(key)) return manifest
  throw new IsothermError(
    'MODEL_INVALID',
    `${path} describes ${keyPath(manifest)}, expected ${keyPath(key)}; restore the folder from a backup`,
  )
}

async function loadChecked(directory: string, key: ModelKey): Promise<RegisteredModel> {
  const manifest = await readManifest(directory, key)
  const path = join(directory, keyPath(key), 'model.bin')
  const bytes = new Uint8Array(await readFile(path))
  const found = modelHash(bytes)
  if (found === manifest.contentHash) return { manifest, artifact: decodeArtifact(bytes) }
  throw new IsothermError(
    'MODEL_INVALID',
    `${path}: content hash is ${found}, the manifest says ${manifest.contentHash}; the file was changed or damaged, restore it from a backup or deploy another version`,
  )
}

/** Opens a registry folder, creating it on first use. Only one process may write to it. */
export async function openModelRegistry(options: {
  readonly directory: string
}): Promise<ModelRegistry> {
  const { directory } = options
  await mkdir(directory, { recursive: true })
  const loaded = new Map<string, RegisteredModel>()
  const deploymentsPath = join(directory, deploymentsFile)
  const deployments = async () =>
    parseDeployments(await textOrEmpty(deploymentsPath), deploymentsPath)
  let writing: Promise<unknown> = Promise.resolve()

  return {
    directory,
    deployments,
    deployed: async (nowMs) => deploymentsInForce(await deployments(), nowMs),
    list: () => listManifests(directory),
    card: (key) => readFile(join(directory, keyPath(key), 'card.md'), 'utf8'),
    load: async (key) => {
      const path = keyPath(key)
      const known = loaded.get(path)
      if (known !== undefined) return known
      const model = await loadChecked(directory, key)
      const oldest = loaded.keys().next()
      if (loaded.size >= cachedModels && oldest.done !== true) loaded.delete(oldest.value)
      loaded.set(path, model)
      return model
    },
    register: async ({ manifest, bytes, card }) => {
      const isNew = await createFolder(join(directory, keyPath(manifest)), {
        'model.bin': bytes,
        'manifest.json': canonicalJson(manifest),
        'card.md': card,
      })
      if (isNew) return
      const present = await readManifest(directory, manifest)
      if (present.contentHash === manifest.contentHash) return
      throw new IsothermError(
        'CONFLICT',
        `model ${keyPath(manifest)} exists with content hash ${present.contentHash}; versions are immutable, register the next one`,
      )
    },
    deploy: (row) => {
      const written = writing.then(async () => {
        await readManifest(directory, {
          modelId: row.model_id,
          durationMinutes: row.window_duration_minutes,
          modelVersion: row.model_version,
        })
        const before = await textOrEmpty(deploymentsPath)
        await replaceFile(deploymentsPath, `${before}${JSON.stringify(row)}\n`)
      })
      // A refused row must not block the next one; the caller gets the rejection itself.
      writing = written.catch(() => undefined)
      return written
    },
  }
}

async function listManifests(directory: string): Promise<readonly ModelManifest[]> {
  const manifests: ModelManifest[] = []
  for (const modelId of await folders(directory)) {
    for (const minutes of await folders(join(directory, modelId))) {
      const versions = [...(await folders(join(directory, modelId, minutes)))].sort(compareVersions)
      for (const modelVersion of versions) {
        const key = { modelId, durationMinutes: Number(minutes), modelVersion }
        manifests.push(await readManifest(directory, key))
      }
    }
  }
  return manifests
}
