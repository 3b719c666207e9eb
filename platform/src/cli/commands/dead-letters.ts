import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Command, Option } from 'commander'
import { IsothermError, reasonCodes } from '../../contracts/index.ts'
import type { DeadLetter, DeadLetterFilter, ReplayItem } from '../../runtime/index.ts'
import { letterStep, withDeadLetters } from '../dead-letter-access.ts'
import { countOf } from '../option-values.ts'
import { type CommonOptions, command } from '../program.ts'

type FilterOptions = CommonOptions & { readonly reason?: string; readonly device?: string }

const filterOptions = () => [
  new Option('--reason <code>', 'only this reason').choices([...reasonCodes]),
  new Option('--device <id>', 'only of this device'),
]

function filterOf({ reason, device }: FilterOptions): DeadLetterFilter {
  return {
    ...(reason !== undefined && { reason }),
    ...(device !== undefined && { deviceId: device }),
  }
}

/** Letters one command takes at most. */
const maxLetters = 100_000

/**
 * Puts a payload right: called with the bytes and what is known of the letter, it returns the
 * payload to store, or undefined to leave the letter as it is.
 */
type Repair = (payload: Buffer, letter: DeadLetter) => Uint8Array | string | undefined

async function repairIn(path: string): Promise<Repair> {
  let found: unknown
  try {
    const module = (await import(pathToFileURL(resolve(path)).href)) as {
      readonly repair?: unknown
    }
    found = module.repair
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new IsothermError('INPUT_INVALID', `${path}: ${reason}`, { cause })
  }
  if (typeof found === 'function') return found as Repair
  throw new IsothermError(
    'INPUT_INVALID',
    `${path} exports no function repair(payload, letter); see the guide on dead letters`,
  )
}

type ReplayOptions = FilterOptions & { readonly id?: readonly string[]; readonly repair?: string }

async function replay(
  options: ReplayOptions,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const repair = options.repair === undefined ? undefined : await repairIn(options.repair)
  return withDeadLetters(options, async (letters) => {
    const ids = options.id ?? (await letters.ids(filterOf(options), maxLetters))
    const counts = new Map<string, number>()
    const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1)
    for (let start = 0; start < ids.length; start += letterStep) {
      const items: ReplayItem[] = []
      for (const id of ids.slice(start, start + letterStep)) {
        if (repair === undefined) items.push({ id })
        else {
          const { payload, ...letter } = await letters.show(id)
          const repaired = repair(Buffer.from(payload), letter)
          if (repaired === undefined) count('left as it is')
          else items.push({ id, payload: Buffer.from(repaired) })
        }
      }
      if (items.length === 0) continue
      for (const result of await letters.replay(items)) {
        count(result.result === 'replayed' ? 'replayed' : `still refused: ${result.reason}`)
      }
    }
    return [...counts].map(([outcome, letterCount]) => ({ outcome, letters: letterCount }))
  })
}

function addReading(deadLetters: Command): void {
  command<FilterOptions & { readonly status?: string; readonly limit: string }>(
    deadLetters,
    'list',
    'messages that could not be read, newest first',
    [
      ...filterOptions(),
      new Option('--status <status>', 'only these').choices(['new', 'replayed', 'discarded']),
      new Option('--limit <number>', 'at most so many').default('50'),
    ],
    async (options, output) => {
      const status = options.status as DeadLetterFilter['status']
      const filter = { ...filterOf(options), ...(status !== undefined && { status }) }
      const found = await withDeadLetters(options, (letters) =>
        letters.list(filter, Math.min(1_000, countOf(options.limit, 'limit', 1))),
      )
      output.records(
        found.map(({ id, reason, deviceId, ingestedAtMs, status: state, detail }) => ({
          id,
          reason,
          device: deviceId,
          received: new Date(ingestedAtMs).toISOString(),
          status: state,
          detail,
        })),
      )
    },
  )
  command<CommonOptions>(
    deadLetters,
    'show <id>',
    'one of them with its payload',
    [],
    async (options, output, [id = '']) => {
      const { payload, ...letter } = await withDeadLetters(options, (letters) => letters.show(id))
      const text = Buffer.from(payload).toString('utf8')
      output.records([output.isJson ? { ...letter, payload: text } : letter])
      output.line(text)
    },
  )
}

/** `isotherm deadletters ...`: messages that could not be read, and what becomes of them. */
export function addDeadLetters(program: Command): void {
  const deadLetters = program
    .command('deadletters')
    .description('messages that could not be read: look at them, try them again, give them up')
  addReading(deadLetters)
  command<ReplayOptions>(
    deadLetters,
    'replay',
    'read them again by the schema and registry of now; those that can be read are stored with the id and ingest time they had',
    [
      ...filterOptions(),
      new Option('--id <ids...>', 'only these'),
      new Option(
        '--repair <file>',
        'JavaScript module whose repair(payload, letter) mends payloads',
      ),
    ],
    async (options, output) => output.records(await replay(options)),
  )
  command<FilterOptions & { readonly id?: readonly string[] }>(
    deadLetters,
    'discard',
    'give letters up; they stay in the table as discarded',
    [...filterOptions(), new Option('--id <ids...>', 'only these')],
    async (options, output) => {
      if (
        options.id === undefined &&
        options.reason === undefined &&
        options.device === undefined
      ) {
        throw new IsothermError('INPUT_INVALID', 'say which: --id, --reason or --device')
      }
      const discarded = await withDeadLetters(options, async (letters) => {
        const ids = options.id ?? (await letters.ids(filterOf(options), maxLetters))
        let count = 0
        for (let start = 0; start < ids.length; start += letterStep) {
          count += await letters.discard(ids.slice(start, start + letterStep))
        }
        return count
      })
      output.records([{ discarded }])
    },
  )
}
