import { useEffect, useRef } from 'preact/hooks'

const rows: readonly (readonly [keys: readonly string[], what: string])[] = [
  [['j', 'k'], 'next, previous alert'],
  [['Enter'], 'open the unit'],
  [['a'], 'acknowledge'],
  [['s'], 'start work'],
  [['r'], 'resolve'],
  [['f'], 'false positive'],
  [['/'], 'search'],
  [['1', '2', '3'], 'work list, fleet, dead letters'],
  [['t'], 'light or dark'],
  [['Esc'], 'close or leave the search'],
  [['?'], 'this help'],
]

/** The keys of the console. */
export function HelpDialog({ onClose }: { readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} class="dialog" onClose={onClose} aria-labelledby="help-title">
      <h2 id="help-title">Keys</h2>
      <dl class="keys">
        {rows.map(([keys, what]) => (
          <div key={what}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p class="muted">
        A score from 0 to 1 says how unusual the behaviour is compared with what the unit, its kind
        or the fleet did before. It is no probability of a failure.
      </p>
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
    </dialog>
  )
}
