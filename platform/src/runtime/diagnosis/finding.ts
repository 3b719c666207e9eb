import type { FleetDefinition } from '../../contracts/index.ts'
import type { BrokerSourceOptions } from '../../gateway/index.ts'

/** One thing `isotherm doctor` looked at. */
export type Finding = {
  readonly check: string
  readonly state: 'ok' | 'warning' | 'failed'
  /** File, folder, port, variable or device that was looked at. */
  readonly where: string
  readonly expected: string
  readonly found: string
  /** What to do; empty when nothing is. */
  readonly advice: string
}

/** What to examine: the settings the server is, or is to be, started with. */
export type DiagnosisOptions = {
  readonly dataDirectory: string
  /** The fleet, or why it cannot be loaded. */
  readonly fleet:
    | { readonly kind: 'loaded'; readonly fleet: FleetDefinition }
    | { readonly kind: 'failed'; readonly named: string; readonly reason: string }
  /** Address the server listens on. */
  readonly host: string
  /** Its ports; 0 stands for one that is switched off. */
  readonly ports: readonly number[]
  /** Names devices connect to. */
  readonly hostNames: readonly string[]
  /** PEM files; default: those of the data folder. */
  readonly tlsCertificate?: string
  readonly tlsKey?: string
  /** Devices to be served; default: those registered. */
  readonly deviceCount?: number
  /** A broker telemetry is to be taken from. */
  readonly broker?: BrokerSourceOptions
  /** NTP server `host[:port]` or a URL whose `Date` header is read; absent: nobody is asked. */
  readonly timeServer?: string
  /** Process that owns the folder and its ports by design. */
  readonly serverProcessId?: number
  readonly nowMs: number
}

/** Looks at one thing, or at one thing in several places. */
export type Check = (options: DiagnosisOptions) => Promise<readonly Finding[]> | readonly Finding[]

type Observed = Omit<Finding, 'check' | 'advice'> & { readonly advice?: string }

/** A finding; one that is ok carries no advice. */
export function finding(check: string, observed: Observed): Finding {
  const { state, where, expected, found, advice = '' } = observed
  return { check, state, where, expected, found, advice: state === 'ok' ? '' : advice }
}

/** The sentence of what was thrown. */
export function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
