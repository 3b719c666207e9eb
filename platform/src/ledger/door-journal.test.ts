import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { DoorNote } from '../contracts/index.ts'
import { DoorJournal, readJournal } from './door-journal.ts'

const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'journal-'))
  folders.push(made)
  return made
}

const note = (deviceId: string, count = 1): DoorNote => ({
  deviceId,
  atMs: 1_000,
  kind: 'DUPLICATE',
  count,
})

test('what is noted is read back, whatever characters a name has, in the order it came', async () => {
  const directory = folder()
  const journal = new DoorJournal(directory, 0)
  const notes = [note('A'), note('a "b"\\ c\n1 DUPLICATE 9 "x"', 3), note('')]
  await Promise.all(notes.map((one) => journal.add([one])))
  const [number = 0] = await journal.rotate()
  expect(readJournal(directory, number)).toEqual(notes)
})

test('a line that a crash tore is not counted, the whole ones before it are', async () => {
  const directory = folder()
  const journal = new DoorJournal(directory, 0)
  await journal.add([note('A')])
  const [name = ''] = readdirSync(directory)
  appendFileSync(join(directory, name), '1000 DUPLICATE 1 "A"\n1000 DUPLICATE 1 "A')
  expect(readJournal(directory, 1)).toEqual([note('A'), note('A')])
  await journal.rotate()
})

test('a journal goes when the ledger holds it; numbers are never used again', async () => {
  const directory = folder()
  const journal = new DoorJournal(directory, 0)
  await journal.add([note('A')])
  expect(await journal.rotate()).toEqual([1])
  await journal.add([note('B')])
  journal.removeUpTo(1)
  expect(await journal.rotate()).toEqual([2])
  journal.removeUpTo(2)
  expect(readdirSync(directory)).toEqual([])
  const next = new DoorJournal(directory, 2)
  await next.add([note('C')])
  expect(await next.rotate()).toEqual([3])
})

test('without a place on the disk nothing is noted, and who waits is told', async () => {
  const directory = folder()
  const journal = new DoorJournal(directory, 0)
  rmSync(directory, { recursive: true })
  await expect(journal.add([note('A')])).rejects.toMatchObject({ code: 'DISK_FULL' })
})
