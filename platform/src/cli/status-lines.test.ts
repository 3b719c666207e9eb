import { expect, it } from 'vitest'
import { type StatusFigures, statusLines } from './status-lines.ts'

const nowMs = Date.UTC(2026, 1, 15, 10)

const well: StatusFigures = {
  url: 'http://127.0.0.1:8080',
  processId: 42,
  state: 'ok',
  uptimeSeconds: 7_300,
  memoryBytes: 300 * 2 ** 20,
  connections: 10_000,
  online: 9_998,
  silent: 2,
  received: 1_000_000,
  stored: 999_000,
  duplicates: 1_000,
  refused: 12,
  throttled: 0,
  isStalled: false,
  logBytes: 700 * 2 ** 20,
  lagSeconds: 150,
  diskUsedShare: 0.374,
  openLetters: 12,
  newestReadingAt: new Date(nowMs - 4_000).toISOString(),
  newestScoredAt: null,
  troubles: [],
}

it('says on one screen how a server does', () => {
  const lines = statusLines(well, nowMs)
  expect(lines).toHaveLength(7)
  expect(lines.join('\n')).toContain('9,998 online over 10,000 connections, 2 stopped reporting')
  expect(lines.join('\n')).toContain('slowest consumer 3 min behind')
  expect(lines.join('\n')).toContain('reading 4 s ago, score none yet')
})

it('names troubles, and a log that takes nothing', () => {
  const troubles = ['land failed: disk full']
  const lines = statusLines({ ...well, state: 'failed', isStalled: true, troubles }, nowMs)
  expect(lines[0]).toMatch(/^FAILED/)
  expect(lines.at(-1)).toBe('trouble   land failed: disk full')
  expect(lines.join('\n')).toContain('TAKES NOTHING NOW')
})
