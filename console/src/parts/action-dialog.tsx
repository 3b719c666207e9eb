import type { AlertActionPath } from 'isotherm/http'
import { useEffect, useRef, useState } from 'preact/hooks'
import {
  type ActionForm,
  actionForm,
  type FormField,
  formBody,
  formFault,
} from '../view/action-form.ts'

function Field({ field, isFirst }: { readonly field: FormField; readonly isFirst: boolean }) {
  if (field.kind === 'choice') {
    return (
      <fieldset class="choices">
        <legend>{field.label}</legend>
        {field.options.map((option, index) => (
          <label key={option.value} class="choice">
            <input
              type="radio"
              name={field.name}
              value={option.value}
              autofocus={isFirst && index === 0}
            />
            <span>{option.text}</span>
          </label>
        ))}
      </fieldset>
    )
  }
  if (field.kind === 'check') {
    return (
      <label class="check">
        <input type="checkbox" name={field.name} />
        <span>{field.label}</span>
      </label>
    )
  }
  return (
    <label class="field">
      <span>{field.label}</span>
      <textarea
        name={field.name}
        rows={field.minLength === 0 ? 1 : 3}
        maxLength={2000}
        placeholder={field.placeholder}
        autofocus={isFirst}
      />
    </label>
  )
}

/** Asks for what an action needs. Escape closes it, the browser keeps the focus inside. */
export function ActionDialog(props: {
  readonly action: AlertActionPath
  readonly subject: string
  readonly onSend: (body: Readonly<Record<string, string | boolean>>) => void
  readonly onClose: () => void
}) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [fault, setFault] = useState<string>()
  const form = actionForm(props.action)
  useEffect(() => dialog.current?.showModal(), [])
  if (form === undefined) return null
  const send = (event: SubmitEvent, shape: ActionForm) => {
    event.preventDefault()
    const data = new FormData(event.currentTarget as HTMLFormElement)
    const values = Object.fromEntries([...data].map(([name, value]) => [name, String(value)]))
    const found = formFault(shape, values)
    setFault(found)
    if (found === undefined) props.onSend(formBody(shape, values))
  }
  return (
    <dialog ref={dialog} class="dialog" onClose={props.onClose} aria-labelledby="dialog-title">
      <form onSubmit={(event) => send(event, form)} noValidate>
        <h2 id="dialog-title">{form.title}</h2>
        <p class="muted">{props.subject}</p>
        {form.fields.map((field, index) => (
          <Field key={field.name} field={field} isFirst={index === 0} />
        ))}
        <p class="form-fault" role="alert">
          {fault}
        </p>
        <div class="dialog-buttons">
          <button type="button" class="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" class="button primary">
            {form.submit}
          </button>
        </div>
      </form>
    </dialog>
  )
}
