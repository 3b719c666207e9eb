import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { modelHash } from '@isotherm/anomaly'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { encodeArtifact, type ModelArtifact } from './artifact.ts'
import type { DeploymentRow } from './deployments.ts'
import { fitArtifact } from './fit-artifact.ts'
import type { ModelManifest } from './model-manifest.ts'
import { type ModelRegistry, openModelRegistry } from './model-registry.ts'
import { pumps, syntheticRows } from './test-support.ts'

let artifact: ModelArtifact
let bytes: Uint8Array
let directory: string
let registry: ModelRegistry

const manifest = (modelVersion: string, content: Uint8Array): ModelManifest => ({
  manifestVersion: 1,
  modelId: 'isolation_forest',
  durationMinutes: 60,
  modelVersion,
  granularity: 'fleet',
  spec: pumps.models[0]!,
  seed: 42,
  features: artifact.features,
  absentFeatures: [],
  imputation: {
    methods: [],
    carryLimitHours: 24,
    maxImputedShare: 0.5,
    droppedMostlyImputed: 0,
    droppedUnfillable: 0,
  },
  threshold: 0.6,
  snapshotId: 'device_features@v1',
  split: {
    kind: 'brief',
    trainStartMs: 0,
    trainEndMs: 1,
    validationStartMs: 1,
    validationEndMs: 2,
  },
  training: { startMs: 0, endMs: 1, rowCount: 1, deviceCount: 1 },
  validation: { startMs: 1, endMs: 2, rowCount: 1, deviceCount: 1 },
  exclusions: {
    totalBefore: 1,
    lowCompleteness: 0,
    lowReading: 0,
    highQualityFlags: 0,
    postMaintenance: 0,
    alerted: 0,
    outOfService: 0,
    excludedFraction: 0,
  },
  cleaningDroppedRows: 0,
  calibrations: {},
  metrics: {},
  warnings: [],
  contentHash: modelHash(content),
  sizeBytes: content.length,
  codeVersion: 'test',
  runtimeVersion: 'test',
  trainedAtMs: 0,
})

const key = { modelId: 'isolation_forest', durationMinutes: 60, modelVersion: '1.0.0' }
const deployment: DeploymentRow = {
  model_id: 'isolation_forest',
  granularity: 'fleet',
  window_duration_minutes: 60,
  slice: '*',
  model_version: '1.0.0',
  deployment_role: 'champion',
  traffic_fraction: 1,
  effective_from: '2026-01-01T00:00:00.000Z',
  effective_to: null,
  set_by: 'test',
  reason: 'test',
}

beforeAll(() => {
  artifact = fitArtifact(syntheticRows(400, 7), pumps.models[0]!, { fleet: pumps }).artifact
  bytes = encodeArtifact(artifact)
})

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isotherm-registry-'))
  registry = await openModelRegistry({ directory })
  await registry.register({ manifest: manifest('1.0.0', bytes), bytes, card: '# card\n' })
})

afterEach(() => rm(directory, { recursive: true, force: true }))

describe('the model registry (MOD-69, SRV-24)', () => {
  it('gives back what was registered, also after reopening', async () => {
    const reopened = await openModelRegistry({ directory })
    const loaded = await reopened.load(key)
    expect(encodeArtifact(loaded.artifact)).toEqual(bytes)
    expect(loaded.manifest).toEqual(manifest('1.0.0', bytes))
    expect(await reopened.card(key)).toBe('# card\n')
    expect((await reopened.list()).map(({ modelVersion }) => modelVersion)).toEqual(['1.0.0'])
  })

  it('refuses an artifact with a changed byte, naming the file', async () => {
    const path = join(directory, 'isolation_forest', '60', '1.0.0', 'model.bin')
    const damaged = new Uint8Array(await readFile(path))
    damaged[damaged.length >> 1]! ^= 1
    await writeFile(path, damaged)
    await expect(registry.load(key)).rejects.toThrow(/1\.0\.0\/model\.bin: content hash is/)
  })

  it('refuses a truncated manifest, naming the file', async () => {
    const path = join(directory, 'isolation_forest', '60', '1.0.0', 'manifest.json')
    await writeFile(path, (await readFile(path, 'utf8')).slice(0, 100))
    await expect(registry.load(key)).rejects.toThrow(/manifest\.json: the manifest is no JSON/)
  })

  it('keeps versions immutable: the same content again is nothing, other content a conflict', async () => {
    await registry.register({ manifest: manifest('1.0.0', bytes), bytes, card: '# other\n' })
    expect(await registry.card(key)).toBe('# card\n')
    const other = bytes.slice(1)
    const registered = registry.register({
      manifest: manifest('1.0.0', other),
      bytes: other,
      card: '',
    })
    await expect(registered).rejects.toThrow(/versions are immutable/)
  })

  it('shows nothing of a version whose writing was cut off, and writes it again', async () => {
    for (const written of [[], ['model.bin'], ['model.bin', 'manifest.json']]) {
      const incoming = join(directory, 'isolation_forest', '60', '.incoming-1.1.0')
      await mkdir(incoming, { recursive: true })
      for (const name of written) {
        await cp(join(directory, 'isolation_forest', '60', '1.0.0', name), join(incoming, name))
      }
      const reopened = await openModelRegistry({ directory })
      expect((await reopened.list()).map(({ modelVersion }) => modelVersion)).toEqual(['1.0.0'])
    }
    await registry.register({ manifest: manifest('1.1.0', bytes), bytes, card: '' })
    expect((await registry.list()).map(({ modelVersion }) => modelVersion)).toEqual([
      '1.0.0',
      '1.1.0',
    ])
  })

  it('keeps the old deployments when the writing of new ones is cut off', async () => {
    await registry.deploy(deployment)
    await writeFile(join(directory, 'deployments.ndjson.incoming'), '{"model_id":"isol')
    const reopened = await openModelRegistry({ directory })
    expect(await reopened.deployed(Date.UTC(2026, 1))).toEqual([deployment])
    await reopened.deploy({ ...deployment, deployment_role: 'shadow' })
    expect(await reopened.deployments()).toHaveLength(2)
  })

  it('writes deployments that arrive together one after the other, and none for an unknown version', async () => {
    const unknown = registry.deploy({ ...deployment, model_version: '9.0.0' })
    const many = Array.from({ length: 10 }, (_, index) =>
      registry.deploy({ ...deployment, reason: String(index) }),
    )
    await expect(unknown).rejects.toThrow(/there is no model isolation_forest\/60\/9\.0\.0/)
    await Promise.all(many)
    expect((await registry.deployments()).map(({ reason }) => reason)).toEqual([...'0123456789'])
  })
})
