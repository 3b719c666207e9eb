import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { normalMatrix } from '../../testing/generated-tables.ts'
import { goldenModels } from '../../testing/golden-models.ts'
import { parseDetector, scoreDetector } from '../detector.ts'
import { fitIsolationForest } from '../forest/isolation-forest.ts'
import { parseCalibration } from '../thresholds/calibration-state.ts'
import { decodeModel, encodeModel, type ModelState, modelHash } from './model-file.ts'
import { readObject } from './model-state-reader.ts'

const key = fc.stringMatching(/^[a-z][A-Za-z0-9_]*$/)
const leaf: fc.Arbitrary<ModelState> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.double(),
  fc.string(),
  fc.float64Array(),
  fc.float32Array(),
  fc.int32Array(),
  fc.uint32Array(),
  fc.uint16Array(),
  fc.uint8Array(),
)
const anyState = fc.letrec<{ state: ModelState }>((tie) => ({
  state: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('state'), { maxLength: 4 }),
    fc.dictionary(key, tie('state'), { maxKeys: 5, noNullPrototype: true }),
  ),
})).state

const golden = Buffer.from(
  readFileSync(new URL('../../testing/model-file-v1.base64.txt', import.meta.url), 'utf8'),
  'base64',
)

describe('model file', () => {
  test('any plain data comes back equal, and its bytes again the same', () => {
    fc.assert(
      fc.property(anyState, (state) => {
        const bytes = encodeModel(state)
        expect(decodeModel(bytes)).toEqual(state)
        expect(encodeModel(decodeModel(bytes))).toEqual(bytes)
      }),
    )
  })

  test('key order and NaN bits do not change the bytes', () => {
    const oddNaN = new Float64Array(1)
    new Uint32Array(oddNaN.buffer).set([7, 0xfff8_0000])
    const one = encodeModel({ a: 1, b: { c: Float64Array.of(Number.NaN), d: 'x' } })
    const other = encodeModel({ b: { d: 'x', c: oddNaN }, a: 1 })
    expect(modelHash(one)).toBe(modelHash(other))
  })

  test('two fits give the same bytes', () => {
    const matrix = normalMatrix(300, 4, 1)
    const [first, second] = [1, 2].map(() => modelHash(encodeModel(fitIsolationForest(matrix))))
    expect(first).toBe(second)
  })

  test('a file written by the first format still loads, and is still what is written', () => {
    const file = readObject(decodeModel(golden), 'file')
    const fresh = goldenModels()
    expect(parseDetector(file.forest ?? null)).toEqual(fresh.forest)
    expect(parseDetector(file.baseline ?? null)).toEqual(fresh.baseline)
    expect(parseDetector(file.neighbours ?? null)).toEqual(fresh.neighbours)
    expect(parseCalibration(file.calibration ?? null)).toEqual(fresh.calibration)
    expect(golden.equals(encodeModel(fresh))).toBe(true)
  })

  test('a decoded detector scores as the one that was written', () => {
    const matrix = normalMatrix(50, 3, 3)
    const groups = { deviceOfRow: new Uint32Array(50) }
    for (const model of [
      goldenModels().forest,
      goldenModels().baseline,
      goldenModels().neighbours,
    ]) {
      const read = parseDetector(decodeModel(encodeModel(model)))
      expect(scoreDetector(read, matrix, groups)).toEqual(scoreDetector(model, matrix, groups))
    }
  })

  test('every flipped byte and every missing end is refused', () => {
    for (let at = 0; at < golden.length; at += 41) {
      const broken = Uint8Array.from(golden)
      broken[at] = broken[at]! ^ 1
      expect(() => decodeModel(broken)).toThrow(
        expect.objectContaining({ code: 'MODEL_FILE_INVALID' }),
      )
      expect(() => decodeModel(golden.subarray(0, at))).toThrow('model file')
    }
  })

  test('values that are no plain data are refused', () => {
    const cycle: Record<string, ModelState> = {}
    cycle.self = cycle
    expect(() => encodeModel(cycle)).toThrow('nested deeper')
    expect(() => encodeModel({ $array: 1 })).toThrow('key $array')
    expect(() => encodeModel({ 7: 1 })).toThrow('key 7')
    // Casts: what a caller without types could pass.
    expect(() => encodeModel({ when: new Date(0) } as unknown as ModelState)).toThrow('plain data')
    expect(() => encodeModel([undefined] as unknown as ModelState)).toThrow('plain data')
  })

  test('a state whose lengths or indices are wrong is refused by field', () => {
    const { forest, calibration } = goldenModels()
    if (forest.kind !== 'isolation_forest') throw new Error('no forest')
    const parse = (changes: object) => () => parseDetector({ ...forest, ...changes })
    expect(parse({ splitColumns: forest.splitColumns.map(() => 3) })).toThrow(
      'splitColumns[0] is 3',
    )
    expect(parse({ leafPathLengths: new Float64Array(3) })).toThrow('leafPathLengths')
    expect(parse({ heightLimit: 9 })).toThrow('heightLimit is 9')
    expect(parse({ kind: 'oracle' })).toThrow('kind is oracle')
    expect(parse({ stateVersion: 2 })).toThrow('stateVersion is 2')
    expect(parse({ columnNames: ['a', 'a', 'b'] })).toThrow('distinct')
    expect(() => parseCalibration({ ...calibration, anchors: new Float64Array(4) })).toThrow(
      'strictly increasing',
    )
  })
})
