import { cleanLog } from '../../maintain/clean-log.ts'
import { vacuum } from '../../maintain/vacuum.ts'
import type { Command } from '../command.ts'
import { durationMs } from '../option-values.ts'
import { sizeText, timeText } from '../output.ts'

/** Files that no version needs. */
export const vacuumCommand: Command = {
  name: 'vacuum',
  words: 'TABLE',
  summary: 'list files that no kept version needs; with --delete, delete them',
  details: [
    'Nothing is deleted without --delete. Versions older than the retention lose their files and',
    'cannot be read afterwards. With --log it also cleans the log of versions past',
    'delta.logRetentionDuration.',
  ],
  travels: false,
  options: {
    delete: { type: 'boolean', help: 'delete the files' },
    retention: {
      type: 'string',
      value: 'SPAN',
      help: 'keep files of versions this young, for instance 30d (default: the table, or 7d)',
    },
    log: { type: 'boolean', help: 'clean the log too' },
    force: {
      type: 'boolean',
      help: 'allow a retention below 7 days: no reader or writer may be at work',
    },
  },
  wordCount: 0,
  run: async ({ given, output, openTable, host }) => {
    const retention = given.text('retention')
    const options = {
      dryRun: !given.flag('delete'),
      force: given.flag('force'),
      nowMs: host.nowMs(),
    }
    const table = await openTable()
    output.progress('looking for files that nothing needs')
    const report = await vacuum(table, {
      ...options,
      ...(retention === undefined ? {} : { retentionMs: durationMs('retention', retention) }),
    })
    const log = given.flag('log') ? await cleanLog(table, { ...options, force: false }) : undefined
    const files = [...report.files, ...(log?.files ?? [])]
    const sizeBytes = report.sizeBytes + (log?.sizeBytes ?? 0)
    output.json({ dryRun: options.dryRun, sizeBytes, files, oldestKept: log?.oldestKept })
    if (files.length > 0) {
      output.table(
        files.map((file) => ({
          path: file.path,
          bytes: file.sizeBytes,
          changed: timeText(file.modifiedMs),
        })),
      )
    }
    const done = options.dryRun ? 'would be deleted (add --delete)' : 'deleted'
    output.text(`${files.length} files, ${sizeText(sizeBytes)}, ${done}`)
    return 0
  },
}
