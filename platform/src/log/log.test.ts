import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterEach, expect, test } from 'vitest'
import type { LogRecord, NewRecord } from '../contracts/index.ts'
import { type LogOptions, openLog, partitionOf, type SegmentLog } from './index.ts'

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

function message(n: number, deviceId = `REF-${n % 7}`): NewRecord {
  return {
    deviceId,
    eventId: `00000000-0000-5000-8000-${n.toString().padStart(12, '0')}`,
    ingestedAtMs: startMs + n,
    protocol: 'mqtt3',
    messageId: `m-${n}`,
    body: {
      kind: 'readable',
      format: 'wide',
      deviceTimeMs: startMs + n,
      payload: new Uint8Array(Buffer.from(`{"device_id":"${deviceId}","readings":{"n":${n}}}`)),
    },
  }
}

const messages = (from: number, to: number): readonly NewRecord[] =>
  Array.from({ length: to - from }, (_, i) => message(from + i))

async function readAll(log: SegmentLog, partition = 0): Promise<readonly LogRecord[]> {
  const { startOffset, endOffset } = log.bounds(partition)
  const abort = new AbortController()
  const found: LogRecord[] = []
  if (startOffset === endOffset) return found
  for await (const records of log.follow(partition, startOffset, abort.signal)) {
    found.push(...records)
    if (found.length >= endOffset - startOffset) break
  }
  return found
}

const eventIds = (records: readonly { readonly eventId: string }[]): readonly string[] =>
  records.map(({ eventId }) => eventId)

test('offsets are contiguous over segments and survive a restart', async () => {
  const directory = folder()
  const first = open(directory, { segmentBytes: 2_000 })
  for (let n = 0; n < 100; n += 10) await first.append(messages(n, n + 10))
  expect(first.bounds(0)).toEqual({ startOffset: 0, endOffset: 100 })
  await first.close()
  const segments = readdirSync(join(directory, 'p0')).filter((name) => name.endsWith('.ndjson'))
  expect(segments.length).toBeGreaterThan(3)
  const second = open(directory, { segmentBytes: 2_000 })
  expect(second.bounds(0)).toEqual({ startOffset: 0, endOffset: 100 })
  await second.append(messages(100, 110))
  const found = await readAll(second)
  expect(found.map(({ offset }) => offset)).toEqual(Array.from({ length: 110 }, (_, i) => i))
  expect(eventIds(found)).toEqual(eventIds(messages(0, 110)))
})

test('appends made together are stored in the order they were made', async () => {
  const log = open(folder())
  await Promise.all(messages(0, 500).map((record) => log.append([record])))
  expect(eventIds(await readAll(log))).toEqual(eventIds(messages(0, 500)))
})

test('an empty append resolves and a record that cannot be a line rejects alone', async () => {
  const log = open(folder())
  await log.append([])
  const broken = message(1)
  const payload = new Uint8Array(Buffer.from('{\n}'))
  const bad = { ...broken, body: { ...broken.body, payload } } as NewRecord
  const results = await Promise.allSettled([
    log.append([message(0)]),
    log.append([message(5), bad]),
    log.append([message(2)]),
  ])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(eventIds(await readAll(log))).toEqual(eventIds([message(0), message(2)]))
})

test('slices end with sealed segments, and one after the other cover the range once', async () => {
  const log = open(folder(), { segmentBytes: 3_000 })
  for (let n = 0; n < 60; n += 6) await log.append(messages(n, n + 6))
  const names = new Set<string>()
  let start = 3
  while (start < 60) {
    const slice = await log.slice(0, start, Math.min(60, start + 25))
    expect(slice.startOffset).toBe(start)
    expect(slice.endOffset).toBeGreaterThan(start)
    const sealed = slice.paths.filter((path) => !path.includes('slices'))
    for (const path of sealed) expect(names).not.toContain(path)
    for (const path of sealed) names.add(path)
    start = slice.endOffset
    await slice.release()
  }
  expect(start).toBe(60)
  expect(names.size).toBeGreaterThan(2)
})

