import { describe, expect, test } from 'vitest'
import { keptFiles } from '../../testing/kept-model-files.ts'
import { keptModels, keptProbe } from '../../testing/kept-models.ts'
import { parseDetector, scoreDetector } from '../detector.ts'
import { decodeModel, encodeModel } from './model-file.ts'

describe.each(keptModels())('kept files of $name', ({ name, fit, parse }) => {
  const files = keptFiles(name)

  test('all load', () => {
    expect(files.length).toBeGreaterThan(0)
    for (const file of files) expect(parse(decodeModel(file))).toBeDefined()
  })

  test('the newest is, byte for byte, what this code writes, twice', () => {
    const newest = Buffer.from(files.at(-1) ?? [])
    for (const bytes of [encodeModel(fit()), encodeModel(fit())]) {
      expect(newest.equals(bytes)).toBe(true)
    }
    expect(parse(decodeModel(newest))).toEqual(fit())
  })

  test('a flipped byte anywhere is refused', () => {
    const refusal = expect.objectContaining({ code: 'MODEL_FILE_INVALID' })
    for (const file of files) {
      const step = Math.max(1, Math.floor(file.length / 200))
      for (let at = 0; at < file.length; at += step) {
        const broken = file.slice()
        broken[at] = broken[at]! ^ 0x10
        expect(() => decodeModel(broken)).toThrow(refusal)
      }
    }
  })

  test.runIf(parse === parseDetector)('a detector read from a file scores as a fresh one', () => {
    const { matrix, groups } = keptProbe
    const rows = { deviceOfRow: groups.deviceOfRow.subarray(0, matrix.rowCount) }
    const read = parseDetector(decodeModel(files.at(-1) ?? new Uint8Array()))
    const fresh = parseDetector(fit())
    expect(scoreDetector(read, matrix, rows)).toEqual(scoreDetector(fresh, matrix, rows))
  })
})
