export {
  type ChangeKind,
  type ChangeReach,
  type ContractChange,
  contractChanges,
} from './contract-changes.ts'
export { contractFaults } from './contract-faults.ts'
export { defaultOwner, odcsDocument, odcsYaml } from './odcs-export.ts'
export { type ImportedContracts, readOdcs } from './odcs-import.ts'
export { checkRows, type RowVerdict, type RowViolation } from './row-check.ts'
export { profileRows, type RowProfile, type RowSource } from './row-profile.ts'
export { type StoredSchemaDifference, storedSchemaDifference } from './stored-schema.ts'
export { type SuggestOptions, snakeCase, suggestContract } from './suggest.ts'
export { deprecationDays, judgeVersion, type VersionVerdict } from './version-rule.ts'
