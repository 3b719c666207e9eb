import { type DeviceRow, deviceRegistry, IsothermError } from '../contracts/index.ts'

/** What an upsert means for one device. */
export type DeviceChange =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'added'; readonly next: DeviceRow }
  | { readonly kind: 'changed'; readonly closed: DeviceRow; readonly next: DeviceRow }

const contentColumns = deviceRegistry.columns
  .map(({ name }) => name)
  .filter((name) => name !== 'valid_from' && name !== 'valid_to')

const deviceIdPattern = /^[A-Za-z0-9\-._:]{1,128}$/

function sameValue(left: unknown, right: unknown): boolean {
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => item === right[index])
  }
  return (left ?? null) === (right ?? null)
}

/** True if two versions of a device say the same, validity aside. */
export function sameDevice(left: DeviceRow, right: DeviceRow): boolean {
  return contentColumns.every((name) => sameValue(left[name], right[name]))
}

/**
 * Compares a device with its current version, ING-3. A changed one closes the current version where
 * the new begins; a change that claims to begin no later than the current version begins now.
 * @throws IsothermError INPUT_INVALID for an id that no device may have
 */
export function diffDevice(
  current: DeviceRow | undefined,
  row: DeviceRow,
  nowMs: number,
): DeviceChange {
  if (!deviceIdPattern.test(row.device_id)) {
    throw new IsothermError(
      'INPUT_INVALID',
      `device_id ${JSON.stringify(row.device_id.slice(0, 140))} is not allowed; ` +
        'use 1 to 128 of A-Z a-z 0-9 - . _ :',
    )
  }
  if (current === undefined) return { kind: 'added', next: { ...row, valid_to: null } }
  if (sameDevice(current, row)) return { kind: 'unchanged' }
  const validFrom =
    row.valid_from > current.valid_from ? row.valid_from : Math.max(nowMs, current.valid_from + 1)
  return {
    kind: 'changed',
    closed: { ...current, valid_to: validFrom },
    next: { ...row, valid_from: validFrom, valid_to: null },
  }
}
