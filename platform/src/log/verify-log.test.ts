import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import type { NewRecord } from '../contracts/index.ts'
import { describeLog, openLog, verifyLog } from './index.ts'
import { listSegments, segmentPaths } from './segment-file.ts'

const startMs = Date.UTC(2026, 1, 15)
const folders: string[] = []

afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true })
})

function record(n: number): NewRecord {
  return {
    deviceId: `REF-${n % 5}`,
    eventId: `event-${n}`,
    ingestedAtMs: startMs + n,
    protocol: 'mqtt5',
    body: {
      kind: 'readable',
      format: 'wide',
      deviceTimeMs: startMs,
      payload: new Uint8Array(Buffer.from(`{"readings":{"humidity":${n}}}`)),
    },
  }
}

/** A log of 60 records in several segments. */
async function writtenLog(partitionCount = 1): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'isotherm-verify-'))
  folders.push(directory)
  const clock = () => startMs
  const log = openLog({ directory, clock, tickMs: 1, segmentBytes: 1_500, partitionCount })
  for (let n = 0; n < 60; n += 5)
    await log.append(Array.from({ length: 5 }, (_, i) => record(n + i)))
  await log.commitPosition('isotherm-materializer', 0, 20)
  await log.close()
  return directory
}

test('a log as it was written has no fault, and its chain covers every sealed segment', async () => {
  const directory = await writtenLog(2)
  const { faults, recordCount, segmentCount, unchainedCount, heads } = await verifyLog(directory)
  expect({ faults, recordCount, unchainedCount }).toEqual({
    faults: [],
    recordCount: 60,
    unchainedCount: 0,
  })
  expect(segmentCount).toBeGreaterThan(4)
  expect(heads.every((head) => /^[0-9a-f]{64}$/.test(head))).toBe(true)
  expect((await verifyLog(directory, { expectedHead: heads[1] ?? '' })).faults).toEqual([])
  const [fault] = (await verifyLog(directory, { expectedHead: '00' })).faults
  expect(fault?.found).toMatch(/no link has the hash 00/)
})

test('one flipped bit anywhere in a sealed segment is named with its segment and record', async () => {
  const directory = await writtenLog()
  const folder = join(directory, 'p0')
  const starts = listSegments(folder).slice(0, -1)
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...starts),
      fc.boolean(),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.integer({ min: 0, max: 7 }),
      async (start, inIndex, place, bit) => {
        const { path, indexPath } = segmentPaths(folder, start)
        const changed = inIndex ? indexPath : path
        const whole = readFileSync(changed)
        const at = Math.floor(place * whole.length)
        writeFileSync(changed, whole.with(at, whole[at]! ^ (1 << bit)))
        const { faults } = await verifyLog(directory)
        const linesBefore = whole.subarray(0, at).filter((byte) => byte === 10).length
        const record = inIndex ? Math.floor((at - 32) / 16) : linesBefore
        expect(faults.map((fault) => [fault.path, fault.record])).toEqual([
          [changed, inIndex && at < 32 ? undefined : start + record],
        ])
        writeFileSync(changed, whole)
      },
    ),
    { numRuns: 150 },
  )
})

test('a segment rewritten with matching CRCs, one removed and a chain edited are found', async () => {
  const directory = await writtenLog()
  const folder = join(directory, 'p0')
  const second = listSegments(folder)[1] ?? 0
  const { path, indexPath } = segmentPaths(folder, second)
  const [data, index] = [readFileSync(path), readFileSync(indexPath)]
  // The first record again with another value, and its CRC beside it.
  const lineEnd = data.indexOf(10) + 1
  const forged = Buffer.from(data.toString('latin1', 0, lineEnd).replace(/\d\}\}\}\n$/, '7}}}\n'))
  expect(forged.equals(data.subarray(0, lineEnd))).toBe(false)
  writeFileSync(path, Buffer.concat([forged, data.subarray(lineEnd)]))
  const rewritten = Buffer.from(index)
  rewritten.writeUInt32LE(crc32(forged), 32)
  writeFileSync(indexPath, rewritten)
  expect((await verifyLog(directory)).faults).toMatchObject([
    { path, found: expect.stringMatching(/not what was sealed/) },
  ])
  rmSync(path)
  rmSync(indexPath)
  const removed = (await verifyLog(directory)).faults.map(({ found }) => found)
  expect(removed.join()).toMatch(/it is missing, with records/)
  writeFileSync(path, data)
  writeFileSync(indexPath, index)
  const chain = join(folder, 'chain.ndjson')
  const links = readFileSync(chain, 'utf8').split('\n')
  writeFileSync(chain, links.toSpliced(1, 1).join('\n'))
  const edited = (await verifyLog(directory)).faults.map(({ found }) => found)
  expect(edited.join()).toMatch(/does not follow from the one before/)
  expect(edited.join()).toMatch(/the chain has no link for it/)
})

test('a log written before there was a chain is checked by CRC and says so', async () => {
  const directory = await writtenLog()
  rmSync(join(directory, 'p0', 'chain.ndjson'))
  const { faults, unchainedCount, segmentCount } = await verifyLog(directory)
  expect(faults).toEqual([])
  expect(unchainedCount).toBe(segmentCount - 1)
})

test('a description tells offsets, times and how far behind each group is, ING-22', async () => {
  const directory = await writtenLog()
  const { partitions, groups } = describeLog(directory, startMs + 10_000)
  expect(partitions).toMatchObject([
    { startOffset: 0, endOffset: 60, firstIngestedAtMs: startMs, lastIngestedAtMs: startMs + 59 },
  ])
  expect(groups).toEqual([
    {
      group: 'isotherm-materializer',
      partition: 0,
      position: 20,
      lagRecords: 40,
      lagSeconds: 9.98,
    },
  ])
})
