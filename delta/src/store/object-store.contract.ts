import { describe, expect, test } from 'vitest'
import { ObjectNotFound, PathOutsideTable } from '../errors.ts'
import type { ObjectStore } from './object-store.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

/** What every object store must do; each implementation's test file runs it. */
export function objectStoreContract(name: string, open: () => Promise<ObjectStore>): void {
  describe(`${name} as an object store`, () => {
    test('gives back the bytes that were put', async () => {
      const store = await open()
      const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index % 251)
      expect(await store.putIfAbsent('a/b.bin', bytes)).toBe(true)
      expect(Uint8Array.from(await store.read('a/b.bin'))).toEqual(bytes)
    })

    test('keeps the first object of a path and says so to the second', async () => {
      const store = await open()
      expect(await store.putIfAbsent('x', bytesOf('first'))).toBe(true)
      expect(await store.putIfAbsent('x', bytesOf('second'))).toBe(false)
      expect(textOf(await store.read('x'))).toBe('first')
    })

    test('lets exactly one of many rivals win', async () => {
      const store = await open()
      for (let round = 0; round < 20; round++) {
        const rivals = Array.from({ length: 8 }, (_, rival) => `rival ${rival}`)
        const won = await Promise.all(
          rivals.map((rival) => store.putIfAbsent(`race/${round}`, bytesOf(rival))),
        )
        expect(won.filter((hasWon) => hasWon)).toHaveLength(1)
        expect(textOf(await store.read(`race/${round}`))).toBe(rivals[won.indexOf(true)])
      }
    })

    test('lists by prefix in order, with sizes, times and a start', async () => {
      const store = await open()
      for (const path of ['log/2', 'log/10', 'log/1', 'log/sub/x', 'logs/9', 'other']) {
        await store.putIfAbsent(path, bytesOf(path), { modifiedMs: 1_700_000_000_123 })
      }
      const found = await store.list('log/')
      expect(found.map(({ path }) => path)).toEqual(['log/1', 'log/10', 'log/2', 'log/sub/x'])
      expect(found[1]).toEqual({ path: 'log/10', sizeBytes: 6, modifiedMs: 1_700_000_000_123 })
      const later = await store.list('log/', { startAfter: 'log/10' })
      expect(later.map(({ path }) => path)).toEqual(['log/2', 'log/sub/x'])
      expect((await store.list('log')).at(-1)?.path).toBe('logs/9')
      expect(await store.list('none/')).toEqual([])
      expect(await store.list('')).toHaveLength(6)
    })

    test('removes an object, and does nothing where there is none', async () => {
      const store = await open()
      await store.putIfAbsent('gone', bytesOf('x'))
      await store.remove('gone')
      await store.remove('gone')
      expect(await store.list('')).toEqual([])
      await expect(store.read('gone')).rejects.toThrow(ObjectNotFound)
      expect(await store.putIfAbsent('gone', bytesOf('again'))).toBe(true)
    })

    test('refuses paths that leave it', async () => {
      const store = await open()
      for (const path of ['../../x', 'a/../../x', '', 'a//b', '../a']) {
        await expect(store.putIfAbsent(path, bytesOf('x'))).rejects.toThrow(PathOutsideTable)
      }
    })
  })
}
