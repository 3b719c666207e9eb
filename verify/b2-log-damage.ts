import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLog } from 'isotherm/log'
import { contentOf, recordOf, seededRandom, seedOfRun, storedRecords } from './log-records.ts'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

const pointCount = 1_000
const recordCount = 600
const clock = () => Date.UTC(2026, 1, 15)

async function writeLog(directory: string): Promise<void> {
  const log = openLog({ directory, clock, tickMs: 1, segmentBytes: 60_000 })
  for (let n = 0; n < recordCount; n += 6) {
    await log.append(Array.from({ length: 6 }, (_, i) => recordOf(n + i)))
  }
  await log.close()
}

/** What opening and reading gave: records by offset, or the refusal. */
type Reading =
  | { readonly kind: 'read'; readonly records: Awaited<ReturnType<typeof storedRecords>> }
  | { readonly kind: 'refused'; readonly reason: string }

async function read(directory: string): Promise<Reading> {
  try {
    const log = openLog({ directory, clock, segmentBytes: 60_000 })
    try {
      return { kind: 'read', records: await storedRecords(log, 0) }
    } finally {
      await log.close()
    }
  } catch (error) {
    return { kind: 'refused', reason: error instanceof Error ? error.message : String(error) }
  }
}

/** Cuts and flipped bytes at random places of a log's segments and side files. */
export const promised: Promised = {
  id: 'B2',
  title: 'cut and flipped bytes give no wrong record and cost no other one',
  unit: 'wrong or lost records',
  bar: '0 over 1,000 points',
  quick: false,
  limitSeconds: 600,
  run: async (report) => {
    const seed = seedOfRun()
    report(`seed ${seed}`)
    const random = seededRandom(seed)
    const folder = temporaryFolder('b2')
    try {
      const whole = join(folder.path, 'whole')
      await writeLog(whole)
      const partition = join(whole, 'p0')
      const names = readdirSync(partition).filter((name) => /^\d+\.(ndjson|index)$/.test(name))
      const newest = names.findLast((name) => name.endsWith('.ndjson')) ?? ''
      const expected = Array.from({ length: recordCount }, (_, n) => contentOf(recordOf(n)))
      const wrong: string[] = []
      const counts = { flipped: 0, cut: 0, refusedByName: 0, damagedRecords: 0, healed: 0 }
      for (let point = 0; point < pointCount; point++) {
        const directory = join(folder.path, 'damaged')
        rmSync(directory, { recursive: true, force: true })
        cpSync(whole, directory, { recursive: true })
        const name = names[Math.floor(random() * names.length)] ?? ''
        const path = join(directory, 'p0', name)
        const bytes = readFileSync(path)
        const at = Math.floor(random() * bytes.length)
        const isCut = point % 4 === 0
        if (isCut) truncateSync(path, at)
        else writeFileSync(path, bytes.with(at, bytes[at]! ^ (1 << Math.floor(random() * 8))))
        counts[isCut ? 'cut' : 'flipped']++
        const reading = await read(directory)
        const where = `${isCut ? 'cut' : 'flip'} of ${name} at ${at} (seed ${seed}, point ${point})`
        if (reading.kind === 'refused') {
          // Only a sealed segment that lost bytes may be refused, and by name.
          const isLossy = isCut && name.endsWith('.ndjson') && name !== newest
          if (isLossy && reading.reason.includes(name)) counts.refusedByName++
          else wrong.push(`${where}: refused, ${reading.reason}`)
          continue
        }
        // A cut of the newest segment takes away what stood behind it, and nothing else.
        const isNewestCut = isCut && name === newest
        const firstOfNewest = Number(newest.slice(0, 20))
        const left = isNewestCut
          ? firstOfNewest + bytes.subarray(0, at).filter((byte) => byte === 10).length
          : recordCount
        if (reading.records.length !== left) {
          wrong.push(`${where}: ${reading.records.length} records, expected ${left}`)
          continue
        }
        let damaged = 0
        for (const [offset, record] of reading.records.entries()) {
          if (contentOf(record) === expected[offset] && record.offset === offset) continue
          const { body } = record
          const isNamed = body.kind === 'refused' && body.reason === 'RECORD_DAMAGED'
          if (isNamed && record.offset === offset && !isCut) damaged++
          else wrong.push(`${where}: record ${offset} is wrong`)
        }
        if (damaged > 1) wrong.push(`${where}: ${damaged} records given up for one byte`)
        if (damaged === 0) counts.healed++
        counts.damagedRecords += damaged
      }
      for (const line of wrong.slice(0, 10)) report(line)
      return { ok: wrong.length === 0, value: wrong.length, detail: { seed, ...counts } }
    } finally {
      folder.remove()
    }
  },
}
