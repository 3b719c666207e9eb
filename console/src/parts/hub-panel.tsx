import type { CommandsView, DevicePresenceView, QueuedMessages, TwinView } from 'isotherm/http'
import { useState } from 'preact/hooks'
import { useNow } from '../api/clock.ts'
import { useResource } from '../api/resource.ts'
import { useConsole } from '../use-console.ts'
import { plural } from '../view/number-text.ts'
import { agoText } from '../view/time-text.ts'
import {
  commandSentence,
  presenceSentence,
  twinRows,
  twinWords,
  versionOf,
} from '../view/twin-rows.ts'
import { ClockLine } from './clock-line.tsx'
import { DesiredForm, MessageForm, MethodForm } from './command-forms.tsx'
import { Failed, Loading } from './page-states.tsx'

const commandCount = 20
const commanders = ['operator', 'operator_lead', 'regional_engineer', 'admin']

function Presence({ presence }: { readonly presence: DevicePresenceView }) {
  const nowMs = useNow(10_000)
  const isWell = presence.connected === true && presence.reporting !== false
  return (
    <p class="presence">
      <span class={`live ${isWell ? 'live' : 'broken'}`} aria-hidden="true" />
      {presenceSentence(presence)}
      {presence.changed_at !== null && (
        <span class="muted"> since {agoText(Date.parse(presence.changed_at), nowMs)}</span>
      )}
    </p>
  )
}

function Twin({ twin }: { readonly twin: TwinView }) {
  const rows = twinRows(twin)
  const { desired, reported } = twin.properties
  return (
    <>
      <p class="muted">
        Desired version {versionOf(desired)}, reported version {versionOf(reported)}
      </p>
      {rows.length === 0 && <p class="muted">Neither side has said anything yet.</p>}
      {rows.length > 0 && (
        <table class="twin-table">
          <thead>
            <tr>
              <th scope="col">Property</th>
              <th scope="col">Desired</th>
              <th scope="col">Reported</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.name} class={`twin-${row.state.replaceAll(' ', '-')}`}>
                <th scope="row">{row.name}</th>
                <td>{row.desired}</td>
                <td>
                  {row.reported} <span class="muted">{twinWords[row.state]}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  )
}

function Commands({ commands }: { readonly commands: CommandsView['commands'] }) {
  const nowMs = useNow(10_000)
  if (commands.length === 0) return <p class="muted">Nobody has told this unit anything.</p>
  return (
    <ol class="command-list">
      {commands.map((command) => (
        <li key={command.audit_id} class={command.result === 'ok' ? '' : 'command-failed'}>
          <span>{commandSentence(command)}</span>
          <span class="muted">
            {command.by}, {agoText(Date.parse(command.asked_at), nowMs)}
          </span>
        </li>
      ))}
    </ol>
  )
}

/** The unit as a device: connection, twin, what it is told and by whom. */
export function HubPanel({
  deviceId,
  revision,
}: {
  readonly deviceId: string
  readonly revision: string
}) {
  const { me } = useConsole()
  const [own, setOwn] = useState(0)
  const base = `/api/v1/devices/${encodeURIComponent(deviceId)}`
  const all = `${revision}:${own}`
  const [presence] = useResource<DevicePresenceView>(`${base}/presence`, all)
  const [twin, reload] = useResource<TwinView>(`${base}/twin`, all)
  const [queue] = useResource<QueuedMessages>(`${base}/messages`, all)
  const [commands] = useResource<CommandsView>(`${base}/commands?limit=${commandCount}`, all)
  const afterwards = () => setOwn((count) => count + 1)
  const mayCommand = me !== undefined && commanders.includes(me.role)
  const waiting = queue.kind === 'ready' ? queue.value.messages.length : 0
  return (
    <section class="hub" aria-labelledby="hub-title">
      <h2 id="hub-title">Device</h2>
      {presence.kind === 'ready' && <Presence presence={presence.value} />}
      <ClockLine deviceId={deviceId} />
      <div class="hub-grid">
        <div class="panel">
          <h3>Twin</h3>
          {twin.kind === 'loading' && <Loading rows={2} height={40} />}
          {twin.kind === 'failed' && <Failed reason={twin.reason} retry={reload} />}
          {twin.kind === 'ready' && <Twin twin={twin.value} />}
          {mayCommand && <DesiredForm base={base} afterwards={afterwards} />}
        </div>
        <div class="panel">
          <h3>Messages and methods</h3>
          <p class="muted">
            {waiting === 0 ? 'No message waits.' : `${plural(waiting, 'message')} waiting.`}
          </p>
          {mayCommand && <MessageForm base={base} afterwards={afterwards} />}
          {mayCommand && <MethodForm base={base} afterwards={afterwards} />}
        </div>
        <div class="panel">
          <h3>Who told it what</h3>
          {commands.kind === 'loading' && <Loading rows={3} height={40} />}
          {commands.kind === 'failed' && <p class="muted">{commands.reason}</p>}
          {commands.kind === 'ready' && <Commands commands={commands.value.commands} />}
        </div>
      </div>
    </section>
  )
}
