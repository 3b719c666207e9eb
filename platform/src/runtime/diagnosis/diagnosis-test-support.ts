import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { exampleFleet } from '../../contracts/index.ts'
import type { DiagnosisOptions } from './finding.ts'

/** A folder that goes when the test ends. */
export function temporaryFolder(parent: string = tmpdir()): string {
  const directory = mkdtempSync(join(parent, 'isotherm-doctor-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Settings with nothing wrong, and what a test makes wrong. */
export function settings(wrong: Partial<DiagnosisOptions>): DiagnosisOptions {
  return {
    dataDirectory: wrong.dataDirectory ?? temporaryFolder(),
    fleet: { kind: 'loaded', fleet: exampleFleet },
    host: '127.0.0.1',
    ports: [],
    hostNames: ['gw.example.com'],
    nowMs: Date.now(),
    ...wrong,
  }
}
