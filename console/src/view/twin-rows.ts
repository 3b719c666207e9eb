import type { CommandsView, DevicePresenceView, TwinView } from 'isotherm/http'

/** One property of a twin as it is wanted and as the unit says it is. */
export type TwinRow = {
  /** Dotted path. */
  readonly name: string
  /** JSON text; empty when nobody wants anything. */
  readonly desired: string
  /** JSON text; empty when the unit has not said. */
  readonly reported: string
  readonly state: 'same' | 'differs' | 'not reported' | 'reported only'
}

/** What people read for a state. */
export const twinWords: Readonly<Record<TwinRow['state'], string>> = {
  same: 'as wanted',
  differs: 'differs',
  'not reported': 'not reported yet',
  'reported only': '',
}

type Json = TwinView['tags'][string]

/** Leaves of an object by their path; `$version` and metadata are no properties. */
function leaves(value: Readonly<Record<string, Json>>, prefix = ''): ReadonlyMap<string, Json> {
  const found = new Map<string, Json>()
  for (const [key, inner] of Object.entries(value)) {
    if (key.startsWith('$')) continue
    const name = prefix === '' ? key : `${prefix}.${key}`
    const isBranch = typeof inner === 'object' && inner !== null && !Array.isArray(inner)
    if (!isBranch) found.set(name, inner)
    else for (const [path, leaf] of leaves(inner, name)) found.set(path, leaf)
  }
  return found
}

function stateOf(desired: Json | undefined, reported: Json | undefined): TwinRow['state'] {
  if (desired === undefined) return 'reported only'
  if (reported === undefined) return 'not reported'
  // Plug and Play units acknowledge a property by an object of this name.
  return JSON.stringify(desired) === JSON.stringify(reported) ? 'same' : 'differs'
}

/** Properties of a twin side by side; what the unit has not done yet comes first. */
export function twinRows({ properties }: Pick<TwinView, 'properties'>): readonly TwinRow[] {
  const desired = leaves(properties.desired)
  const reported = leaves(properties.reported)
  const names = [...new Set([...desired.keys(), ...reported.keys()])].toSorted()
  const rows = names.map((name): TwinRow => {
    const wanted = desired.get(name)
    const said = reported.get(name) ?? reported.get(`${name}.value`)
    return {
      name,
      desired: wanted === undefined ? '' : JSON.stringify(wanted),
      reported: said === undefined ? '' : JSON.stringify(said),
      state: stateOf(wanted, said),
    }
  })
  const isOpen = ({ state }: TwinRow) => state === 'differs' || state === 'not reported'
  return [...rows.filter(isOpen), ...rows.filter((row) => !isOpen(row))]
}

/** `$version` of one side of a twin. */
export function versionOf(side: Readonly<Record<string, Json>>): number {
  return typeof side.$version === 'number' ? side.$version : 0
}

/** Whether a unit is there, in words. */
export function presenceSentence(presence: DevicePresenceView): string {
  if (presence.connected === null) return 'Not heard of since the server started'
  const connection = presence.connected ? 'Connected' : 'Not connected'
  return presence.reporting === false ? `${connection}, stopped reporting` : connection
}

/** A command in a line: what was asked, and what came of it. */
export function commandSentence(command: CommandsView['commands'][number]): string {
  const { parameters, answer, result } = command
  const what =
    command.command === 'call method'
      ? `call ${String(parameters.method ?? 'a method')}`
      : command.command
  if (result !== 'ok') return `${what}: ${command.reason ?? result}`
  if (command.command === 'call method') return `${what}: answered ${String(answer.status)}`
  if (command.command === 'purge messages') return `${what}: ${String(answer.purged_count)} gone`
  return what
}

/** JSON a person typed, or why it is none. */
export function typedJson(
  text: string,
):
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'wrong'; readonly why: string } {
  if (text.trim() === '') return { kind: 'json', value: undefined }
  try {
    return { kind: 'json', value: JSON.parse(text) }
  } catch (error) {
    return { kind: 'wrong', why: error instanceof Error ? error.message : String(error) }
  }
}
