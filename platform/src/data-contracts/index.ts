export {
  type ChangeKind,
  type ChangeReach,
  type ContractChange,
  contractChanges,
} from './contract-changes.ts'
export { contractFaults } from './contract-faults.ts'
export { defaultOwner, odcsDocument, odcsYaml } from './odcs-export.ts'
export { type ImportedContracts, readOdcs } from './odcs-import.ts'
export { deprecationDays, judgeVersion, type VersionVerdict } from './version-rule.ts'
