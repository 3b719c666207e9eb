import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2019 } from 'ajv/dist/2019.js'
import * as formats from 'ajv-formats'
import { contractChanges, odcsYaml, readOdcs } from 'isotherm/data-contracts'
import { parse, stringify } from 'yaml'
import {
  breakingEdits,
  type Document,
  type Edit,
  harmlessEdits,
  type Property,
} from './contracts/document-edits.ts'
import { specifiedColumns } from './contracts/specified-columns.ts'
import { numberFlag } from './delta/flags.ts'
import { type Random, seededRandom } from './delta/seeded-random.ts'
import type { Promised } from './promise.ts'
import { isotherm, temporaryFolder } from './system.ts'

const officialSchema = join(
  import.meta.dirname,
  '../platform/src/data-contracts/testing/odcs-json-schema-v3.1.0.json',
)

/** The judge is the schema of the standard's own makers under a general JSON Schema validator. */
function officialJudge(): (document: unknown) => string | undefined {
  const ajv = new Ajv2019({ strict: false, allErrors: true })
  formats.default.default(ajv)
  const isValid = ajv.compile(JSON.parse(readFileSync(officialSchema, 'utf8')) as object)
  return (document) => (isValid(document) ? undefined : ajv.errorsText(isValid.errors))
}

type Exported = { readonly label: string; readonly text: string }

/** Contracts as the command line exports them: every one of one fleet, then what differs by fleet. */
async function exported(folder: string): Promise<readonly Exported[]> {
  const found = new Map<string, Exported>()
  for (const fleet of ['refrigeration', 'ahu']) {
    const directory = join(folder, fleet)
    const { code, errors } = await isotherm(
      'contracts',
      'export',
      '--fleet',
      fleet,
      '--to',
      directory,
    )
    if (code !== 0) throw new Error(`contracts export ended with ${code}: ${errors}`)
    for (const name of readdirSync(directory)) {
      const text = readFileSync(join(directory, name), 'utf8')
      if (!found.has(text)) found.set(text, { label: `${fleet}/${name}`, text })
    }
  }
  return [...found.values()]
}

/** Where the exported contract of a numbered table differs from what the specification lists. */
function specificationFaults({ label, text }: Exported): readonly string[] {
  const [table] = (parse(text) as Document).schema
  const specified = specifiedColumns(table?.name ?? '')
  if (!label.startsWith('refrigeration/') || specified === undefined) return []
  const found = new Map(table?.properties.map((column) => [column.name, column]))
  const faults: string[] = []
  for (const { name, type, nullable, extension } of specified) {
    const column = found.get(name)
    found.delete(name)
    if (column === undefined) faults.push(`${label}: no column ${name}`)
    else if (column.physicalType !== type) faults.push(`${label}: ${name} is no ${type}`)
    // An extension of the specification may be promised more strictly, never less.
    else if (extension ? !nullable && !column.required : column.required === nullable) {
      faults.push(`${label}: ${name} may ${nullable ? 'not ' : ''}be null`)
    }
  }
  const isExtension = (column: Property) =>
    column.customProperties?.some(({ property, value }) => property === 'extension' && value)
  const undeclared = [...found.values()].filter((one) => !one.partitioned && !isExtension(one))
  return [...faults, ...undeclared.map(({ name }) => `${label}: ${name} is in no specification`)]
}

/** Applies each edit to a random contract it fits, no contract twice. */
function editedPairs(edits: readonly Edit[], contracts: readonly Exported[], random: Random) {
  const documents = contracts.map((exported) => ({
    ...exported,
    document: parse(exported.text) as Document,
  }))
  const fits = (edit: Edit, { document }: (typeof documents)[number]) =>
    edit.apply(structuredClone(document), random) !== undefined
  // Edits that fit few contracts choose first.
  const fitting = edits
    .map((edit) => ({ edit, found: documents.filter((one) => fits(edit, one)) }))
    .toSorted((a, b) => a.found.length - b.found.length)
  const taken = new Set<string>()
  return fitting.map(({ edit, found }) => {
    const chosen = random.pick(found.filter(({ label }) => !taken.has(label)))
    taken.add(chosen.label)
    const document = structuredClone(chosen.document)
    const column = edit.apply(document, random) ?? ''
    const after = stringify(document)
    return { edit: edit.name, label: chosen.label, column, before: chosen.text, after }
  })
}

export const promised: Promised = {
  id: 'D1',
  title: 'contracts are valid by the official ODCS schema and breaking changes are found',
  unit: 'faults',
  bar: '0: 20 contracts valid and equal after a round trip, 10 of 10 breaking edits found, none else',
  quick: true,
  limitSeconds: 120,
  run: async (report) => {
    const folder = temporaryFolder('d1')
    const faults: string[] = []
    try {
      const seed = numberFlag('seed', 1)
      const random = seededRandom(seed)
      const judge = officialJudge()
      const contracts = await exported(folder.path)
      if (contracts.length < 20) faults.push(`only ${contracts.length} contracts`)
      for (const { label, text } of contracts) {
        const reason = judge(parse(text))
        if (reason !== undefined) faults.push(`${label}: ${reason}`)
        const [read, ...more] = readOdcs(text).contracts
        if (read === undefined || more.length > 0 || odcsYaml(read) !== text) {
          faults.push(`${label}: another text after a round trip`)
        }
      }
      const numbered = contracts.flatMap(specificationFaults)
      faults.push(...numbered)
      report(`${contracts.length} contracts valid, seed ${seed}`)

      const broken = editedPairs(breakingEdits, contracts, random)
      const sound = editedPairs(harmlessEdits, contracts, random)
      let foundCount = 0
      const breaking = (before: string, after: string) => {
        const [was] = readOdcs(before).contracts
        const [is] = readOdcs(after).contracts
        if (was === undefined || is === undefined) throw new Error('a document without a contract')
        return contractChanges(was, is).filter(({ reach }) => reach === 'breaking')
      }
      for (const { edit, label, column, before, after } of broken) {
        const reason = judge(parse(after))
        if (reason !== undefined) faults.push(`${label}: ${edit}: ${reason}`)
        const found = breaking(before, after)
        // A renamed column is one gone and, where it is never null, one too many.
        const isOfColumn = ({ column: of = '' }) => of === column || `${of}_v2` === column
        const named = found.length > 0 && found.every(isOfColumn)
        if (named) foundCount += 1
        else faults.push(`${label}: ${edit} ${column}: ${found.length} breaking changes found`)
      }
      for (const { edit, label, column, before, after } of sound) {
        const found = breaking(before, after)
        if (found.length > 0) faults.push(`${label}: ${edit} ${column}: ${found[0]?.detail}`)
      }
      // The command refuses a breaking edit and says so by its exit code.
      const [first] = broken
      const [before, after] = ['before', 'after'].map((name) => join(folder.path, `${name}.yaml`))
      writeFileSync(before ?? '', first?.before ?? '')
      writeFileSync(after ?? '', first?.after ?? '')
      const refused = await isotherm('contracts', 'diff', before ?? '', after ?? '')
      if (refused.code !== 1) faults.push(`contracts diff ended with ${refused.code}, expected 1`)
      return {
        ok: faults.length === 0,
        value: faults.length,
        detail: {
          contracts: contracts.length,
          breaking: `${foundCount} of ${broken.length} found`,
          harmless: `${sound.length} edits, none taken for breaking`,
          faults: faults.slice(0, 10),
        },
      }
    } finally {
      folder.remove()
    }
  },
}
