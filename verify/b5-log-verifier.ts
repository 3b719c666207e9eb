import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLog } from 'isotherm/log'
import { recordOf, seededRandom, seedOfRun } from './log-records.ts'
import type { Promised } from './promise.ts'
import { isotherm, temporaryFolder } from './system.ts'

const flipCount = 30
const recordCount = 2_000

/** Flipped bytes in sealed segments, and what the command line says about them. */
export const promised: Promised = {
  id: 'B5',
  title: 'one flipped byte in a sealed segment is named with its segment and record',
  unit: 'flips named wrongly or not at all',
  bar: '0 of 30',
  quick: false,
  limitSeconds: 300,
  run: async (report) => {
    const seed = seedOfRun()
    report(`seed ${seed}`)
    const random = seededRandom(seed)
    const folder = temporaryFolder('b5')
    try {
      const directory = join(folder.path, 'log')
      const clock = () => Date.UTC(2026, 1, 15)
      const log = openLog({ directory, clock, tickMs: 1, segmentBytes: 100_000 })
      for (let n = 0; n < recordCount; n += 50) {
        await log.append(Array.from({ length: 50 }, (_, i) => recordOf(n + i)))
      }
      await log.close()
      // The command asks for a data folder, which this file makes of any folder.
      const settings = { layout: 1, fleet: 'refrigeration' }
      writeFileSync(join(folder.path, 'isotherm.json'), JSON.stringify(settings))
      type Found = {
        readonly faults: readonly { readonly path: string; readonly record?: number }[]
      }
      const verify = async (): Promise<Found['faults']> => {
        const { code, output, errors } = await isotherm(
          'log',
          'verify',
          '--data',
          folder.path,
          '--json',
        )
        const [found] = JSON.parse(output || '[]') as readonly Found[]
        if (found === undefined) throw new Error(`isotherm log verify: ${errors}`)
        if ((code === 0) !== (found.faults.length === 0)) throw new Error(`it ended with ${code}`)
        return found.faults
      }
      const clean = await verify()
      const segments = readdirSync(join(directory, 'p0')).filter((name) =>
        /^\d+\.ndjson$/.test(name),
      )
      const sealed = segments.slice(0, -1)
      let wrong = clean.length
      for (let flip = 0; flip < flipCount; flip++) {
        const name = sealed[Math.floor(random() * sealed.length)] ?? ''
        const path = join(directory, 'p0', name)
        const bytes = readFileSync(path)
        const at = Math.floor(random() * bytes.length)
        writeFileSync(path, bytes.with(at, bytes[at]! ^ (1 << Math.floor(random() * 8))))
        const before = bytes.subarray(0, at).filter((byte) => byte === 10).length
        const faults = await verify()
        const [fault] = faults
        const isNamed = fault?.path === path && fault.record === Number(name.slice(0, 20)) + before
        if (!isNamed || faults.length !== 1) {
          wrong++
          report(`flip at ${at} of ${name}: ${JSON.stringify(faults)}`)
        }
        writeFileSync(path, bytes)
      }
      return { ok: wrong === 0, value: wrong, detail: { seed, sealedSegments: sealed.length } }
    } finally {
      folder.remove()
    }
  },
}
