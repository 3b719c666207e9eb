import { invalidOption } from '../errors.ts'
import { createRandom, nextOpenUnit } from '../statistics/random.ts'

/** What a device is used for. */
export type DeviceRole = 'train' | 'validation' | 'test'

/** Shares of devices per role; the rest trains. */
export type RoleShares = {
  /** Default 0.1. */
  readonly validation?: number
  /** Default 0.1. */
  readonly test?: number
  /** Another seed deals anew, default 42. */
  readonly seed?: number
}

/**
 * Role of a device by a hash of its id: the same in every retrain, whatever other devices come and
 * go (MOD-35). Shares hold on average over many devices.
 * @throws INVALID_OPTION
 * Cost O(length of the id). Source of the hash: FNV-1a, 32 bits (Fowler, Noll & Vo 1991), mixed by
 * the seeded generator.
 */
export function stickyRole(deviceId: string, shares: RoleShares = {}): DeviceRole {
  const { validation = 0.1, test = 0.1, seed = 42 } = shares
  if (!(validation >= 0 && test >= 0 && validation + test < 1)) {
    throw invalidOption('shares', '≥ 0 with a sum below 1', `${validation} and ${test}`)
  }
  let hash = 0x811c9dc5
  for (let i = 0; i < deviceId.length; i++) {
    const unit = deviceId.charCodeAt(i)
    hash = Math.imul(hash ^ (unit & 255), 0x01000193)
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193)
  }
  const draw = nextOpenUnit(createRandom(seed, hash >>> 0))
  if (draw < test) return 'test'
  return draw < test + validation ? 'validation' : 'train'
}
