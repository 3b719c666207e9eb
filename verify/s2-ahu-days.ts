import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Promised } from './promise.ts'
import { isotherm, isothermJson, temporaryFolder } from './system.ts'

const root = join(import.meta.dirname, '..')
const dataFolder = join(root, '..', 'shared', 'data', 'lbnl-ahu-szvav')

type Row = {
  readonly model: string
  readonly date: string
  readonly truth: 'faulty' | 'healthy'
  readonly score: number
  readonly verdict: string
  readonly flagged: string
  readonly top_contributor: string | null
  readonly note: string | null
}

const isoDate = (text: string) => {
  const [month = '', day = '', year = ''] = text.split('/')
  return `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
}

/** Labels from the publishers' own files: the truth column, and the list of faults. */
function labelsOf(csv: string, faults: string): readonly string[] {
  const truth = new Map<string, string>()
  for (const line of csv.split(/\r?\n/).slice(1)) {
    const cells = line.split(',')
    const value = cells.at(-1)
    if (value === '0' || value === '1')
      truth.set(isoDate((cells[0] ?? '').split(' ')[0] ?? ''), value)
  }
  const notes = new Map(
    faults
      .split(/\r?\n/)
      .slice(1)
      .map((line) => line.split(','))
      .map(([date = '', component = '', fault = '', intensity = '']) => [
        isoDate(date),
        `${component} ${fault} ${intensity}`,
      ]),
  )
  return [...truth].map(([date, value]) => `${date},${value},${notes.get(date) ?? ''}`)
}

/** Probability that a faulty day scores above a healthy one, counted pair by pair. */
function pairwiseAuroc(days: readonly Row[]): number {
  let wins = 0
  let pairs = 0
  for (const faulty of days.filter(({ truth }) => truth === 'faulty')) {
    for (const healthy of days.filter(({ truth }) => truth === 'healthy')) {
      pairs += 1
      wins += faulty.score > healthy.score ? 1 : faulty.score === healthy.score ? 0.5 : 0
    }
  }
  return wins / pairs
}

/** Day AUROC that scikit-learn's detectors reach on these sensors. */
const peers: Readonly<Record<string, number>> = { knn_distance: 0.82, isolation_forest: 0.79 }

/** Imported days with imposed faults, each judged by a model that never saw it. */
export const promised: Promised = {
  id: 'S2',
  title: 'an imported air handler: days with imposed faults score above healthy days held out',
  unit: 'day AUROC of the first model',
  bar: 'all 5 coil-valve days above every healthy day; AUROC >= 0.82 (kNN), 0.79 (forest)',
  // The public data is not part of the repository.
  quick: existsSync(dataFolder),
  limitSeconds: 300,
  run: async (report) => {
    if (!existsSync(dataFolder)) {
      return { ok: false, value: 0, detail: { error: 'the public data folder is not there' } }
    }
    const folder = temporaryFolder('s2')
    try {
      const csvPath = join(dataFolder, 'SZVAV.csv')
      const common = ['--data', folder.path, '--fleet', 'ahu']
      const map = join(root, 'fleets', 'ahu', 'lbnl-szvav.map.json')
      const [imported] = await isothermJson<readonly { rows: number }[]>(
        'import',
        csvPath,
        ...common,
        '--map',
        map,
        // One cell of the published file holds #VALUE!.
        '--skip-bad',
      )
      report(`${imported?.rows} rows imported`)
      const labels = labelsOf(
        readFileSync(csvPath, 'utf8'),
        readFileSync(join(dataFolder, 'fault_days.csv'), 'utf8'),
      )
      const labelPath = join(folder.path, 'labels.csv')
      writeFileSync(labelPath, `date,fault,note\n${labels.join('\n')}\n`)
      const shown = await isotherm('evaluate', ...common, '--labels', labelPath)
      report(`\n${shown.output}${shown.errors}`)
      const rows = await isothermJson<readonly Row[]>('evaluate', ...common, '--labels', labelPath)
      const models = [...Map.groupBy(rows, ({ model }) => model)]
      const results = models.map(([model, days]) => {
        const healthiest = Math.max(
          ...days.filter(({ truth }) => truth === 'healthy').map(({ score }) => score),
        )
        const valves = days.filter(({ note }) => note?.includes('coil valve') === true)
        return {
          model,
          auroc: pairwiseAuroc(days),
          valveDays: valves.length,
          valveDaysAbove: valves.filter(({ score }) => score > healthiest).length,
          named: days.every(
            ({ flagged, top_contributor }) => flagged.startsWith('0 ') || top_contributor !== null,
          ),
        }
      })
      const [first] = results
      return {
        ok:
          first !== undefined &&
          first.valveDays === 5 &&
          first.valveDaysAbove === 5 &&
          results.every(({ model, auroc, named }) => named && auroc >= (peers[model] ?? 0)),
        value: first?.auroc ?? 0,
        detail: { results },
      }
    } finally {
      folder.remove()
    }
  },
}
