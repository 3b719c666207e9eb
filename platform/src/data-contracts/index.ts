export {
  type ChangeKind,
  type ChangeReach,
  type ContractChange,
  contractChanges,
} from './contract-changes.ts'
export { contractFaults } from './contract-faults.ts'
export { defaultOwner, odcsDocument, odcsYaml } from './odcs-export.ts'
export { type ImportedContracts, readOdcs } from './odcs-import.ts'
export { type StoredSchemaDifference, storedSchemaDifference } from './stored-schema.ts'
export { deprecationDays, judgeVersion, type VersionVerdict } from './version-rule.ts'
