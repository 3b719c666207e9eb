import { optional, type RowOf, required, type TableContract } from '../column.ts'

const columns = [
  required('change_id', 'string', 'UUIDv5 of table, column and kind of change'),
  required('table_name', 'string', 'Table that changed'),
  required('column_name', 'string', 'Column that changed'),
  required('contract_version', 'string', 'Version of the contract that brought the change'),
  required('date_added', 'string', 'UTC date from which the table has the column'),
  optional('date_deprecated', 'string', 'UTC date from which it is no longer filled'),
  optional('fleet_coverage_pct', 'double', 'Active devices with values, percent', {
    unit: '%',
    range: [0, 100],
  }),
  optional('min_viable_training_date', 'string', 'First UTC date with coverage above 80 %'),
  optional('notes', 'string', 'Why, in words'),
] as const

/** What changed in the tables and since when, ING-50; written when a table takes a new column. */
export const schemaChangeLog = {
  name: 'schema_change_log',
  id: 'SCL',
  version: '1.0.0',
  purpose: 'Columns that tables gained or retired, and from when they can be trained on',
  columns,
  key: ['change_id'],
  partitionColumns: [],
  sortColumns: ['table_name', 'column_name'],
  owner: 'data-engineering',
  semantics: ['One row per table and column; history before date_added stays null (CON-50).'],
} as const satisfies TableContract

/** A row of `schema_change_log`. */
export type SchemaChangeRow = RowOf<typeof columns>
