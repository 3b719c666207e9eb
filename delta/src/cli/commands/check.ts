import { resolve } from 'node:path'
import { checkTable } from '../../check/check-table.ts'
import { folderStore } from '../../store/folder-store.ts'
import type { Command } from '../command.ts'

/** Is a table whole? */
export const checkCommand: Command = {
  name: 'check',
  words: 'TABLE',
  summary: 'verify a table: log, checkpoints, checksums, data files, statistics',
  details: ['Changes nothing. Ends with 1 if an error was found; warnings end with 0.'],
  travels: true,
  options: {
    'log-only': { type: 'boolean', help: 'do not look at the data files' },
    quick: { type: 'boolean', help: 'do not compare statistics with the rows' },
  },
  wordCount: 0,
  run: async ({ given, output, at }) => {
    const depth = given.flag('log-only') ? 'log' : given.flag('quick') ? 'files' : 'rows'
    const report = await checkTable(folderStore(resolve(given.table)), {
      at,
      depth,
      onProgress: (label, done, total) =>
        output.progress(`${label}: ${done}${total > 0 ? ` of ${total}` : ''}`),
    })
    output.json(report)
    for (const { severity, code, where, what, expected, found, fix } of report.problems) {
      output.text(`${severity.toUpperCase()} ${code}: ${where}: ${what}`)
      if (expected !== undefined) output.text(`  expected ${expected}, found ${found ?? 'nothing'}`)
      output.text(`  ${fix}`)
    }
    const { counts, version } = report
    const errors = report.problems.filter(({ severity }) => severity === 'error').length
    const warnings = report.problems.length - errors
    const looked = Object.entries(counts).map(([label, count]) => `${count} ${label}`)
    const seen = version === undefined ? '' : ` at version ${version}`
    output.text(`${looked.join(', ')} checked${seen}: ${errors} errors, ${warnings} warnings`)
    return errors === 0 ? 0 : 1
  },
}
