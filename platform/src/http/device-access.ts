import { z } from 'zod'
import type { Role } from '../objects/index.ts'
import type { ApiContext } from './api-context.ts'
import { covers, type Identity } from './identity.ts'
import { HttpProblem } from './problem.ts'

/** Path of whatever belongs to one device. */
export const deviceParams = z.object({ device_id: z.string().min(1).max(128) })

/** Who may tell devices what to do. */
export const commanders: readonly Role[] = [
  'operator',
  'operator_lead',
  'regional_engineer',
  'admin',
]

/** Id of a registered device of the caller's sites. @throws HttpProblem 404 */
export function requireDevice(context: ApiContext, identity: Identity, deviceId: string): string {
  const row = context.state.registry.device(deviceId)
  if (row !== undefined && covers(identity, row.site_id)) return row.device_id
  throw new HttpProblem(404, `There is no device ${deviceId}.`, {
    where: 'path.device_id',
    expected: 'the id of a registered device of your sites',
    found: deviceId,
    what_to_do: 'look it up with GET /api/v1/devices?search=',
  })
}
