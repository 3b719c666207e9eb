import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Check, finding } from './finding.ts'

/** Files of a data folder that hold keys or what opens the API. */
const secretFiles = [
  'secret.key',
  'state.db',
  'tokens.json',
  'server.json',
  join('certificates', 'server.key'),
]

/** Bits of group and others. */
const foreignBits = 0o077
/** What others may never do; they may read the state store, whose secrets are sealed or hashed. */
const foreignBitsOf = (name: string) => (name === 'state.db' ? 0o022 : foreignBits)

/** Secrets that others on this machine could read, or replace. */
export const secrets: Check = ({ dataDirectory, tlsKey }) => {
  const directory = resolve(dataDirectory)
  const files = secretFiles.map((name) => ({
    path: join(directory, name),
    bits: foreignBitsOf(name),
  }))
  if (tlsKey !== undefined) files.push({ path: resolve(tlsKey), bits: 0o007 })
  const open = files.flatMap(({ path, bits }) => {
    const mode = existsSync(path) ? statSync(path).mode & 0o777 : 0
    if ((mode & bits) === 0) return []
    return [
      finding('secrets', {
        state: 'failed',
        where: path,
        expected: 'a file only its owner may read and write (600)',
        found: mode.toString(8),
        advice: `chmod 600 ${path}; if others use this machine, make new keys too`,
      }),
    ]
  })
  if (open.length > 0) return open
  return [
    finding('secrets', {
      state: 'ok',
      where: directory,
      expected: 'files only their owner may read',
      found: 'none open to others',
    }),
  ]
}
