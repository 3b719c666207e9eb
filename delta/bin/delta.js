#!/usr/bin/env node
// Starts the command line: the built one of the published package, or the sources of the workspace.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const [major = '0'] = process.versions.node.split('.')
if (Number(major) < 24) {
  console.error(`@isotherm/delta needs Node 24 or newer, found ${process.version}`)
  process.exit(1)
}
const built = new URL('../dist/cli/main.js', import.meta.url)
const sources = new URL('../src/cli/main.ts', import.meta.url)
await import((existsSync(fileURLToPath(built)) ? built : sources).href)
