import { IsothermError } from '../contracts/index.ts'
import { isDeviceId } from './device-names.ts'

/** Where a device's name stands in the topics of somebody else's broker. */
export type TopicMap = {
  /** Filter to subscribe to. */
  readonly filter: string
  /** Device id in a topic; undefined if the topic does not fit or holds no possible id. */
  readonly deviceIdOf: (topic: string) => string | undefined
}

const mark = '{device}'

/**
 * Reads a pattern such as `plant/+/{device}/readings`: one whole level is `{device}`, others are
 * names, `+`, or `#` at the end.
 * @throws IsothermError INPUT_INVALID
 */
export function topicMap(pattern: string): TopicMap {
  const levels = pattern.split('/')
  const place = levels.indexOf(mark)
  const isOpen = levels.at(-1) === '#'
  const isWrong = (level: string, index: number) =>
    index !== place &&
    (/[{}]/.test(level) ||
      (level.includes('+') && level !== '+') ||
      (level.includes('#') && !(level === '#' && index === levels.length - 1)))
  if (place < 0 || levels.some(isWrong)) {
    throw new IsothermError(
      'INPUT_INVALID',
      `topic pattern ${pattern}: expected exactly one level ${mark}, other levels being names, ` +
        '+ or a last #; for example plant/{device}/readings',
    )
  }
  const fixed = isOpen ? levels.slice(0, -1) : levels
  return {
    filter: levels.map((level) => (level === mark ? '+' : level)).join('/'),
    deviceIdOf: (topic) => {
      const found = topic.split('/')
      const fits = isOpen ? found.length >= fixed.length : found.length === fixed.length
      const isSame = fixed.every(
        (level, index) => level === '+' || level === mark || level === found[index],
      )
      const deviceId = found[place] ?? ''
      return fits && isSame && isDeviceId(deviceId) ? deviceId : undefined
    },
  }
}
