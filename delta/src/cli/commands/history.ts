import type { Command } from '../command.ts'
import { wholeNumber } from '../option-values.ts'
import { jsonText, timeText } from '../output.ts'

/** What happened to a table, the newest version first. */
export const historyCommand: Command = {
  name: 'history',
  words: 'TABLE',
  summary: 'list the versions of a table, the newest first',
  travels: false,
  options: {
    limit: { type: 'string', value: 'N', help: 'at most so many versions (default 20, 0 for all)' },
  },
  wordCount: 0,
  run: async ({ given, output, openTable }) => {
    const limit = wholeNumber('limit', given.text('limit') ?? '20')
    const table = await openTable()
    const entries = await table.history(limit === 0 ? undefined : limit)
    for (const entry of entries) output.json(entry)
    output.table(
      entries.map((entry) => ({
        version: entry.version,
        time: timeText(entry.timestampMs),
        operation: entry.operation,
        parameters: plainText(entry.operationParameters),
        metrics: plainText(entry.operationMetrics),
        engine: entry.engineInfo,
      })),
    )
    return 0
  },
}

/** `mode=Append, numFiles=1` */
function plainText(values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : jsonText(value)}`)
    .join(', ')
}
