import type { Column, TableContract } from './column.ts'

function bounds(column: Column): string {
  if (column.range !== undefined) return `${column.range[0]} to ${column.range[1]}`
  return column.values === undefined ? '' : column.values.map((value) => `\`${value}\``).join(', ')
}

function row(column: Column): string {
  const name = column.extension === true ? `\`${column.name}\` (ext)` : `\`${column.name}\``
  const cells = [
    name,
    column.type,
    column.nullable ? 'yes' : 'no',
    column.unit ?? '',
    bounds(column),
    column.meaning,
  ]
  return `| ${cells.join(' | ')} |`
}

/** Reference page of table contracts in Markdown, generated so that it cannot be out of date. */
export function contractPage(title: string, contracts: readonly TableContract[]): string {
  const sections = contracts.map((contract) =>
    [
      `## ${contract.id}: \`${contract.name}\``,
      '',
      `${contract.purpose}. Version ${contract.version}; key ${contract.key
        .map((name) => `\`${name}\``)
        .join(', ')}; partitions ${
        contract.partitionColumns.map((name) => `\`${name}\``).join(', ') || 'none'
      }.`,
      '',
      '| column | type | null | unit | allowed | meaning |',
      '| --- | --- | --- | --- | --- | --- |',
      ...contract.columns.map(row),
    ].join('\n'),
  )
  return `${[`# ${title}`, ...sections].join('\n\n')}\n`
}
