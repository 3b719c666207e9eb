import { type Command, Option } from 'commander'
import { IsothermError } from '../../contracts/index.ts'
import type { ClockListView, DeviceClockView } from '../../http/index.ts'
import { readServerMarker } from '../../runtime/index.ts'
import { callServer } from '../call-server.ts'
import { numberOf } from '../option-values.ts'
import { type CommonOptions, command, requireDataFolder } from '../program.ts'

type ClockOptions = CommonOptions & { readonly device?: string; readonly over: string }

/** `isotherm clocks`: clocks of devices that are off, or one device's. */
export function addClocks(program: Command): void {
  command<ClockOptions>(
    program,
    'clocks',
    'clocks of devices that are off or in a wrong time zone, as the running server estimates them',
    [
      new Option('--device <id>', 'one device, also if its clock is right'),
      new Option('--over <seconds>', 'offsets up to this are left out').default('5'),
    ],
    async (options, output) => {
      const server = readServerMarker(requireDataFolder(options.data))
      if (server === undefined) {
        throw new IsothermError(
          'INPUT_INVALID',
          'clocks are estimated while the server runs, and none owns this folder; start it with isotherm up',
        )
      }
      if (options.device !== undefined) {
        const path = `/api/v1/devices/${encodeURIComponent(options.device)}/clock`
        output.records([await callServer<DeviceClockView>(server, { path })])
        return
      }
      const over = numberOf(options.over, 'over', 0)
      const path = `/api/v1/clocks?over_seconds=${over}&limit=500`
      output.records((await callServer<ClockListView>(server, { path })).clocks)
    },
  )
}
