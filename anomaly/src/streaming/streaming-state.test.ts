import { describe, expect, test } from 'vitest'
import { type LiveState, liveStates, liveValues } from '../../testing/kept-series-models.ts'
import { decodeModel, encodeModel, type ModelState } from '../model-file/model-file.ts'

function run({ update }: LiveState, state: ModelState, from: number, to: number): unknown[] {
  return Array.from({ length: to - from }, (_, i) => update(state, liveValues[from + i]!, from + i))
}

describe.each(liveStates)('$name', (kind) => {
  const { empty, parse } = kind

  test('stored and read back at any row it goes on as if never stopped', () => {
    const whole = empty()
    const expected = run(kind, whole, 0, liveValues.length)
    for (const stop of [0, 1, 7, 33, 100, 121, 170]) {
      const before = empty()
      const first = run(kind, before, 0, stop)
      const after = parse(decodeModel(encodeModel(before)))
      expect(after).toEqual(before)
      expect([...first, ...run(kind, after, stop, liveValues.length)]).toEqual(expected)
      expect(after).toEqual(whole)
    }
  })

  test('a state with any field missing or of another type is refused, never half read', () => {
    const state = empty()
    run(kind, state, 0, 60)
    for (const key of Object.keys(state as object)) {
      for (const wrong of [undefined, 'text', { other: true }]) {
        const broken = { ...(state as object), [key]: wrong } as ModelState
        expect(() => parse(broken), key).toThrow(
          expect.objectContaining({ code: 'MODEL_FILE_INVALID' }),
        )
      }
    }
  })
})
