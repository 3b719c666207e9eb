import type { Command } from '../command.ts'
import { catCommand } from './cat.ts'
import { checkCommand } from './check.ts'
import { describeCommand } from './describe.ts'
import { filesCommand } from './files.ts'
import { historyCommand } from './history.ts'
import { optimizeCommand } from './optimize.ts'
import { sqlCommand } from './sql.ts'
import { vacuumCommand } from './vacuum.ts'

/** The commands in the order of the help. */
export const commands: readonly Command[] = [
  describeCommand,
  historyCommand,
  filesCommand,
  catCommand,
  sqlCommand,
  checkCommand,
  optimizeCommand,
  vacuumCommand,
]
