/** Event ids remembered per device: retries repeat within a few messages, ING-10. */
const remembered = 16

/** 52 bits of an event id, which is a hash itself: enough to tell a device's last messages apart. */
function shortId(eventId: string): number {
  const hex = `${eventId.slice(0, 8)}${eventId.slice(9, 13)}${eventId.slice(-1)}`
  return Number.parseInt(hex, 16)
}

/**
 * Notes an event of a device; true if it was among the last sixteen already.
 * @param events the device's list, newest last; changed in place
 */
export function isRepeated(events: number[], eventId: string): boolean {
  const id = shortId(eventId)
  if (events.includes(id)) return true
  if (events.length >= remembered) events.shift()
  events.push(id)
  return false
}
