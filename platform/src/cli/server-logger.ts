import pino, { type DestinationStream, type Logger } from 'pino'

/** Names of fields that never reach a log line, wherever they stand in the first two levels. */
const secretFields = ['password', 'token', 'authorization', 'key', 'primaryKey', 'secondaryKey']

/**
 * The server's log: one JSON object a line with `time` (ISO, UTC), `level` as a word, `msg` and the
 * fields of the event. Errors keep their type, message and stack; secrets are replaced.
 */
export function serverLogger(
  level: string,
  target: DestinationStream = pino.destination(2),
): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (word) => ({ level: word }) },
      serializers: { error: pino.stdSerializers.err },
      redact: {
        paths: secretFields.flatMap((name) => [name, `*.${name}`]),
        censor: '(not shown)',
      },
    },
    target,
  )
}
