import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** How the command line reaches the server that owns a data folder. Only its owner can read it. */
export type ServerMarker = {
  readonly url: string
  /** Bearer token of the local administrator, new at every start. */
  readonly token: string
  readonly processId: number
  /** PEM certificate of a server that speaks TLS. */
  readonly certificate?: string
}

const markerName = 'server.json'

/** Tells other commands where the server is. */
export function writeServerMarker(dataDirectory: string, marker: ServerMarker): void {
  const path = join(resolve(dataDirectory), markerName)
  // Whoever waits for the marker never sees half of it.
  writeFileSync(`${path}.new`, `${JSON.stringify(marker)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

/** Takes the marker away when the server stops. */
export function removeServerMarker(dataDirectory: string): void {
  rmSync(join(resolve(dataDirectory), markerName), { force: true })
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    // EPERM: it lives, under another user. Anything else: it is gone.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** The server that owns a data folder, or undefined when none runs. */
export function readServerMarker(dataDirectory: string): ServerMarker | undefined {
  let text: string
  try {
    text = readFileSync(join(resolve(dataDirectory), markerName), 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  const marker = JSON.parse(text) as ServerMarker
  return isAlive(marker.processId) ? marker : undefined
}
