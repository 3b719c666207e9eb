import { createHash } from 'node:crypto'
import { cpSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { refrigeration } from '@isotherm/fleet-refrigeration'
import { createStageClock, openDeployment, runPipeline } from 'isotherm/runtime'
import { appendSimulated } from './append-simulated.ts'
import type { Promised } from './promise.ts'
import { isothermJson, query, temporaryFolder } from './system.ts'

const hourMs = 3_600_000
/** With the days below, more rows than scoring takes on one thread. */
const deviceCount = 36
/** Daily models need five whole days. */
const historyMs = 6 * 24 * hourMs
const seed = 11

/** A data folder with some days of a small fleet, some units failing, up to the features. */
async function prepare(dataDirectory: string, endMs: number): Promise<number> {
  const { simulator } = refrigeration
  if (simulator === undefined) throw new Error('the refrigeration fleet has no simulator')
  const startMs = endMs - historyMs
  const devices = simulator.devices({ count: deviceCount, seed })
  const faults = simulator.planFaults({ devices, seed, startMs, endMs, share: 0.25 })
  const deployment = await openDeployment({
    fleet: refrigeration,
    dataDirectory,
    clock: () => endMs,
  })
  try {
    const { log, state } = deployment
    await state.registry.upsert(devices)
    const span = { fleet: refrigeration, log, devices, faults, seed }
    const count = await appendSimulated({ ...span, startMs, endMs, physicsStartMs: startMs })
    const clock = createStageClock(
      () => endMs,
      () => performance.now(),
    )
    await runPipeline(deployment, clock, {
      stages: ['land', 'clean', 'features'],
      finishUntilMs: endMs,
    })
    return count
  } finally {
    await deployment.close()
  }
}

/** SHA-256 of every model file by its path in the registry. */
function modelHashes(data: string): Readonly<Record<string, string>> {
  const folder = join(data, 'models')
  const paths = globSync('**/model.bin', { cwd: folder }).toSorted()
  return Object.fromEntries(
    paths.map((path) => [
      path,
      createHash('sha256')
        .update(readFileSync(join(folder, path)))
        .digest('hex'),
    ]),
  )
}

type Trained = { readonly model: string; readonly result: string }

function train(data: string, threads: number): Promise<readonly Trained[]> {
  return isothermJson<readonly Trained[]>('train', '--data', data, '--threads', String(threads))
}

type Scores = { readonly rows: string; readonly flagged: string; readonly hash: string }

/** Scores the newest week at one fixed instant and hashes every column of every row in order. */
async function score(data: string, atMs: number, threads: number): Promise<Scores> {
  const at = new Date(atMs).toISOString()
  await isothermJson(
    ...['replay', '--data', data, '--from', at, '--until', at],
    ...['--threads', String(threads)],
  )
  const [scores] = await query<Scores>(
    data,
    `SELECT count(*) AS rows, count_if(anomaly_flag) AS flagged,
       sha256(string_agg(line, chr(10) ORDER BY line)) AS hash
     FROM (SELECT anomaly_flag, to_json(scores)::VARCHAR AS line FROM model_scores AS scores)`,
  )
  if (scores === undefined) throw new Error('the query over model_scores gave no row')
  return scores
}

/** Two folders with the same history live the same life on one thread and on two. */
export const promised: Promised = {
  id: 'S7',
  title: 'train twice, score twice, on one and two threads: identical bytes',
  unit: 'differences',
  bar: '0: model files and all columns of all scores are the same; training again adds nothing',
  quick: true,
  limitSeconds: 300,
  run: async (report) => {
    const folder = temporaryFolder('s7')
    try {
      const [one, two] = [join(folder.path, 'one'), join(folder.path, 'two')]
      const endMs = Math.floor(Date.now() / hourMs) * hourMs
      const messageCount = await prepare(one, endMs)
      cpSync(one, two, { recursive: true })
      report(`${messageCount} messages of ${deviceCount} devices in two folders`)
      const trained = [await train(one, 1), await train(two, 2)]
      const again = await train(one, 2)
      const hashes = [modelHashes(one), modelHashes(two)]
      report(`${Object.keys(hashes[0] ?? {}).length} models trained`)
      const atMs = endMs + hourMs
      const scores = [await score(one, atMs, 1), await score(two, atMs, 2)]
      const paths = [...new Set(hashes.flatMap((known) => Object.keys(known)))]
      const differing = paths.filter((path) => hashes[0]?.[path] !== hashes[1]?.[path])
      const isTrained = trained.flat().every(({ result }) => result.startsWith('trained'))
      const retrained = again.filter(({ result }) => result !== 'unchanged')
      const differences =
        differing.length + retrained.length + (scores[0]?.hash === scores[1]?.hash ? 0 : 1)
      return {
        ok: differences === 0 && isTrained && Number(scores[0]?.flagged) > 0,
        value: differences,
        detail: { models: hashes[0], scores, differing, retrained },
      }
    } finally {
      folder.remove()
    }
  },
}
