// Damages tables at random and uses them: only errors with a code may come of it, in time.
//   node delta/testing/fuzz/fuzz.ts [--seed=1] [--cases=1000] [--keep]
// With --keep, cases that went wrong are written to delta/testing/corpus, which a test replays.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makeBaseTable } from './base-table.ts'
import { damageOf } from './mutations.ts'
import { runCases } from './run-cases.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    cases: { type: 'string', default: '1000' },
    keep: { type: 'boolean', default: false },
  },
})
const first = Number(values.seed)
const seeds = Array.from({ length: Number(values.cases) }, (_, i) => String(first + i))
const base = await makeBaseTable()
const outcomes = new Map<string, number>()
const failures: string[] = []
await runCases(seeds, ({ name, what, failure, outcomes: seen = [] }) => {
  for (const { outcome } of seen) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  if (failure === undefined) return
  failures.push(name)
  console.log(`seed ${name} (${what ?? 'unknown damage'}): ${failure.slice(0, 1500)}\n`)
})
if (values.keep) {
  for (const seed of failures) {
    const file = join(import.meta.dirname, '..', 'corpus', `seed-${seed}.json`)
    writeFileSync(file, `${JSON.stringify(await damageOf(Number(seed), base), null, 2)}\n`)
  }
}
await base.remove()
for (const [outcome, count] of [...outcomes].toSorted(([, a], [, b]) => b - a)) {
  console.log(`${String(count).padStart(7)} ${outcome}`)
}
console.log(`${seeds.length} cases from seed ${first}: ${failures.length} failures`)
process.exitCode = failures.length === 0 ? 0 : 1
