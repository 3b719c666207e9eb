import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { IsothermError } from '../contracts/index.ts'
import { type ApiToken, tokenHash } from '../http/index.ts'
import { roles } from '../objects/index.ts'

const fileSchema = z.array(
  z.strictObject({
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    identity: z.strictObject({
      id: z.string(),
      name: z.string(),
      role: z.enum(roles),
      siteIds: z.array(z.string()).optional(),
    }),
  }),
)

const pathOf = (dataDirectory: string) => join(resolve(dataDirectory), 'tokens.json')

/** API tokens of a data folder, as hashes. @throws IsothermError INPUT_INVALID for a damaged file */
export function readApiTokens(dataDirectory: string): readonly ApiToken[] {
  const path = pathOf(dataDirectory)
  if (!existsSync(path)) return []
  try {
    return fileSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).map(({ sha256, identity }) => {
      const { siteIds, ...person } = identity
      return { sha256, identity: { ...person, ...(siteIds !== undefined && { siteIds }) } }
    })
  } catch (cause) {
    throw new IsothermError(
      'INPUT_INVALID',
      `${path} is not readable; restore it, or remove it and add the tokens again`,
      { cause },
    )
  }
}

/** Adds a token for a person; it is returned once and only its hash is kept. */
export function addApiToken(dataDirectory: string, person: ApiToken['identity']): string {
  const token = randomBytes(32).toString('base64url')
  mkdirSync(resolve(dataDirectory), { recursive: true })
  const others = readApiTokens(dataDirectory).filter(({ identity }) => identity.id !== person.id)
  const path = pathOf(dataDirectory)
  const entries = [...others, { sha256: tokenHash(token), identity: person }]
  writeFileSync(`${path}.new`, `${JSON.stringify(entries, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
  return token
}
