import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { scratchFolder } from '../scratch.testing.ts'
import { folderStore } from './folder-store.ts'
import { objectStoreContract } from './object-store.contract.ts'

objectStoreContract('a folder', async () => folderStore(join(await scratchFolder(), 'not', 'yet')))

test('a lost race leaves no temporary file behind', async () => {
  const folder = await scratchFolder()
  const store = folderStore(folder)
  const puts = Array.from({ length: 10 }, (_, i) => store.putIfAbsent('x', Uint8Array.of(i)))
  await Promise.all(puts)
  expect(await readdir(folder)).toEqual(['x'])
})
