import type { AlertActionPath } from 'isotherm/http'

/** One field of an action's form. */
export type FormField =
  | {
      readonly kind: 'choice'
      readonly name: string
      readonly label: string
      readonly options: readonly { readonly value: string; readonly text: string }[]
    }
  | {
      readonly kind: 'text'
      readonly name: string
      readonly label: string
      readonly placeholder: string
      /** Characters that are needed; 0 if it may stay empty. */
      readonly minLength: number
    }
  | { readonly kind: 'check'; readonly name: string; readonly label: string }

/** What is asked before an action is done; no fields: it is done at once. */
export type ActionForm = {
  readonly title: string
  readonly submit: string
  readonly fields: readonly FormField[]
}

const inspected: FormField = {
  kind: 'check',
  name: 'inspected_on_site',
  label: 'I looked at the unit on site',
}

const forms: Readonly<Partial<Record<AlertActionPath, ActionForm>>> = {
  resolve: {
    title: 'Resolve the alert',
    submit: 'Resolve',
    fields: [
      {
        kind: 'choice',
        name: 'resolution_code',
        label: 'What was it?',
        options: [
          { value: 'REPAIRED', text: 'Repaired' },
          { value: 'NO_FAULT_FOUND', text: 'No fault found' },
          { value: 'PLANNED_ACTIVITY', text: 'Planned activity' },
          { value: 'DEVICE_REMOVED', text: 'Unit removed' },
          { value: 'DUPLICATE', text: 'Same as another alert' },
        ],
      },
      {
        kind: 'text',
        name: 'resolution_notes',
        label: 'What was found and done',
        placeholder: 'Condenser coil was iced over, cleaned it',
        minLength: 1,
      },
      {
        kind: 'text',
        name: 'failure_mode',
        label: 'Failure mode, if repaired',
        placeholder: 'refrigerant_leak',
        minLength: 0,
      },
      inspected,
    ],
  },
  'false-positive': {
    title: 'This was no fault',
    submit: 'Mark as false positive',
    fields: [
      {
        kind: 'choice',
        name: 'reason_code',
        label: 'What was it then?',
        options: [
          { value: 'DEFROST', text: 'Defrost' },
          { value: 'DOOR', text: 'Door was open' },
          { value: 'SENSOR_FAULT', text: 'A sensor is faulty' },
          { value: 'PLANNED_WORK', text: 'Planned work' },
          { value: 'USER_BEHAVIOR', text: 'How it was used' },
          { value: 'SEASON', text: 'Season or weather' },
          { value: 'OTHER', text: 'Something else' },
        ],
      },
      {
        kind: 'text',
        name: 'reason',
        label: 'Say why, so that the model can learn from it',
        placeholder: 'Delivery in the morning, doors were open for half an hour',
        minLength: 10,
      },
      inspected,
    ],
  },
  reopen: {
    title: 'Open the alert again',
    submit: 'Reopen',
    fields: [
      {
        kind: 'text',
        name: 'reason',
        label: 'Why',
        placeholder: 'The unit is warming up again',
        minLength: 1,
      },
    ],
  },
}

/** Words on the button of an action. */
export const actionWords: Readonly<Record<AlertActionPath, string>> = {
  acknowledge: 'Acknowledge',
  assign: 'Assign',
  start: 'Start work',
  resolve: 'Resolve',
  'false-positive': 'False positive',
  confirm: 'Confirm',
  reopen: 'Reopen',
  escalate: 'Escalate',
}

/** What the page says once an action is done. */
export const doneWords: Readonly<Record<AlertActionPath, string>> = {
  acknowledge: 'Acknowledged',
  assign: 'Assigned',
  start: 'Work started',
  resolve: 'Resolved',
  'false-positive': 'Marked as false positive',
  confirm: 'Confirmed as unusual',
  reopen: 'Opened again',
  escalate: 'Escalated',
}

/** The form of an action, or undefined if it needs none. */
export function actionForm(action: AlertActionPath): ActionForm | undefined {
  return forms[action]
}

/** First thing that is missing in a filled form, in words; undefined when it can be sent. */
export function formFault(
  form: ActionForm,
  values: Readonly<Record<string, string>>,
): string | undefined {
  for (const field of form.fields) {
    if (field.kind === 'check') continue
    const value = (values[field.name] ?? '').trim()
    if (field.kind === 'choice' && value === '') return `Choose an answer to: ${field.label}`
    if (field.kind === 'text' && value.length < field.minLength) {
      return field.minLength === 1
        ? `Fill in: ${field.label}`
        : `${field.label}: at least ${field.minLength} characters`
    }
  }
  return undefined
}

/** Body of the request: only what was filled in, checks as booleans. */
export function formBody(
  form: ActionForm,
  values: Readonly<Record<string, string>>,
): Readonly<Record<string, string | boolean>> {
  const entries = form.fields.flatMap((field): [string, string | boolean][] => {
    const value = (values[field.name] ?? '').trim()
    if (field.kind === 'check') return value === 'on' ? [[field.name, true]] : []
    return value === '' ? [] : [[field.name, value]]
  })
  return Object.fromEntries(entries)
}