test('a slice is strict NDJSON for DuckDB, sealed and active segments alike', async () => {
  const log = open(folder(), { segmentBytes: 3_000 })
  for (let n = 0; n < 60; n += 6) await log.append(messages(n, n + 6))
  const slice = await log.slice(0, 7, 58)
  expect(slice.paths.length).toBeGreaterThan(2)
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  const files = slice.paths.map((path) => `'${path}'`).join(',')
  const result = await connection.runAndReadAll(
    `SELECT o::INTEGER o, d, p.readings.n::INTEGER n FROM read_ndjson([${files}],
     columns={o:'BIGINT', d:'VARCHAR', p:'STRUCT(readings STRUCT(n DOUBLE))'})
     WHERE o >= 7 AND o < 58 ORDER BY o`,
  )
  expect(result.getRowObjects()).toEqual(
    Array.from({ length: 51 }, (_, i) => ({ o: i + 7, d: `REF-${(i + 7) % 7}`, n: i + 7 })),
  )
  connection.disconnectSync()
  const copies = slice.paths.filter((path) => path.includes('slices'))
  expect(copies.length).toBe(1)
  await slice.release()
  expect(copies.filter((path) => existsSync(path))).toEqual([])
  await expect(log.slice(0, 0, 61)).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('a record whose bytes changed is read as a refused one, in its place, and no other', async () => {
  const directory = folder()
  const log = open(directory, { segmentBytes: 1_000 })
  for (let n = 0; n < 40; n += 4) await log.append(messages(n, n + 4))
  const whole = await readAll(log)
  await log.close()
  const path = join(directory, 'p0', `${'0'.repeat(20)}.ndjson`)
  const sealed = readFileSync(path)
  const index = readFileSync(path.replace('.ndjson', '.index'))
  const secondRecord = sealed.indexOf(10) + 1
  for (let bit = 0; bit < 16; bit++) {
    // Bytes of the second record, its line break included, then of its entry: CRC and position.
    const at = secondRecord + 11 * bit
    const isIndex = bit >= 12
    const bytes = Buffer.from(isIndex ? index : sealed)
    const place = isIndex
      ? 32 + 16 + 2 * (bit - 12)
      : Math.min(at, sealed.indexOf(10, secondRecord))
    bytes[place] = bytes[place]! ^ (1 << (bit % 8))
    writeFileSync(isIndex ? path.replace('.ndjson', '.index') : path, bytes)
    const damaged = open(directory, { segmentBytes: 1_000 })
    const found = await readAll(damaged)
    const isHealed = isIndex && bit >= 14
    expect(found.toSpliced(1, 1)).toEqual(whole.toSpliced(1, 1))
    if (isHealed) expect(found[1]).toEqual(whole[1])
    else {
      expect(found[1]).toMatchObject({
        offset: 1,
        body: { kind: 'refused', reason: 'RECORD_DAMAGED' },
      })
    }
    const slice = await damaged.slice(0, 0, 40)
    const lines = slice.paths.flatMap((file) => readFileSync(file, 'utf8').trimEnd().split('\n'))
    expect(lines.map((line) => JSON.parse(line).o)).toEqual(whole.map(({ offset }) => offset))
    await slice.release()
    await damaged.close()
    writeFileSync(path, sealed)
    writeFileSync(path.replace('.ndjson', '.index'), index)
  }
})

test('a sealed segment that was cut is refused at open', async () => {
  const directory = folder()
  const log = open(directory, { segmentBytes: 500 })
  for (let n = 0; n < 20; n += 4) await log.append(messages(n, n + 4))
  await log.close()
  const path = join(directory, 'p0', `${'0'.repeat(20)}.ndjson`)
  writeFileSync(path, readFileSync(path).subarray(0, -9))
  expect(() => open(directory, { segmentBytes: 500 })).toThrow(/log segment .*restore/)
})

test('a side file that was lost or changed is made again, if the chain vouches for it', async () => {
  const directory = folder()
  const log = open(directory, { segmentBytes: 500 })
  for (let n = 0; n < 20; n += 4) await log.append(messages(n, n + 4))
  await log.close()
  const base = join(directory, 'p0', '0'.repeat(20))
  const index = readFileSync(`${base}.index`)
  const spoiled: readonly (Buffer | undefined)[] = [
    undefined,
    Buffer.alloc(0),
    index.subarray(0, -16),
    Buffer.from(index.with(3, 0)),
    Buffer.from(index.with(12, 9)),
    Buffer.from(index.with(index.length - 11, 9)),
  ]
  for (const content of spoiled) {
    rmSync(`${base}.index`)
    if (content !== undefined) writeFileSync(`${base}.index`, content)
    const again = open(directory, { segmentBytes: 500 })
    expect(eventIds(await readAll(again))).toEqual(eventIds(messages(0, 20)))
    await again.close()
    expect(readFileSync(`${base}.index`).equals(index)).toBe(true)
  }
  const data = readFileSync(`${base}.ndjson`)
  data[40] = data[40]! ^ 1
  writeFileSync(`${base}.ndjson`, data)
  rmSync(`${base}.index`)
  expect(() => open(directory, { segmentBytes: 500 })).toThrow(/its side file is missing; restore/)
})

test('a follower gets everything once, in order, from files and then live', async () => {
  const log = open(folder(), { segmentBytes: 2_000 })
  await log.append(messages(0, 50))
  const abort = new AbortController()
  const found: LogRecord[] = []
  const following = (async () => {
    for await (const records of log.follow(0, 20, abort.signal)) {
      found.push(...records)
      if (found.length >= 130) break
    }
  })()
  for (let n = 50; n < 150; n += 5) await log.append(messages(n, n + 5))
  await following
  expect(found.map(({ offset }) => offset)).toEqual(Array.from({ length: 130 }, (_, i) => i + 20))
  expect(eventIds(found)).toEqual(eventIds(messages(20, 150)))
})

test('a follower ends when its signal aborts and when the log closes', async () => {
  const log = open(folder())
  const abort = new AbortController()
  const ends = [abort.signal, new AbortController().signal].map(async (signal) => {
    for await (const records of log.follow(0, 0, signal)) if (records.length < 0) return
  })
  abort.abort()
  await ends[0]
  await log.close()
  await ends[1]
})

test('positions of consumer groups survive a restart, and a group needs a name, ING-19', async () => {
  const directory = folder()
  const log = open(directory)
  expect(log.position('isotherm-materializer', 0)).toBeUndefined()
  await Promise.all([
    log.commitPosition('isotherm-materializer', 0, 5),
    log.commitPosition('isotherm-stream-rules', 0, 9),
    log.commitPosition('isotherm-materializer', 0, 7),
  ])
  for (const group of ['', '$Default']) {
    expect(() => log.commitPosition(group, 0, 1)).toThrow(/ING-19/)
  }
  await log.close()
  const again = open(directory)
  expect(again.position('isotherm-materializer', 0)).toBe(7)
  expect(again.position('isotherm-stream-rules', 0)).toBe(9)
})

test('only old segments that every group has read expire, and never one in use, ING-18', async () => {
  const directory = folder()
  const log = open(directory, { segmentBytes: 1_000, retentionMs: 1_000 })
  for (let n = 0; n < 40; n += 4) await log.append(messages(n, n + 4))
  const late = startMs + 2_000
  expect(await log.expire(late)).toEqual({ removedSegmentCount: 0 })
  await log.commitPosition('isotherm-materializer', 0, 40)
  await log.commitPosition('isotherm-stream-rules', 0, 12)
  expect(await log.expire(startMs + 500)).toEqual({ removedSegmentCount: 0 })
  const held = await log.slice(0, 0, 4)
  expect(await log.expire(late)).toEqual({ removedSegmentCount: 0 })
  await held.release()
  expect((await log.expire(late)).removedSegmentCount).toBeGreaterThan(0)
  const { startOffset } = log.bounds(0)
  expect(startOffset).toBeGreaterThan(0)
  expect(startOffset).toBeLessThanOrEqual(12)
  await log.close()
  const again = open(directory, { segmentBytes: 1_000 })
  expect(again.bounds(0)).toEqual({ startOffset, endOffset: 40 })
  expect(eventIds(await readAll(again))).toEqual(eventIds(messages(startOffset, 40)))
})

test('several partitions keep every device in order on its own partition, ING-15', async () => {
  const log = open(folder(), { partitionCount: 4 })
  await log.append(messages(0, 200))
  let total = 0
  for (let partition = 0; partition < 4; partition++) {
    const found = await readAll(log, partition)
    total += found.length
    for (const { deviceId } of found) expect(partitionOf(deviceId, 4)).toBe(partition)
    expect(eventIds(found)).toEqual(
      eventIds(messages(0, 200).filter(({ deviceId }) => partitionOf(deviceId, 4) === partition)),
    )
  }
  expect(total).toBe(200)
})

test('another partition count or a newer format is refused at open', async () => {
  const directory = folder()
  await open(directory).close()
  expect(() => open(directory, { partitionCount: 2 })).toThrow(/ING-16/)
  writeFileSync(join(directory, 'log.json'), '{"format":2,"generation":1,"partitionCount":1}')
  expect(() => open(directory)).toThrow(/format 2/)
})
