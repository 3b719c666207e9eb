import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { VersionNotAvailable } from '../errors.ts'
import { createTable, openTable } from '../open-table.ts'
import { memoryStore } from '../store/memory-store.ts'
import { commitPath } from './log-names.ts'
import { addOf, countingHost, randomCommitSchema } from './random-commits.testing.ts'

const startMs = Date.UTC(2026, 0, 1)

/** A log by hand: file times, and in-commit times where there are any. */
async function tableOfTimes(
  times: readonly { readonly fileMs: number; readonly inCommitMs?: number }[],
  configuration: Readonly<Record<string, string>> = {},
) {
  const store = memoryStore()
  const table = await createTable(
    store,
    { name: 't', schema: randomCommitSchema, partitionColumns: ['day'] },
    { host: countingHost() },
  )
  const { metadata } = await table.snapshot()
  await store.remove(commitPath(0))
  for (const [version, { fileMs, inCommitMs }] of times.entries()) {
    const lines: unknown[] = [
      { commitInfo: { operation: 'WRITE', ...(inCommitMs && { inCommitTimestamp: inCommitMs }) } },
      { add: addOf(`f${version}`) },
    ]
    if (version === 0) lines.push({ protocol: { minReaderVersion: 1, minWriterVersion: 2 } })
    const isLast = version === times.length - 1
    if (version === 0 || isLast) {
      lines.push({ metaData: { ...metadata, configuration: isLast ? configuration : {} } })
    }
    const text = lines.map((line) => JSON.stringify(line)).join('\n')
    await store.putIfAbsent(commitPath(version), Buffer.from(text), { modifiedMs: fileMs })
  }
  return await openTable(store)
}

const versionAtMs = async (
  table: Awaited<ReturnType<typeof tableOfTimes>>,
  timestampMs: number,
): Promise<number | 'none'> => {
  try {
    return (await table.snapshot({ timestampMs })).version
  } catch (cause) {
    if (cause instanceof VersionNotAvailable) return 'none'
    throw cause
  }
}

describe('the version at a time', () => {
  test('is the newest at or before it, by file times made strictly rising', async () => {
    const gaps = fc.array(fc.integer({ min: -5, max: 20 }), { minLength: 1, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(gaps, fc.nat(120), async (steps, offset) => {
        let fileMs = startMs
        const files = steps.map((step) => {
          fileMs += step
          return { fileMs }
        })
        const table = await tableOfTimes(files)
        let risen = Number.NEGATIVE_INFINITY
        const times = files.map((file) => {
          risen = Math.max(file.fileMs, risen + 1)
          return risen
        })
        const wanted = startMs - 10 + offset
        const expected = times.findLastIndex((time) => time <= wanted)
        const isAfter = wanted > (times.at(-1) ?? 0)
        const found = await versionAtMs(table, wanted)
        expect(found).toBe(expected < 0 || isAfter ? 'none' : expected)
      }),
      { numRuns: 60 },
    )
  })

  test('goes by in-commit times where they are kept from the start, whatever the files say', async () => {
    const times = [5, 10, 30, 31].map((ms) => ({ fileMs: startMs, inCommitMs: startMs + ms }))
    const table = await tableOfTimes(times, { 'delta.enableInCommitTimestamps': 'true' })
    const versions = []
    for (const ms of [4, 5, 9, 10, 29, 30, 31, 32]) {
      versions.push(await versionAtMs(table, startMs + ms))
    }
    expect(versions).toEqual(['none', 0, 0, 1, 1, 2, 3, 'none'])
    expect((await table.snapshot()).timestampMs).toBe(startMs + 31)
  })

  test('goes by file times before the version that switched in-commit times on', async () => {
    const times = [
      { fileMs: startMs + 1 },
      { fileMs: startMs + 2 },
      { fileMs: startMs + 900, inCommitMs: startMs + 10 },
      { fileMs: startMs + 800, inCommitMs: startMs + 20 },
    ]
    const table = await tableOfTimes(times, {
      'delta.enableInCommitTimestamps': 'true',
      'delta.inCommitTimestampEnablementVersion': '2',
      'delta.inCommitTimestampEnablementTimestamp': String(startMs + 10),
    })
    const versions = []
    for (const ms of [0, 1, 2, 9, 10, 19, 20, 21]) {
      versions.push(await versionAtMs(table, startMs + ms))
    }
    expect(versions).toEqual(['none', 0, 1, 1, 2, 2, 3, 'none'])
  })
})

test('a table opened long ago sees commits again after a clean-up took the ones between', async () => {
  const store = memoryStore()
  const newTable = { name: 't', schema: randomCommitSchema, partitionColumns: ['day'] }
  const configuration = { 'delta.checkpointInterval': '4' }
  const table = await createTable(store, { ...newTable, configuration }, { host: countingHost() })
  const old = await openTable(store)
  for (let i = 0; i < 6; i++) await table.commit({ adds: [addOf(`f${i}`)], operation: 'WRITE' })
  for (let version = 0; version < 4; version++) await store.remove(commitPath(version))
  expect(await old.snapshot()).toMatchObject({ version: 6 })
  expect((await old.snapshot()).files).toHaveLength(6)
  expect(await old.snapshot()).toBe(await old.snapshot())
})
