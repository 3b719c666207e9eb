import { type Command, Option } from 'commander'
import { diagnose, readServerMarker } from '../../runtime/index.ts'
import { loadFleet } from '../fleet-source.ts'
import { countOf } from '../option-values.ts'
import { type CommonOptions, command, fleetName } from '../program.ts'

type DoctorOptions = CommonOptions & { readonly port: string; readonly hostName: readonly string[] }

/** `isotherm doctor`: what most often goes wrong, found before it does. */
export function addDoctor(program: Command): void {
  command<DoctorOptions>(
    program,
    'doctor',
    'look at the machine and the data folder for what most often goes wrong',
    [
      new Option('--port <number>', 'port of API and console').default('8080'),
      new Option('--host-name <names...>', 'names devices connect to').default(['localhost']),
    ],
    async (options, output) => {
      const findings = await diagnose({
        dataDirectory: options.data,
        fleet: await loadFleet(fleetName(options)),
        ports: [countOf(options.port, 'port', 1), 1883, 8883],
        hostNames: options.hostName,
        isRunning: readServerMarker(options.data) !== undefined,
        nowMs: Date.now(),
      })
      output.records(findings)
      if (findings.some(({ state }) => state === 'failed')) process.exitCode = 1
    },
  )
}
