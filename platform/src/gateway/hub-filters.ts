/** Kinds of topics a device may subscribe to; a session keeps two bits for each. */
export const hubFilters = ['messages', 'methods', 'twin answers', 'desired'] as const

/** One of the kinds. */
export type HubFilter = (typeof hubFilters)[number]

const fixedFilters: Readonly<Record<string, HubFilter>> = {
  '$iothub/methods/POST/#': 'methods',
  '$iothub/twin/res/#': 'twin answers',
  '$iothub/twin/PATCH/properties/desired/#': 'desired',
}

/** The kind a filter stands for, or undefined if a device may not subscribe to it. */
export function hubFilterOf(filter: string, deviceId: string): HubFilter | undefined {
  if (filter === `devices/${deviceId}/messages/devicebound/#`) return 'messages'
  return Object.hasOwn(fixedFilters, filter) ? fixedFilters[filter] : undefined
}

/** Subscriptions of a session as bits: 0 none, 1 QoS 0, 2 QoS 1 for each kind. */
export type Subscriptions = number

/** Granted QoS of a kind, or undefined. */
export function grantedQos(subscriptions: Subscriptions, filter: HubFilter): 0 | 1 | undefined {
  const bits = (subscriptions >> (2 * hubFilters.indexOf(filter))) & 3
  return bits === 0 ? undefined : bits === 1 ? 0 : 1
}

/** The same subscriptions with one granted, or taken away. */
export function withSubscription(
  subscriptions: Subscriptions,
  filter: HubFilter,
  qos: 0 | 1 | undefined,
): Subscriptions {
  const shift = 2 * hubFilters.indexOf(filter)
  const bits = qos === undefined ? 0 : qos + 1
  return (subscriptions & ~(3 << shift)) | (bits << shift)
}
