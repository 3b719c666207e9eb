export { contractFaults } from './contract-faults.ts'
