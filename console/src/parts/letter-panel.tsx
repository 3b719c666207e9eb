import type { LetterDetail, ReplayReply } from 'isotherm/http'
import { useState } from 'preact/hooks'
import { linkProps } from '../api/location.ts'
import { postJson } from '../api/request.ts'
import { useResource } from '../api/resource.ts'
import { useConsole } from '../use-console.ts'
import { base64Of, payloadText, reasonMeaning, replaySentence } from '../view/dead-letter-rows.ts'
import { defaultRange } from '../view/time-range.ts'
import { clockText } from '../view/time-text.ts'
import { Failed, Loading } from './page-states.tsx'

/** Stages whose letters hold the message as it was sent, so that it can be tried again. */
const replayableStages = ['gateway', 'decode']

function Repair(props: { readonly letter: LetterDetail; readonly afterwards: () => void }) {
  const { say } = useConsole()
  const shown = payloadText(props.letter)
  const [text, setText] = useState(shown.kind === 'text' ? shown.text : '')
  const [isBusy, setBusy] = useState(false)
  const isChanged = shown.kind === 'bytes' ? text !== '' : text !== shown.text
  const send = async (path: 'replay' | 'discard') => {
    setBusy(true)
    const { id } = props.letter
    const item = isChanged ? { id, payload_base64: base64Of(text) } : { id }
    const body = path === 'replay' ? { letters: [item] } : { ids: [id] }
    const answer = await postJson<ReplayReply>(
      `/api/v1/dead-letters/${path}`,
      body,
      crypto.randomUUID(),
    )
    setBusy(false)
    if (answer.kind === 'failed') return say(answer.reason, 'failed')
    const [result] = path === 'replay' ? answer.value.results : []
    const isRefused = result?.result === 'refused'
    const detail = isRefused ? `: ${result.detail ?? ''}` : ''
    say(
      path === 'replay' ? `${replaySentence(answer.value.results)}${detail}` : 'Given up',
      isRefused ? 'failed' : 'done',
    )
    props.afterwards()
  }
  const isOpen = props.letter.status === 'new' && replayableStages.includes(props.letter.stage)
  return (
    <>
      <label class="field">
        <span>
          {shown.kind === 'text'
            ? 'Payload as it came; correct it here to store it corrected'
            : `${shown.sizeBytes} bytes that are no text; write a readable message to store instead`}
        </span>
        {shown.kind === 'bytes' && <code class="letter-bytes">{shown.hex}</code>}
        <textarea
          class="letter-payload"
          rows={8}
          spellcheck={false}
          value={text}
          readOnly={!isOpen}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      {isOpen && (
        <div class="dialog-buttons">
          <button type="button" class="button" disabled={isBusy} onClick={() => send('discard')}>
            Give up
          </button>
          <button
            type="button"
            class="button primary"
            disabled={isBusy}
            onClick={() => send('replay')}
          >
            {isChanged ? 'Store as corrected' : 'Try again as it is'}
          </button>
        </div>
      )}
    </>
  )
}

/** One message that could not be read: why, its bytes, and what can be done with it. */
export function LetterPanel(props: {
  readonly id: string
  readonly revision: number
  readonly afterwards: () => void
  readonly close: () => void
}) {
  const { navigate } = useConsole()
  const path = `/api/v1/dead-letters/${encodeURIComponent(props.id)}`
  const [letter, reload] = useResource<LetterDetail>(path, props.revision)
  if (letter.kind === 'loading') return <Loading rows={1} height={320} />
  if (letter.kind === 'failed') return <Failed reason={letter.reason} retry={reload} />
  const { value } = letter
  return (
    <section class="panel letter" aria-labelledby="letter-title">
      <div class="panel-tools">
        <h2 id="letter-title">{value.reason}</h2>
        <button type="button" class="button" onClick={props.close}>
          Close
        </button>
      </div>
      <p>{reasonMeaning(value.reason)}.</p>
      {value.detail !== null && <p class="letter-detail">{value.detail}</p>}
      <dl class="device-facts">
        <div>
          <dt>Unit</dt>
          <dd>
            {value.device_id === null ? (
              'not known'
            ) : (
              <a
                {...linkProps(
                  { page: 'device', deviceId: value.device_id, range: defaultRange },
                  navigate,
                )}
              >
                {value.device_id}
              </a>
            )}
          </dd>
        </div>
        <div>
          <dt>Received</dt>
          <dd>{clockText(Date.parse(value.ingested_at))}</dd>
        </div>
        <div>
          <dt>Status</dt>
          <dd>
            {value.status}
            {value.replay_count > 0 && (
              <span class="muted">tried again {value.replay_count} times</span>
            )}
          </dd>
        </div>
      </dl>
      <Repair key={value.id} letter={value} afterwards={props.afterwards} />
    </section>
  )
}
