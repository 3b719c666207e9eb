import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRandom, nextIndex, nextOpenUnit } from '@isotherm/anomaly'
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import type { NewRecord } from '../contracts/index.ts'
import { type DiskCalls, type LogOptions, openLog, type SegmentLog } from './index.ts'
import { diskCalls } from './segment-writer.ts'

const startMs = Date.UTC(2026, 1, 15)
const folders: string[] = []
const opened: SegmentLog[] = []

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'isotherm-log-'))
  folders.push(path)
  return path
}

function open(directory: string, options: Partial<LogOptions> = {}): SegmentLog {
  const log = openLog({ directory, clock: () => startMs, tickMs: 1, ...options })
  opened.push(log)
  return log
}

afterEach(async () => {
  for (const log of opened.splice(0)) await log.close()
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true })
})

const messages = (from: number, to: number, padding = 0): readonly NewRecord[] =>
  Array.from({ length: to - from }, (_, i) => ({
    deviceId: 'REF-1',
    eventId: `event-${from + i}`,
    ingestedAtMs: startMs,
    protocol: 'mqtt3',
    body: {
      kind: 'readable',
      format: 'wide',
      deviceTimeMs: startMs,
      payload: new Uint8Array(Buffer.from(`{"pad":"${'x'.repeat(padding)}"}`)),
    },
  }))

async function storedIds(log: SegmentLog): Promise<readonly string[]> {
  const { startOffset, endOffset } = log.bounds(0)
  if (startOffset === endOffset) return []
  const found: string[] = []
  for await (const records of log.follow(0, startOffset, new AbortController().signal)) {
    found.push(...records.map(({ eventId }) => eventId))
    if (found.length >= endOffset - startOffset) break
  }
  return found
}

const idsTo = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `event-${i}`)

const activePath = (directory: string): string => join(directory, 'p0', `${'0'.repeat(20)}.ndjson`)

function recordsEnd(bytes: Buffer): number {
  return bytes.lastIndexOf('}\n') + 2
}

test('a tail torn at any byte loses only the torn record and takes appends again', async () => {
  const directory = folder()
  const log = open(directory)
  await log.append(messages(0, 8))
  await log.close()
  const data = readFileSync(activePath(directory))
  const whole = data.subarray(0, recordsEnd(data))
  const indexPath = activePath(directory).replace('.ndjson', '.index')
  const index = readFileSync(indexPath)
  const lineEnds = [...whole.keys()].filter((at) => whole[at] === 10).map((at) => at + 1)
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: whole.length }),
      fc.integer({ min: 0, max: 8 }),
      fc.boolean(),
      async (cut, indexedRecords, zeroFilled) => {
        writeFileSync(activePath(directory), whole.subarray(0, cut))
        if (zeroFilled) appendFileSync(activePath(directory), Buffer.alloc(5_000))
        writeFileSync(indexPath, index.subarray(0, 32 + indexedRecords * 16 + (cut % 16)))
        const kept = lineEnds.filter((end) => end <= cut).length
        const again = open(directory)
        expect(await storedIds(again)).toEqual(idsTo(kept))
        expect(again.recoveries[0]?.recordCount).toBe(kept)
        await again.append(messages(kept, kept + 2))
        expect(await storedIds(again)).toEqual(idsTo(kept + 2))
        await again.close()
      },
    ),
    { numRuns: 60 },
  )
})

test('what was torn off the end is kept for inspection', async () => {
  const directory = folder()
  const log = open(directory)
  await log.append(messages(0, 6))
  await log.close()
  const data = readFileSync(activePath(directory))
  data.fill(0, data.indexOf('event-5') + 7)
  writeFileSync(activePath(directory), data)
  const again = open(directory)
  const [recovery] = again.recoveries
  expect(recovery).toMatchObject({ recordCount: 5, damagedCount: 0 })
  expect(readFileSync(recovery?.droppedPath ?? '', 'utf8')).toMatch(/"o":5.*event-5$/)
  expect(await storedIds(again)).toEqual(idsTo(5))
})

test('a record that changed costs no other, be it the last one', async () => {
  for (const changed of [3, 5]) {
    const directory = folder()
    const log = open(directory)
    await log.append(messages(0, 6))
    await log.close()
    const data = readFileSync(activePath(directory))
    data[data.indexOf(`event-${changed}`)] = 0x45
    writeFileSync(activePath(directory), data)
    const again = open(directory)
    expect(again.recoveries).toMatchObject([{ recordCount: 6, damagedCount: 1, droppedBytes: 0 }])
    expect(await storedIds(again)).toEqual(idsTo(6).with(changed, ''))
  }
})

test('an index that vanished with a power loss is rebuilt from the records', async () => {
  const directory = folder()
  const log = open(directory)
  await log.append(messages(0, 5))
  await log.close()
  truncateSync(activePath(directory).replace('.ndjson', '.index'), 0)
  const again = open(directory)
  expect(await storedIds(again)).toEqual(idsTo(5))
  const slice = await again.slice(0, 0, 5)
  await slice.release()
})

