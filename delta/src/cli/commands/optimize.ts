import { compact } from '../../maintain/compact.ts'
import { withEngine } from '../../write/engine.ts'
import type { Command } from '../command.ts'
import { byteCount, nameList } from '../option-values.ts'

/** Small files into large ones. */
export const optimizeCommand: Command = {
  name: 'optimize',
  words: 'TABLE',
  summary: 'pack small files into large ones; rows stay the same',
  travels: false,
  options: {
    'target-size': {
      type: 'string',
      value: 'SIZE',
      help: 'pack files up to this size (default 128MiB)',
    },
    'order-by': { type: 'string', value: 'A,B', help: 'sort the rows of each new file by columns' },
    checkpoint: { type: 'boolean', help: 'write a checkpoint afterwards' },
  },
  wordCount: 0,
  run: async ({ given, output, openTable }) => {
    const size = given.text('target-size')
    const orderBy = nameList(given.text('order-by'))
    const table = await openTable()
    const before = (await table.snapshot()).files.length
    output.progress(`packing ${before} files`)
    const outcome = await withEngine((connection) =>
      compact(table, {
        connection,
        ...(size === undefined ? {} : { targetFileBytes: byteCount('target-size', size) }),
        ...(orderBy === undefined ? {} : { orderBy: orderBy.map(quoted) }),
      }),
    )
    if (given.flag('checkpoint')) await table.checkpoint()
    await table.settled()
    output.json(outcome)
    if (outcome.kind === 'compacted') {
      const { removedFileCount, addedFileCount, version } = outcome
      output.text(`version ${version}: ${removedFileCount} files became ${addedFileCount}`)
      return 0
    }
    if (outcome.kind === 'nothing-to-do') {
      output.text(`nothing to do: no two of ${before} files are small`)
      return 0
    }
    output.text('another writer changed the same files; run it again')
    return 1
  },
}

/** A column, maybe with a direction: `time desc`. */
function quoted(term: string): string {
  const [, name = term, direction = ''] = /^(.*?)(\s+(?:asc|desc))?$/i.exec(term) ?? []
  return `"${name.replaceAll('"', '""')}"${direction}`
}
