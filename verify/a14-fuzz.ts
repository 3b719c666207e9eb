import { hasFlag, numberFlag } from './delta/flags.ts'
import { writeCorpus } from './fuzz/corpus.ts'
import { type Findings, fuzz } from './fuzz/fuzz.ts'
import { packetTarget } from './fuzz/packet-target.ts'
import { payloadTarget } from './fuzz/payload-target.ts'
import type { Target } from './fuzz/target.ts'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

const count = numberFlag('count', 1_000_000)
const seed = numberFlag('seed', Math.floor(Math.random() * 2 ** 31) + 1)
/** Share of the inputs that are guided by coverage; from then on the corpus stays as it is. */
const guidedShare = 0.05
const maxGrowthMib = 8

function isClean({ crashes, hangs, growthMib }: Findings): boolean {
  return crashes === 0 && hangs === 0 && growthMib <= maxGrowthMib
}

/** Everything a socket can send: mutated packets through whole sessions, mutated payloads. */
export const promised: Promised = {
  id: 'A14',
  title: `${count} mutated MQTT packets and as many payloads, guided by coverage`,
  unit: 'crashes, hangs over 100 ms and wrong verdicts',
  bar: '0, and no memory growth',
  quick: false,
  limitSeconds: 600,
  run: async (report) => {
    const folder = temporaryFolder('a14')
    const options = { count, seed, guidedCount: Math.round(count * guidedShare) }
    const found: Findings[] = []
    const run = async (target: Target) => {
      const startMs = performance.now()
      const findings = await fuzz(target, options)
      found.push(findings)
      const { corpus, examples, ...figures } = findings
      const seconds = Math.round((performance.now() - startMs) / 1_000)
      report(`${target.name}: ${JSON.stringify({ ...figures, corpus: corpus.length, seconds })}`)
      for (const example of examples) report(example)
      if (hasFlag('keep')) writeCorpus(target.name, corpus)
    }
    try {
      await run(payloadTarget())
      const { target, close } = await packetTarget(folder.path)
      await run(target)
      await close()
      const value = found.reduce((sum, { crashes, hangs }) => sum + crashes + hangs, 0)
      return {
        ok: found.every(isClean),
        value,
        detail: {
          seed,
          runs: found.map(({ corpus, ...rest }) => ({ ...rest, corpus: corpus.length })),
        },
      }
    } finally {
      folder.remove()
    }
  },
}
