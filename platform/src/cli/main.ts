import { Command } from 'commander'
import { addAlerts } from './commands/alerts.ts'
import { addClocks } from './commands/clocks.ts'
import { addContracts } from './commands/contracts.ts'
import { addDeadLetters } from './commands/dead-letters.ts'
import { addDemo } from './commands/demo.ts'
import { addDevices } from './commands/devices.ts'
import { addDoctor } from './commands/doctor.ts'
import { addEnrollments } from './commands/enrollments.ts'
import { addEvaluate } from './commands/evaluate.ts'
import { addFeatureStore } from './commands/feature-store.ts'
import { addImport } from './commands/import.ts'
import { addLedger } from './commands/ledger.ts'
import { addLog } from './commands/log.ts'
import { addQuality } from './commands/quality.ts'
import { addQuery } from './commands/query.ts'
import { addReplay } from './commands/replay.ts'
import { addRun } from './commands/run.ts'
import { addStatus } from './commands/status.ts'
import { addTokens } from './commands/tokens.ts'
import { addTrain } from './commands/train.ts'
import { addTrust } from './commands/trust.ts'
import { addUp } from './commands/up.ts'

const program = new Command('isotherm')
  .description('Self-hosted predictive maintenance for device fleets')
  .version('0.1.0')
  .showSuggestionAfterError(true)
  .showHelpAfterError('(type isotherm --help to see what there is)')
  .exitOverride((error) => {
    // Help and version end well; every other complaint of the parser is wrong usage.
    process.exit(error.exitCode === 0 ? 0 : 2)
  })

for (const add of [
  addUp,
  addDemo,
  addImport,
  addDevices,
  addEnrollments,
  addTrust,
  addContracts,
  addDeadLetters,
  addTokens,
  addClocks,
  addLedger,
  addQuality,
  addQuery,
  addRun,
  addTrain,
  addReplay,
  addEvaluate,
  addAlerts,
  addLog,
  addStatus,
  addDoctor,
  addFeatureStore,
]) {
  add(program)
}

await program.parseAsync()
