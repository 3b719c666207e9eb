// npm run verify -- ID... | --quick | --list
// Runs promises one after the other and prints one JSON line for each. Progress goes to stderr.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Promised, Verdict } from './promise.ts'

async function loadAll(): Promise<readonly Promised[]> {
  const names = readdirSync(import.meta.dirname).filter((name) => /^[a-z]+[0-9]+.*\.ts$/.test(name))
  const modules = await Promise.all(
    names.map(
      (name) =>
        import(pathToFileURL(join(import.meta.dirname, name)).href) as Promise<{
          readonly promised: Promised
        }>,
    ),
  )
  return modules
    .map(({ promised }) => promised)
    .toSorted((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }))
}

async function measured(promised: Promised): Promise<Verdict> {
  const timer = Promise.withResolvers<Verdict>()
  const timeout = setTimeout(
    () =>
      timer.resolve({
        ok: false,
        value: promised.limitSeconds,
        detail: { error: `not done after ${promised.limitSeconds} s` },
      }),
    promised.limitSeconds * 1000,
  )
  try {
    return await Promise.race([promised.run((line) => console.error(`  ${line}`)), timer.promise])
  } catch (error) {
    return { ok: false, value: 0, detail: { error: error instanceof Error ? error.stack : error } }
  } finally {
    clearTimeout(timeout)
  }
}

const all = await loadAll()
const wanted = process.argv.slice(2)

if (wanted.includes('--list') || wanted.length === 0) {
  for (const { id, title, bar, quick } of all) {
    console.log(`${id.padEnd(4)} ${quick ? 'quick' : '     '}  ${title} (${bar})`)
  }
  if (wanted.length === 0) console.log('\nName the promises to prove: npm run verify -- A5 S1')
  process.exit(0)
}

const chosen = wanted.includes('--quick') ? all.filter(({ quick }) => quick) : []
for (const id of wanted.filter((word) => !word.startsWith('--'))) {
  const found = all.find((promised) => promised.id.toLowerCase() === id.toLowerCase())
  if (found === undefined) {
    console.error(`no promise ${id}; there are ${all.map((one) => one.id).join(', ')}`)
    process.exit(2)
  }
  chosen.push(found)
}

let failed = 0
for (const promised of chosen) {
  console.error(`${promised.id}: ${promised.title}`)
  const { ok, value, detail } = await measured(promised)
  const { id, unit, bar } = promised
  console.log(JSON.stringify({ id, ok, value, unit, bar, ...(detail && { detail }) }))
  if (!ok) failed += 1
}
console.error(`${chosen.length - failed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
