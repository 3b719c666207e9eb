import { type Command, Option } from 'commander'
import { deviceSessions, slidingWindows } from '../../feature-store/index.ts'
import { countOf, instantOf, numberOf } from '../option-values.ts'
import { type CommonOptions, command } from '../program.ts'
import { withReadOnlyLake } from '../read-only-lake.ts'

type SpanOptions = CommonOptions & { readonly from: string; readonly until: string }

type WindowOptions = SpanOptions & {
  readonly minutes: string
  readonly slide: string
  readonly select?: string
}

type SessionOptions = SpanOptions & { readonly sensor: string; readonly threshold: string }

const span = () => [
  new Option('--from <instant>', 'start, inclusive').makeOptionMandatory(),
  new Option('--until <instant>', 'end, exclusive').makeOptionMandatory(),
]

const iso = (ms: number) => new Date(ms).toISOString()

function addWindows(features: Command): void {
  command<WindowOptions>(
    features,
    'windows <devices...>',
    'sliding windows of named devices, computed on demand with the stored definitions',
    [
      ...span(),
      new Option('--minutes <length>', 'window length').default('60'),
      new Option('--slide <minutes>', 'minutes between two starts').default('15'),
      new Option('--select <names>', 'features to print, with commas (all)'),
    ],
    async (options, output, deviceIds) => {
      const request = {
        deviceIds,
        durationMinutes: countOf(options.minutes, 'minutes', 1),
        slideMinutes: countOf(options.slide, 'slide', 1),
        fromMs: instantOf(options.from, 'from'),
        toMs: instantOf(options.until, 'until'),
        devices: [],
      }
      const selected = options.select?.split(',')
      await withReadOnlyLake(options, async (lake) => {
        const windows = await slidingWindows({ lake, nowMs: Date.now() }, request)
        output.records(
          windows.map(({ deviceId, startMs, endMs, isPartial, values }) => ({
            device_id: deviceId,
            window_start: iso(startMs),
            window_end: iso(endMs),
            is_partial: isPartial,
            ...(selected === undefined
              ? values
              : Object.fromEntries(selected.map((name) => [name, values[name] ?? null]))),
          })),
        )
      })
    },
  )
}

function addSessions(features: Command): void {
  command<SessionOptions>(
    features,
    'sessions <device>',
    'runs of a device: from a sensor reaching a value until two minutes below it, or a gap',
    [
      ...span(),
      new Option('--sensor <name>', 'sensor that tells').default('current_compressor'),
      new Option('--threshold <value>', 'on at or above it').default('0.5'),
    ],
    async (options, output, [deviceId = '']) => {
      const request = {
        deviceId,
        sensor: options.sensor,
        threshold: numberOf(options.threshold, 'threshold', Number.NEGATIVE_INFINITY),
        fromMs: instantOf(options.from, 'from'),
        toMs: instantOf(options.until, 'until'),
      }
      await withReadOnlyLake(options, async (lake) => {
        const sessions = await deviceSessions(lake, request)
        output.records(
          sessions.map((session) => ({
            start: iso(session.startMs),
            end: iso(session.endMs),
            run_minutes: session.runMinutes,
            off_minutes_before: session.precedingOffMinutes,
            closed_by: session.closedBy,
          })),
        )
      })
    },
  )
}

/** `isotherm features windows|sessions`: windows on demand. */
export function addFeatureWindows(features: Command): void {
  addWindows(features)
  addSessions(features)
}
