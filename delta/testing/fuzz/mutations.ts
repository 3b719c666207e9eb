import type { BaseTable, DamageCase, FileRole } from './base-table.ts'
import { bytesOf } from './base-table.ts'

/** A number in [0, 1), the next of a seed. */
export type Share = () => number

/** Random choices of a seed: mulberry32. */
export function sharesOf(seed: number): Share {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const pick = <T>(share: Share, from: readonly T[]): T =>
  from[Math.floor(share() * from.length)] as T

/** Values that break assumptions: of another type, too large, too deep, no path, no text. */
const oddValues: readonly unknown[] = [
  ...[null, true, -1, 0, 1.5, 1e300, 2 ** 53, '', 'x', ' ', '0', '-1', 'null', 'NaN'],
  ...['9'.repeat(40), 'y'.repeat(100_000), '\u0000', '\ud800', '\ufeff', '"', '{', '[]', '{}'],
  ...['../../../../etc/passwd', '%2e%2e/%2e%2e/x', 'file:///etc/passwd', '/etc/passwd', 's3://b/k'],
  ...['a%zz', '%', '.', '..', './x', 'a//b', 'a\\..\\b', 'part=a/', '?q', '#f', 'x'.repeat(300)],
  ...[
    '2026-13-45',
    '1e999',
    'interval 1 week',
    'interval',
    'struct',
    'decimal(99,98)',
    'decimal()',
  ],
  ...[[], {}, [[[[]]]], { a: { b: {} } }, [null], { type: 'struct', fields: [] }, { type: 'map' }],
  ...[{ type: 'array', elementType: 'void', containsNull: true }, ['part', 'part'], ['nothing']],
]

/** Every place in a JSON value, as the keys that lead to it. */
function placesOf(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  const inner = Object.entries(value).flatMap(([key, part]) => placesOf(part, [...path, key]))
  return path.length === 0 ? inner : [path, ...inner]
}

function changedAt(
  value: unknown,
  path: readonly string[],
  change: (old: unknown) => unknown,
): unknown {
  const [key, ...rest] = path
  if (key === undefined) return change(value)
  const copy: Record<string, unknown> = { ...(value as Record<string, unknown>) }
  const next = rest.length === 0 ? change(copy[key]) : changedAt(copy[key], rest, change)
  if (next === undefined) delete copy[key]
  else copy[key] = next
  return Array.isArray(value) ? Object.values(copy) : copy
}

/** JSON texts inside JSON: the schema and the statistics. */
function changeInside(share: Share, old: unknown): unknown {
  if (typeof old !== 'string' || !old.startsWith('{')) return pick(share, oddValues)
  const inner = JSON.parse(old) as unknown
  const place = pick(share, placesOf(inner))
  const change = () => (share() < 0.3 ? undefined : pick(share, oddValues))
  return JSON.stringify(changedAt(inner, place, change))
}

function mutatedJson(share: Share, text: string): string {
  const value = JSON.parse(text) as unknown
  const place = pick(share, placesOf(value))
  const draw = share()
  if (draw < 0.25) return JSON.stringify(changedAt(value, place, () => undefined))
  if (draw < 0.6) return JSON.stringify(changedAt(value, place, () => pick(share, oddValues)))
  return JSON.stringify(changedAt(value, place, (old) => changeInside(share, old)))
}

function mutatedLines(share: Share, text: string): string {
  const lines = text.trimEnd().split('\n')
  const at = Math.floor(share() * lines.length)
  const line = lines[at] ?? ''
  switch (Math.floor(share() * 9)) {
    case 0:
      return [...lines, line].join('\n')
    case 1:
      return lines.toSpliced(at, 1).join('\n')
    case 2:
      return `${text}${pick(share, ['{', '[', 'null', '1', '""', '[]', '\u0000', '{"x":1}', '{}'])}\n`
    case 3:
      return text.slice(0, Math.floor(share() * text.length))
    case 4:
      return `${'['.repeat(50_000)}\n${text}`
    default:
      return lines.toSpliced(at, 1, mutatedJson(share, line)).join('\n')
  }
}

function mutatedBytes(share: Share, bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  const at = () => Math.floor(share() * copy.length)
  switch (Math.floor(share() * 6)) {
    case 0:
      return copy.subarray(0, at())
    case 1:
      return copy.fill(0, at(), Math.min(copy.length, at() + 64))
    case 2:
      return Buffer.concat([copy, copy.subarray(at())])
    case 3: {
      // The footer's length, its last bytes, decides what is read as footer.
      copy.writeUInt32LE(Math.floor(share() * 2 ** 32), copy.length - 8)
      return copy
    }
    case 4: {
      // The footer itself: sizes, counts and types stand there.
      const footer = copy.length - 8 - copy.readUInt32LE(copy.length - 8)
      for (let i = 0; i < 3; i++) {
        copy[footer + Math.floor(share() * (copy.length - 8 - footer))] = Math.floor(share() * 256)
      }
      return copy
    }
    default:
      for (let i = 0; i < 4; i++) copy[at()] = Math.floor(share() * 256)
      return copy
  }
}

const strangeNames = [
  ...['99999999999999999999.json', '00000000000000000099.json', '00000000000000000007.json'],
  ...['00000000000000000004.checkpoint.0000000001.0000000002.parquet', '_staged_commits'],
  ...['00000000000000000006.checkpoint.0000000001.0000000001.parquet', '.tmp-x', 'x.json'],
  ...['00000000000000000005.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json'],
]

/** The damage of a seed. */
export async function damageOf(seed: number, base: BaseTable): Promise<DamageCase> {
  const share = sharesOf(seed)
  // A few roles at most, commits before others: they are what foreign writers get wrong.
  const role: FileRole = pick(
    share,
    share() < 0.5 ? base.roles.filter((name) => name.startsWith('commit')) : base.roles,
  )
  const bytes = await bytesOf(base, role)
  const draw = share()
  if (draw < 0.04) return { what: `${role} is gone`, files: { [role]: null } }
  if (draw < 0.08) {
    const name = pick(share, strangeNames)
    return { what: `${role} again as ${name}`, files: { [name]: bytes.toString('base64') } }
  }
  if (draw < 0.11) {
    const other = pick(share, base.roles)
    const content = (await bytesOf(base, other)).toString('base64')
    return { what: `${role} holds ${other}`, files: { [role]: content } }
  }
  const isText = /^(commit|hint|checksum)/.test(role)
  const changed =
    isText && share() < 0.9
      ? Buffer.from(mutatedLines(share, bytes.toString('utf8')))
      : mutatedBytes(share, bytes)
  return { what: `${role} is changed`, files: { [role]: changed.toString('base64') } }
}
