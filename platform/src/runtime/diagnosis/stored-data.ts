import { existsSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { openLake } from '../../lake/index.ts'
import { describeLog } from '../../log/index.ts'
import { type Check, finding, reasonOf } from './finding.ts'

/** Default retention of the log, ING-18, and when its end is near, F6. */
const retentionSeconds = 7 * 86_400
const escalateSeconds = 72 * 3_600

/** Consumers so far behind that the log keeps more than its retention for them. */
export const consumers: Check = ({ dataDirectory, nowMs }) => {
  const where = join(resolve(dataDirectory), 'log')
  const expected = 'every consumer within 72 h; the log keeps 7 days'
  if (!existsSync(join(where, 'log.json'))) {
    return [finding('consumers', { state: 'ok', where, expected, found: 'no log yet' })]
  }
  try {
    const late = describeLog(where, nowMs).groups.filter(
      ({ lagSeconds }) => lagSeconds > escalateSeconds,
    )
    if (late.length === 0) {
      return [finding('consumers', { state: 'ok', where, expected, found: 'none is far behind' })]
    }
    return late.map(({ group, partition, lagSeconds, lagRecords }) => {
      const isOver = lagSeconds > retentionSeconds
      return finding('consumers', {
        state: isOver ? 'failed' : 'warning',
        where: `${where}, group ${group}, partition ${partition}`,
        expected,
        found: `${(lagSeconds / 3_600).toFixed(1)} h and ${lagRecords} records behind`,
        advice: isOver
          ? 'the log grows past its retention until this consumer goes on: start isotherm up, or isotherm run land'
          : 'see why it does not go on: isotherm status, isotherm log groups',
      })
    })
  } catch (cause) {
    const advice = 'see isotherm log verify'
    const found = reasonOf(cause)
    return [finding('consumers', { state: 'failed', where, expected, found, advice })]
  }
}

/** Tables that open and whose files are listed. */
export const tables: Check = async ({ dataDirectory, fleet }) => {
  const where = join(resolve(dataDirectory), 'tables')
  const expected = 'tables that can be read'
  if (!existsSync(where) || fleet.kind === 'failed') {
    return [finding('tables', { state: 'ok', where, expected, found: 'none yet' })]
  }
  const temporaryDirectory = join(where, `.doctor-tables-${process.pid}`)
  try {
    const lake = await openLake({
      directory: where,
      fleet: fleet.fleet,
      readOnly: true,
      temporaryDirectory,
    })
    let fileCount = 0
    for (const name of lake.tableNames) {
      fileCount += (await lake.table(name).snapshot()).files.length
    }
    await lake.close()
    const found = `${lake.tableNames.length} tables, ${fileCount} files`
    return [finding('tables', { state: 'ok', where, expected, found })]
  } catch (cause) {
    const advice = 'restore the named table from a backup'
    return [finding('tables', { state: 'failed', where, expected, found: reasonOf(cause), advice })]
  } finally {
    rmSync(temporaryDirectory, { recursive: true, force: true })
  }
}
