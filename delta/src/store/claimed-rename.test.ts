import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { scratchFolder } from '../scratch.testing.ts'
import { folderStore } from './folder-store.ts'
import { objectStoreContract } from './object-store.contract.ts'

objectStoreContract('a folder without hard links', async () =>
  folderStore(await scratchFolder(), { hardLinks: 'never' }),
)

const bytes = new TextEncoder().encode('ours')

async function claimedFolder(claims: readonly string[]) {
  const folder = await scratchFolder()
  for (const [rank, claim] of claims.entries()) {
    await writeFile(join(folder, `.tmp-claim-x.${rank}`), claim)
  }
  return { folder, store: folderStore(folder, { hardLinks: 'never' }) }
}

/** The number of a process that has ended. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', ''])
  await once(child, 'exit')
  return child.pid ?? 0
}

test('claims of dead processes, also stacked, do not hold a writer up and are cleaned away', async () => {
  const dead = async () =>
    JSON.stringify({ machine: hostname(), pid: await deadPid(), token: 'gone' })
  const { folder, store } = await claimedFolder([await dead(), await dead()])
  expect(await store.putIfAbsent('x', bytes)).toBe(true)
  expect(await readdir(folder)).toEqual(['x'])
})

test('the claim of a living process is waited for', async () => {
  const alive = JSON.stringify({ machine: hostname(), pid: process.ppid, token: 'theirs' })
  const { folder, store } = await claimedFolder([alive])
  const put = store.putIfAbsent('x', bytes)
  const winner = await Promise.race([
    put,
    new Promise((resolve) => setTimeout(resolve, 60, 'wait')),
  ])
  expect(winner).toBe('wait')
  await writeFile(join(folder, 'x'), 'theirs')
  expect(await put).toBe(false)
  expect(await readFile(join(folder, 'x'), 'utf8')).toBe('theirs')
})

test('of many processes exactly one puts each name in place', async () => {
  const folder = await scratchFolder()
  const module = fileURLToPath(new URL('./folder-store.ts', import.meta.url))
  const script = `
    const { folderStore } = await import(${JSON.stringify(module)})
    const store = folderStore(${JSON.stringify(folder)}, { hardLinks: 'never' })
    for (let name = 0; name < 60; name++) {
      const isOurs = await store.putIfAbsent('race/' + name, new TextEncoder().encode(process.argv[1]))
      if (isOurs) console.log(name)
    }`
  const rivals = ['a', 'b', 'c'].map((rival) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, rival])
    const won: string[] = []
    child.stdout.on('data', (text) => won.push(...String(text).trim().split('\n')))
    return { rival, won, done: once(child, 'close') }
  })
  for (const { done } of rivals) expect((await done)[0]).toBe(0)
  const names = rivals.flatMap(({ won }) => won)
  expect(names.map(Number).toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: 60 }, (_, i) => i),
  )
  for (const { rival, won } of rivals) {
    for (const name of won) expect(await readFile(join(folder, 'race', name), 'utf8')).toBe(rival)
  }
  expect((await readdir(join(folder, 'race'))).filter((name) => name.startsWith('.'))).toEqual([])
})
