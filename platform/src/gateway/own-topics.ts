import type { DeviceIdentity } from '../contracts/index.ts'
import type { PublishFrame } from './publish-frame.ts'

/**
 * The empty property bag if a message came on one of the device's own telemetry topics, else
 * undefined. Asked only for topics that are not IoT Hub's, so it may make a string.
 */
export function ownBagOf(
  bytes: Buffer,
  { topicStart, topicEnd }: PublishFrame,
  identity: DeviceIdentity | undefined,
): '' | undefined {
  for (const credential of identity?.credentials ?? []) {
    if (credential.kind !== 'password' || credential.topics === undefined) continue
    if (credential.topics.includes(bytes.toString('utf8', topicStart, topicEnd))) return ''
  }
  return undefined
}
