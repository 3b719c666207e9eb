import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type CaseResult, runCases } from './fuzz/run-cases.ts'

// Damages that once led to a crash, a hang or an error without a code. `fuzz/fuzz.ts --keep` finds
// and adds more.
const corpus = join(import.meta.dirname, 'corpus')
const kept = readdirSync(corpus).filter((name) => name.endsWith('.json'))

async function resultsOf(names: readonly string[]): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = []
  await runCases(names, (result) => results.push(result))
  return results
}

describe('damaged tables', () => {
  test('that were once found are read or refused with a code', { timeout: 120_000 }, async () => {
    const results = await resultsOf(kept.map((name) => join(corpus, name)))
    expect(results).toHaveLength(kept.length)
    expect(kept.length).toBeGreaterThan(0)
    expect(results.filter(({ failure }) => failure !== undefined)).toEqual([])
  })

  test('of a few fresh seeds are read or refused with a code', { timeout: 120_000 }, async () => {
    const results = await resultsOf(Array.from({ length: 10 }, (_, i) => String(1000 + i)))
    expect(results.filter(({ failure }) => failure !== undefined)).toEqual([])
    const outcomes = results.flatMap((result) => result.outcomes ?? [])
    // A damage that nothing ever notices would test nothing.
    expect(outcomes.some(({ outcome }) => outcome !== 'ok')).toBe(true)
    expect(outcomes.some(({ outcome }) => outcome === 'ok')).toBe(true)
  })
})
