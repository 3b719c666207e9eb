import type { ContractDetailView, ContractListView } from 'isotherm/http'
import { linkProps } from '../api/location.ts'
import { useResource } from '../api/resource.ts'
import { Failed, Late, Loading } from '../parts/page-states.tsx'
import { useConsole } from '../use-console.ts'
import { allowedText, contractsSentence, freshText } from '../view/contract-rows.ts'
import type { ContractFilters } from '../view/route.ts'

type Summary = ContractListView['contracts'][number]

const stateWords = { ok: 'holds', warning: 'differs', failed: 'broken' } as const
const stateClasses = { ok: 'good', warning: 'warned', failed: 'held' } as const

function List({ contracts, chosen }: { contracts: readonly Summary[]; chosen: string }) {
  const { navigate } = useConsole()
  return (
    <section class="panel" aria-label="All contracts">
      <div class="wide-table">
        <table>
          <thead>
            <tr>
              <th scope="col">Table</th>
              <th scope="col">State</th>
              <th scope="col">Version</th>
              <th scope="col">Fresh within</th>
              <th scope="col">Kept</th>
              <th scope="col">Owner</th>
              <th scope="col">Columns</th>
            </tr>
          </thead>
          <tbody>
            {contracts.map((one) => (
              <tr key={one.name}>
                <th scope="row">
                  <a
                    {...linkProps({ page: 'contracts', filters: { contract: one.name } }, navigate)}
                    aria-current={one.name === chosen ? 'true' : undefined}
                  >
                    {one.name}
                  </a>
                </th>
                <td class={`quality-${stateClasses[one.state]}`} title={one.found}>
                  {stateWords[one.state]}
                </td>
                <td>{one.version}</td>
                <td>{freshText(one.fresh_within_minutes)}</td>
                <td>{one.kept_days === null ? '–' : `${one.kept_days} days`}</td>
                <td>{one.owner}</td>
                <td>{one.column_count}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

function Columns({ contract }: { readonly contract: ContractDetailView }) {
  const changes = new Map(contract.changes.map((change) => [change.column, change]))
  return (
    <div class="wide-table">
      <table>
        <thead>
          <tr>
            <th scope="col">Column</th>
            <th scope="col">Type</th>
            <th scope="col">May hold</th>
            <th scope="col">Meaning</th>
            <th scope="col">Sent by</th>
          </tr>
        </thead>
        <tbody>
          {contract.columns.map((column) => {
            const coverage = changes.get(column.name)?.fleet_coverage_pct
            return (
              <tr key={column.name}>
                <th scope="row">
                  <code>{column.name}</code>
                </th>
                <td>{column.type}</td>
                <td class="contract-words">{allowedText(column)}</td>
                <td class="contract-words">
                  {column.meaning}
                  {column.deprecated_on !== null && `; retired on ${column.deprecated_on}`}
                  {column.personal && '; can identify a person'}
                </td>
                <td>{coverage == null ? '' : `${coverage.toFixed(0)} % of units`}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

function Detail({ name }: { readonly name: string }) {
  const { deviceRevision } = useConsole()
  const path = `/api/v1/contracts/${encodeURIComponent(name)}`
  const [found, reload] = useResource<ContractDetailView>(path, `${deviceRevision}`)
  if (found.kind === 'loading') return <Loading rows={6} height={40} />
  if (found.kind === 'failed') return <Failed reason={found.reason} retry={reload} />
  const contract = found.value
  const file = `data:text/yaml;charset=utf-8,${encodeURIComponent(contract.odcs)}`
  return (
    <section class="panel" aria-labelledby="contract-title">
      <div class="panel-tools">
        <h2 id="contract-title">
          {contract.id === contract.name ? '' : `${contract.id} `}
          {contract.name} {contract.version}
        </h2>
        <a class="button" href={file} download={`${contract.name}.odcs.yaml`}>
          ODCS file
        </a>
      </div>
      <p>{contract.purpose}.</p>
      <p class="muted">Key: {contract.key.join(', ')}</p>
      {contract.found !== '' && <Late>{contract.found}</Late>}
      {contract.semantics.length > 0 && (
        <ul class="contract-semantics">
          {contract.semantics.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      )}
      <Columns contract={contract} />
    </section>
  )
}

/** Data contracts: what each table promises, whether it is kept, and each column of one. */
export function ContractsPage({ filters }: { readonly filters: ContractFilters }) {
  const { deviceRevision } = useConsole()
  const [list, reload] = useResource<ContractListView>('/api/v1/contracts', `${deviceRevision}`)
  if (list.kind === 'loading') return <Loading rows={6} height={40} />
  if (list.kind === 'failed') return <Failed reason={list.reason} retry={reload} />
  const { contracts } = list.value
  const chosen = filters.contract
  return (
    <div class="page quality contracts">
      <div class="page-head">
        <h1>Data contracts</h1>
        <p class="summary">{contractsSentence(contracts)}</p>
      </div>
      {list.fault !== undefined && <Late>{list.fault}</Late>}
      <div class="quality-grid">
        {chosen !== '' && <Detail key={chosen} name={chosen} />}
        <List contracts={contracts} chosen={chosen} />
      </div>
    </div>
  )
}
