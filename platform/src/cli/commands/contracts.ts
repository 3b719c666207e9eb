import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { fleetContracts, IsothermError, type TableContract } from '../../contracts/index.ts'
import {
  checkRows,
  defaultOwner,
  judgeVersion,
  odcsDocument,
  odcsYaml,
} from '../../data-contracts/index.ts'
import {
  contractFindings,
  importContract,
  importedContracts,
  readContractFile,
} from '../../runtime/index.ts'
import { type RangeOptions, rangeOf, rangeOptions, withRowsOf } from '../contract-rows.ts'
import { loadFleet } from '../fleet-source.ts'
import { type CommonOptions, command, fleetName, requireDataFolder } from '../program.ts'
import { addSuggest } from './suggest-contract.ts'

async function knownContracts(options: CommonOptions): Promise<readonly TableContract[]> {
  const fleet = await loadFleet(fleetName(options))
  return [...fleetContracts(fleet), ...importedContracts(options.data)]
}

/** A contract by table name, contract number or path of an ODCS file. */
async function contractNamed(options: CommonOptions, named: string): Promise<TableContract> {
  if (existsSync(named)) {
    const [contract, ...more] = readContractFile(named).contracts
    if (contract !== undefined && more.length === 0) return contract
    throw new IsothermError('INPUT_INVALID', `${named} holds several tables; expected one`)
  }
  const known = await knownContracts(options)
  const found = known.find(({ name, id }) => name === named || id === named)
  if (found !== undefined) return found
  throw new IsothermError(
    'NOT_FOUND',
    `there is no contract or file ${named}; contracts: ${known.map(({ name }) => name).join(', ')}`,
  )
}

const today = () => new Date().toISOString().slice(0, 10)

function addList(contracts: Command): void {
  command<CommonOptions>(contracts, 'list', 'list contracts', [], async (options, output) => {
    const imported = new Set(importedContracts(options.data).map(({ name }) => name))
    output.records(
      (await knownContracts(options)).map(
        ({ id, name, version, columns, key, owner, service }) => ({
          id,
          name,
          version,
          columns: columns.length,
          key: key.join(', '),
          owner: owner ?? defaultOwner,
          fresh_within_min: service?.freshnessMinutes ?? null,
          kept_days: service?.retentionDays ?? null,
          from: imported.has(name) ? 'import' : 'release',
        }),
      ),
    )
  })
}

type ExportOptions = CommonOptions & { readonly to?: string }

function addExport(contracts: Command): void {
  command<ExportOptions>(
    contracts,
    'export [names...]',
    'print contracts as Open Data Contract Standard 3.1 YAML, all without a name',
    [new Option('--to <dir>', 'write NAME.odcs.yaml files there')],
    async (options, output, names) => {
      const chosen =
        names.length === 0
          ? await knownContracts(options)
          : await Promise.all(names.map((name) => contractNamed(options, name)))
      const { to } = options
      if (to === undefined) {
        if (output.isJson) output.records(chosen.map(odcsDocument))
        else output.line(chosen.map(odcsYaml).join('---\n').trimEnd())
        return
      }
      mkdirSync(to, { recursive: true })
      const files = chosen.map((contract) => {
        const path = join(to, `${contract.name}.odcs.yaml`)
        writeFileSync(path, odcsYaml(contract))
        return { name: contract.name, version: contract.version, file: path }
      })
      output.records(files)
    },
  )
}

function addImport(contracts: Command): void {
  command<CommonOptions>(
    contracts,
    'import <files...>',
    'keep contracts of ODCS 3 files in the data folder, checked against their earlier versions',
    [],
    async (options, output, files) => {
      requireDataFolder(options.data)
      const fleet = await loadFleet(fleetName(options))
      const read = files.map((file) => ({ file, ...readContractFile(file) }))
      output.records(
        read.flatMap(({ file, contracts: found, ignored }) =>
          found.map((contract) => {
            const { verdict } = importContract(options.data, fleet, contract, today())
            return {
              file,
              name: contract.name,
              version: contract.version,
              changes: verdict?.changes.length ?? 'new',
              not_kept: ignored.join(', '),
            }
          }),
        ),
      )
    },
  )
}

function addDiff(contracts: Command): void {
  command<CommonOptions>(
    contracts,
    'diff <before> <after>',
    'what changed between two contracts, by file, name or number; ends with 1 if the rules refuse it',
    [],
    async (options, output, [before = '', after = '']) => {
      const was = await contractNamed(options, before)
      const is = await contractNamed(options, after)
      const { changes, refusals, expectedVersion } = judgeVersion(was, is, today())
      if (output.isJson) output.records([{ changes, refusals, expected_version: expectedVersion }])
      else if (changes.length === 0) output.line('the same')
      else output.records(changes.map(({ reach, kind, detail }) => ({ reach, kind, detail })))
      for (const refusal of refusals) output.line(`refused: ${refusal}`)
      if (refusals.length > 0) process.exitCode = 1
    },
  )
}

type CheckOptions = RangeOptions & { readonly rows?: string }

/** Rows against contracts: what is broken, one line each; ends with 1 when a stretch is refused. */
async function checkStretch(
  options: CheckOptions,
  contracts: readonly TableContract[],
  rows: string,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const found: Readonly<Record<string, unknown>>[] = []
  for (const contract of contracts) {
    const verdict = await withRowsOf(options, rows, rangeOf(options), (connection, relation) =>
      checkRows(connection, contract, relation),
    )
    const { name } = contract
    found.push(
      ...verdict.violations.map(({ rule, severity, column = '', expected, found: was }) => ({
        ...{ contract: name, state: severity, rule, column, expected, found: was },
      })),
    )
    if (!verdict.isAccepted) process.exitCode = 1
    const state = verdict.isAccepted ? 'accepted' : 'refused'
    const counted = `${verdict.rowCount} rows`
    found.push({ contract: name, state, rule: '', column: '', expected: '', found: counted })
  }
  return found
}

function addCheck(contracts: Command): void {
  command<CheckOptions>(
    contracts,
    'check [contracts...]',
    'check the release against the stored tables, ODCS files in themselves, or rows against them',
    [
      new Option('--rows <file-or-table>', 'rows to hold against the contracts: CSV, Parquet, ...'),
      ...rangeOptions(),
    ],
    async (options, output, named) => {
      const { rows } = options
      if (rows !== undefined) {
        const chosen = await Promise.all(
          (named.length === 0 ? [rows] : named).map((one) => contractNamed(options, one)),
        )
        output.records(await checkStretch(options, chosen, rows))
        return
      }
      if (named.length > 0) {
        const read = await Promise.all(named.map((one) => contractNamed(options, one)))
        output.records(read.map(({ name, version }) => ({ name, version, state: 'ok' })))
        return
      }
      const fleet = await loadFleet(fleetName(options))
      const findings = await contractFindings({ dataDirectory: options.data, fleet })
      const held = fleetContracts(fleet).filter(
        ({ name }) => !findings.some(({ table }) => table === name),
      )
      output.records([
        ...findings,
        ...held.map(({ name }) => ({ table: name, state: 'ok', found: 'as its contract says' })),
      ])
      if (findings.some(({ state }) => state === 'failed')) process.exitCode = 1
    },
  )
}

/** `isotherm contracts ...`: what each table promises, in the Open Data Contract Standard. */
export function addContracts(program: Command): void {
  const contracts = program.command('contracts').description('what each table promises')
  const adds = [addList, addCheck, addExport, addImport, addDiff, addSuggest]
  for (const add of adds) add(contracts)
}
