// Runs cases in a process of its own, since a damaged Parquet file may take the process with it.
// Reads one case per line from the standard input (a seed, or the file of a kept case); prints
// `begin CASE` before and `end CASE JSON` after each.
import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { type DamageCase, damagedCopy, makeBaseTable } from './base-table.ts'
import { damageOf } from './mutations.ts'
import { useTable } from './try-table.ts'

const base = await makeBaseTable()
for await (const name of createInterface({ input: process.stdin })) {
  process.stdout.write(`begin ${name}\n`)
  const damage = /^\d+$/.test(name)
    ? await damageOf(Number(name), base)
    : (JSON.parse(readFileSync(name, 'utf8')) as DamageCase)
  const folder = await damagedCopy(base, damage)
  let result: object
  try {
    result = { what: damage.what, outcomes: await useTable(folder) }
  } catch (cause) {
    result = { what: damage.what, failure: cause instanceof Error ? cause.message : String(cause) }
  }
  await rm(folder, { recursive: true, force: true })
  process.stdout.write(`end ${name} ${JSON.stringify(result)}\n`)
}
await base.remove()
