import { createHmac, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { IsothermError } from '../contracts/index.ts'

const scryptAsync = promisify(
  (
    password: string,
    salt: Buffer,
    length: number,
    options: { readonly N: number; readonly r: number; readonly p: number },
    done: (error: Error | null, key: Buffer) => void,
  ) => scrypt(password, salt, length, options, done),
)
const keyBytes = 32
const blockSize = 8
/** A device password is made by a machine; the cost protects short ones of bench devices. */
const defaultCost = 4_096
const maxCost = 65_536
/** Hashing shares four threads with the disk: it may not take them all. */
const maxConcurrent = 2
const maxQueued = 10_000
const maxRemembered = 100_000

type StoredHash = { readonly cost: number; readonly salt: Buffer; readonly key: Buffer }

function parseHash(stored: string): StoredHash | undefined {
  const [scheme, cost, block, parallel, salt, key] = stored.split('$')
  if (scheme !== 'scrypt' || block !== String(blockSize) || parallel !== '1') return undefined
  if (salt === undefined || key === undefined) return undefined
  const parsed = {
    cost: Number(cost),
    salt: Buffer.from(salt, 'base64'),
    key: Buffer.from(key, 'base64'),
  }
  const isPower = Number.isInteger(Math.log2(parsed.cost)) && parsed.cost >= 2
  return isPower && parsed.cost <= maxCost && parsed.key.length === keyBytes ? parsed : undefined
}

function derive(password: string, { cost, salt }: Omit<StoredHash, 'key'>): Promise<Buffer> {
  return scryptAsync(password, salt, keyBytes, { N: cost, r: blockSize, p: 1 })
}

/** Hash of a device password for the registry: `scrypt$N$r$p$salt$key`. */
export async function hashPassword(
  password: string,
  salt: Uint8Array,
  cost: number = defaultCost,
): Promise<string> {
  if (salt.length < 16) {
    throw new IsothermError(
      'INPUT_INVALID',
      `password hash: the salt has ${salt.length} bytes, expected at least 16 random ones`,
    )
  }
  const key = await derive(password, { cost, salt: Buffer.from(salt) })
  const encoded = [Buffer.from(salt), key].map((bytes) => bytes.toString('base64'))
  return ['scrypt', cost, blockSize, 1, ...encoded].join('$')
}

/**
 * Checks passwords against their hashes. A fleet that reconnects does so with known passwords, so
 * what was right once is remembered in memory as a keyed digest.
 */
export class PasswordCheck {
  readonly #known = new Set<string>()
  readonly #queue: (() => void)[] = []
  #running = 0

  /** Undefined if too many checks wait: try again later. */
  async matches(password: string, stored: string): Promise<boolean | undefined> {
    const parsed = parseHash(stored)
    if (parsed === undefined) return false
    const digest = createHmac('sha256', stored).update(password).digest('base64')
    if (this.#known.has(digest)) return true
    if (this.#queue.length >= maxQueued) return undefined
    while (this.#running >= maxConcurrent) {
      await new Promise<void>((resolve) => this.#queue.push(resolve))
    }
    this.#running++
    try {
      const isRight = timingSafeEqual(await derive(password, parsed), parsed.key)
      if (isRight) this.#remember(digest)
      return isRight
    } finally {
      this.#running--
      this.#queue.shift()?.()
    }
  }

  #remember(digest: string): void {
    if (this.#known.size >= maxRemembered) this.#known.clear()
    this.#known.add(digest)
  }
}
