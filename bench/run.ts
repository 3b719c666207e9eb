// npm run bench -- NAME: runs one benchmark, prints data size, hardware, median and spread.
import { readdirSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Bench, baselineOf, spreadOf } from './bench.ts'

const names = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.bench.ts'))
  .map((name) => name.replace('.bench.ts', ''))
const wanted = process.argv.slice(2)

if (wanted.length === 0) {
  console.log(`Benchmarks: ${names.join(', ')}\nRun one: npm run bench -- ${names[0] ?? 'NAME'}`)
  process.exit(0)
}
const unknown = wanted.find((name) => !names.includes(name))
if (unknown !== undefined) {
  console.error(`no benchmark ${unknown}; there are ${names.join(', ')}`)
  process.exit(2)
}

const [cpu] = cpus()
const memoryGib = Math.round(totalmem() / 2 ** 30)
console.log(
  `${cpus().length} x ${cpu?.model ?? 'unknown CPU'}, ${memoryGib} GiB, Node ${process.version}`,
)
for (const name of wanted) {
  const url = pathToFileURL(join(import.meta.dirname, `${name}.bench.ts`)).href
  const { bench } = (await import(url)) as { readonly bench: Bench }
  console.log(`\n${name}: ${bench.title}\n  ${bench.size}`)
  const { cases, close } = await bench.prepare()
  for (const one of cases) {
    await one.run()
    const seconds: number[] = []
    for (let round = 0; round < bench.rounds; round++) {
      const start = performance.now()
      await one.run()
      seconds.push((performance.now() - start) / 1000)
    }
    const { median, low, high } = spreadOf(seconds)
    const rate = one.units / median
    const recorded = baselineOf(name, one.name)
    const compared = recorded === undefined ? '' : `, ${(rate / recorded).toFixed(2)} x recorded`
    console.log(
      `  ${one.name.padEnd(36)} ${median.toFixed(3)} s (${low.toFixed(3)} to ${high.toFixed(3)}), ` +
        `${Math.round(rate).toLocaleString('en')} ${bench.unit}/s${compared}`,
    )
  }
  await close()
}
