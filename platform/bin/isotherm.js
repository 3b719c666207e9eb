#!/usr/bin/env node
// Starts the TypeScript command line on a Node that runs TypeScript directly. A system Node that
// is too old hands over to the one npm installed beside this package.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const main = join(here, '..', 'src', 'cli', 'main.ts')

if (Number(process.versions.node.split('.')[0]) >= 24) {
  await import(main)
} else {
  const bundled = [join(here, '..', '..', 'node_modules', '.bin', 'node')].find(existsSync)
  if (bundled === undefined) {
    console.error(`isotherm needs Node 24 or newer, found ${process.version}; install Node 26`)
    process.exit(1)
  }
  const child = spawn(bundled, [main, ...process.argv.slice(2)], { stdio: 'inherit' })
  // Whoever stops this process means the one that works: a server left behind would keep its ports.
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  // A terminal sends it to both; this one only waits for the other to finish what it began.
  process.on('SIGINT', () => undefined)
  child.on('exit', (code) => process.exit(code ?? 1))
}
