export {
  type LedgerLine,
  type LedgerQuery,
  type LedgerReport,
  readLedger,
} from './ledger-report.ts'
export { type LedgerOptions, type MessageLedger, openLedger } from './message-ledger.ts'