/** Real calls that fail on request: the fault is the disk's, everything else is ours. */
function failingDisk() {
  const fault: { write?: string; sync?: string } = {}
  const failure = (code: string) => Object.assign(new Error(`${code}: injected`), { code })
  const disk: DiskCalls = {
    write: async (descriptor, bytes, length, position) => {
      if (fault.write === undefined) return diskCalls.write(descriptor, bytes, length, position)
      // A full disk takes part of the bytes before it refuses the rest.
      await diskCalls.write(descriptor, bytes, length >> 1, position)
      throw failure(fault.write)
    },
    syncData: async (descriptor) => {
      if (fault.sync !== undefined) throw failure(fault.sync)
      return diskCalls.syncData(descriptor)
    },
    usedShare: diskCalls.usedShare,
  }
  return { fault, disk }
}

test('a full disk rejects appends, stores nothing of them and recovers with the space', async () => {
  const directory = folder()
  const { fault, disk } = failingDisk()
  const log = open(directory, { disk })
  await log.append(messages(0, 3))
  fault.write = 'ENOSPC'
  const refused = await Promise.allSettled([
    log.append(messages(100, 140)),
    log.append(messages(200, 210)),
  ])
  for (const result of refused) {
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'DISK_FULL' } })
  }
  expect(log.bounds(0).endOffset).toBe(3)
  delete fault.write
  await log.append(messages(3, 5))
  expect(await storedIds(log)).toEqual(idsTo(5))
  await log.close()
  expect(await storedIds(open(directory))).toEqual(idsTo(5))
})

test('after a failed sync the segment is given up: the next append goes to a new one', async () => {
  const directory = folder()
  const { fault, disk } = failingDisk()
  const log = open(directory, { disk })
  await log.append(messages(0, 3))
  fault.sync = 'EIO'
  await expect(log.append(messages(50, 52))).rejects.toMatchObject({ code: 'LOG_CLOSED' })
  delete fault.sync
  await log.append(messages(3, 6))
  expect(await storedIds(log)).toEqual(idsTo(6))
  await log.close()
  const again = open(directory)
  expect(await storedIds(again)).toEqual(idsTo(6))
  const slice = await again.slice(0, 0, 6)
  expect(slice.paths.length).toBe(2)
  await slice.release()
})

test('with faults at random, one write at a time; acknowledged is stored, once, and no more', async () => {
  const random = createRandom(20261121)
  const chance = (share: number): boolean => nextOpenUnit(random) < share
  for (let round = 0; round < 3; round++) {
    let nowMs = startMs
    let isFaulty = true
    const writing = new Set<number>()
    const disk: DiskCalls = {
      write: async (descriptor, ...rest) => {
        expect(writing.has(descriptor)).toBe(false)
        writing.add(descriptor)
        try {
          if (isFaulty && chance(0.1)) throw Object.assign(new Error('full'), { code: 'ENOSPC' })
          await diskCalls.write(descriptor, ...rest)
        } finally {
          writing.delete(descriptor)
        }
      },
      syncData: diskCalls.syncData,
      usedShare: () => (isFaulty && chance(0.5) ? 1 : 0),
    }
    const directory = folder()
    // The clock runs a second per look, so that the disk is looked at before each commit.
    const clock = () => (nowMs += 1_000)
    const log = open(directory, { disk, clock, maxWaitingBytes: 3 << 20, segmentBytes: 8 << 20 })
    const acknowledged: string[] = []
    const lane = async (number: number): Promise<void> => {
      for (let i = 0; i < 12; i++) {
        const from = (number * 12 + i) * 100
        const batch = messages(from, from + 10, nextIndex(random, 120_000))
        await log.append(batch).then(
          () => acknowledged.push(...batch.map(({ eventId }) => eventId)),
          (error: unknown) => expect(error).toMatchObject({ code: 'DISK_FULL' }),
        )
      }
    }
    await Promise.all(Array.from({ length: 16 }, (_, number) => lane(number)))
    isFaulty = false
    await log.append(messages(99_999, 100_000))
    const stored = await storedIds(log)
    expect(stored).toEqual([...acknowledged, 'event-99999'])
    await log.close()
    expect(await storedIds(open(directory))).toEqual(stored)
  }
})

test('above the share of the disk in use appends are refused, ING-18', async () => {
  const log = open(folder(), { maxDiskUsedShare: 0 })
  await expect(log.append(messages(0, 1))).rejects.toMatchObject({
    code: 'DISK_FULL',
    message: expect.stringMatching(/% full, limit 0\.0 %/),
  })
})

test('more waiting bytes than the bound make later appends wait, in order', async () => {
  const log = open(folder(), { maxWaitingBytes: 5_000, segmentBytes: 20_000 })
  const settled: number[] = []
  await Promise.all(
    Array.from({ length: 40 }, async (_, i) => {
      await log.append(messages(i * 5, i * 5 + 5, 400))
      settled.push(i)
    }),
  )
  expect(settled).toEqual(Array.from({ length: 40 }, (_, i) => i))
  expect(await storedIds(log)).toEqual(idsTo(200))
})

test('close waits for what was accepted and refuses what comes later', async () => {
  const directory = folder()
  const log = open(directory)
  const accepted = log.append(messages(0, 20))
  await log.close()
  await accepted
  await expect(log.append(messages(20, 21))).rejects.toMatchObject({ code: 'LOG_CLOSED' })
  expect(await storedIds(open(directory))).toEqual(idsTo(20))
})
