export { type ColumnMap, parseColumnMap, withInlineEntries } from './column-map.ts'
export { createAdmission } from './import-admission.ts'
export {
  type BadRow,
  checkFile,
  type ImportedMessage,
  type ImportOptions,
  type ImportOutcome,
  importFile,
} from './import-job.ts'
