import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { fuzz } from './fuzz.ts'
import { packetTarget } from './packet-target.ts'
import { payloadTarget } from './payload-target.ts'
import type { Target } from './target.ts'

const clean = { crashes: 0, examples: [] }

test('a slice of mutated payloads: each is read as the runtime reads it, or refused', async () => {
  const findings = await fuzz(payloadTarget(), { count: 20_000, seed: 20_260_215, guidedCount: 0 })
  expect(findings).toMatchObject(clean)
})

test('a slice of mutated packets breaks nothing behind the session', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'isotherm-fuzz-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const { target, close } = await packetTarget(folder)
  const findings = await fuzz(target, { count: 4_000, seed: 20_260_215, guidedCount: 0 })
  await close()
  expect(findings).toMatchObject(clean)
})

test('what crashes, answers wrongly or is reached only through new code is found', async () => {
  const found: string[] = []
  const target: Target = {
    name: 'maze',
    seeds: [Buffer.from('aaaa')],
    words: [Buffer.from('x'), Buffer.from('y')],
    isWatched: (url) => url.includes('fuzz.test'),
    settle: async () => undefined,
    take: (input) => {
      if (input[0] !== 0x78) return undefined
      found.push('first')
      if (input[1] !== 0x79) return undefined
      found.push('second')
      if (input[2] === 0x78) throw new Error('a crash')
      return undefined
    },
  }
  const findings = await fuzz(target, { count: 20_000, seed: 7, guidedCount: 20_000 })
  expect(findings.crashes).toBeGreaterThan(0)
  expect(findings.examples[0]).toContain('a crash')
  expect(findings.corpus.length).toBeGreaterThan(1)
  expect(found).toContain('second')
})
