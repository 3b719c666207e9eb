import { describeTable } from '../../maintain/describe.ts'
import { typeText } from '../../schema/schema.ts'
import type { Command } from '../command.ts'
import { sizeText, timeText } from '../output.ts'

/** What a table is: version, protocol, columns, properties, figures. */
export const describeCommand: Command = {
  name: 'describe',
  words: 'TABLE',
  summary: 'show what a table is: version, protocol, columns, properties, size',
  travels: true,
  options: {},
  wordCount: 0,
  run: async ({ output, openTable, at }) => {
    const found = await describeTable(await openTable(), at)
    const { minReaderVersion, minWriterVersion } = found.protocol
    const columns = found.schema.fields.map((field) => ({
      column: field.name,
      type: typeText(field.type),
      nullable: field.nullable,
      partition: found.partitionColumns.includes(field.name),
    }))
    output.json({ ...found, schema: found.schema.fields })
    const facts: readonly (readonly [string, string | undefined])[] = [
      ['location', found.location],
      ['id', found.id],
      ['name', found.name],
      ['description', found.description],
      ['created', timeText(found.createdMs)],
      ['version', `${found.version} of ${timeText(found.timestampMs)}`],
      ['protocol', `reader ${minReaderVersion}, writer ${minWriterVersion}`],
      ['features', found.features.join(', ')],
      ['files', `${found.fileCount}, ${sizeText(found.sizeBytes)}`],
      ['rows', found.rowCount === undefined ? 'unknown' : String(found.rowCount)],
      ['partitions', found.partitionColumns.length === 0 ? '' : String(found.partitionCount)],
      [
        'deleted rows',
        found.filesWithDeletedRows === 0 ? '' : `in ${found.filesWithDeletedRows} files`,
      ],
      ['tombstones', String(found.tombstoneCount)],
      ['commits', found.commits && `${found.commits.oldest} to ${found.commits.newest}`],
      ['checkpoints', found.checkpoints.slice(-8).join(', ')],
    ]
    for (const [label, value] of facts) {
      if (value !== undefined && value !== '') output.text(`${label.padEnd(14)}${value}`)
    }
    for (const [name, value] of Object.entries(found.properties)) {
      output.text(`${'property'.padEnd(14)}${name} = ${value}`)
    }
    output.text('')
    output.table(columns)
    return 0
  },
}
