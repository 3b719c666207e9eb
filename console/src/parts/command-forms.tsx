import type { MethodAnswer } from 'isotherm/http'
import { useState } from 'preact/hooks'
import { type Answer, patchJson, postJson } from '../api/request.ts'
import { useConsole } from '../use-console.ts'
import { typedJson } from '../view/twin-rows.ts'

type FormProps = { readonly base: string; readonly afterwards: () => void }

/** Sends one command at a time and says what came of it. */
function useCommand(afterwards: () => void) {
  const { say } = useConsole()
  const [isBusy, setBusy] = useState(false)
  const run = async <T,>(work: () => Promise<Answer<T>>, done: (value: T) => string) => {
    setBusy(true)
    const answer = await work()
    setBusy(false)
    if (answer.kind === 'failed') say(answer.reason, 'failed')
    else say(done(answer.value))
    afterwards()
    return answer.kind === 'ready'
  }
  return { isBusy, run, say }
}

/** Asks for other desired properties. */
export function DesiredForm({ base, afterwards }: FormProps) {
  const { isBusy, run, say } = useCommand(afterwards)
  const [text, setText] = useState('')
  const send = async () => {
    const typed = typedJson(text)
    if (typed.kind === 'wrong') return say(`This is no JSON: ${typed.why}`, 'failed')
    const body = { properties: { desired: typed.value } }
    const isDone = await run(
      () => patchJson<unknown>(`${base}/twin`, body),
      () => 'The desired properties were changed',
    )
    if (isDone) setText('')
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        void send()
      }}
    >
      <label class="field">
        <span>Desired properties to merge, as JSON; null deletes</span>
        <textarea
          rows={2}
          spellcheck={false}
          placeholder={'{"setpoint": -18}'}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <button class="button" type="submit" disabled={isBusy || text.trim() === ''}>
        Change
      </button>
    </form>
  )
}

/** Queues a message. */
export function MessageForm({ base, afterwards }: FormProps) {
  const { isBusy, run } = useCommand(afterwards)
  const [text, setText] = useState('')
  const send = async () => {
    const isDone = await run(
      () => postJson<unknown>(`${base}/messages`, { body: text }, crypto.randomUUID()),
      () => 'The message is queued',
    )
    if (isDone) setText('')
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        void send()
      }}
    >
      <label class="field">
        <span>Message to the unit; it waits up to an hour for it</span>
        <textarea rows={2} value={text} onInput={(event) => setText(event.currentTarget.value)} />
      </label>
      <button class="button" type="submit" disabled={isBusy || text === ''}>
        Send
      </button>
    </form>
  )
}

/** Calls a method and shows what the unit answers. */
export function MethodForm({ base, afterwards }: FormProps) {
  const { isBusy, run, say } = useCommand(afterwards)
  const [name, setName] = useState('')
  const [text, setText] = useState('')
  const [answer, setAnswer] = useState<MethodAnswer>()
  const send = async () => {
    const typed = typedJson(text)
    if (typed.kind === 'wrong') return say(`This is no JSON: ${typed.why}`, 'failed')
    setAnswer(undefined)
    // The console waits 20 s for an answer of the server; the unit gets a little less.
    const body = { methodName: name, payload: typed.value, responseTimeoutInSeconds: 15 }
    await run(
      () => postJson<MethodAnswer>(`${base}/methods`, body, crypto.randomUUID()),
      (value) => {
        setAnswer(value)
        return `${name} was answered with status ${value.status}`
      },
    )
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        void send()
      }}
    >
      <label class="field">
        <span>Method</span>
        <input
          type="text"
          autocomplete="off"
          value={name}
          onInput={(event) => setName(event.currentTarget.value.trim())}
        />
      </label>
      <label class="field">
        <span>Payload, as JSON</span>
        <textarea
          rows={2}
          spellcheck={false}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <button class="button" type="submit" disabled={isBusy || name === ''}>
        {isBusy ? 'Waiting for the unit …' : 'Call'}
      </button>
      {answer !== undefined && (
        <pre class="method-answer">
          {answer.status} {JSON.stringify(answer.payload, undefined, 2)}
        </pre>
      )}
    </form>
  )
}
