import type { ComponentChildren } from 'preact'

/** Placeholder of the size of what will come, so that nothing jumps. */
export function Loading({ rows, height }: { readonly rows: number; readonly height: number }) {
  return (
    <div class="loading" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} class="skeleton" style={{ height: `${height}px` }} />
      ))}
    </div>
  )
}

/** Nothing is there, and that is an answer. */
export function Empty(props: {
  readonly title: string
  readonly children?: ComponentChildren
  readonly isGood?: boolean
}) {
  return (
    <div class={props.isGood === true ? 'state good' : 'state'}>
      <svg viewBox="0 0 48 48" aria-hidden="true">
        <path d="M24 4 41 14v20L24 44 7 34V14z" />
        {props.isGood === true ? <path d="m16 24 6 6 11-12" /> : <path d="M17 24h14" />}
      </svg>
      <h2>{props.title}</h2>
      {props.children}
    </div>
  )
}

/** Something could not be read: what, and the way on. */
export function Failed({ reason, retry }: { readonly reason: string; readonly retry: () => void }) {
  return (
    <div class="state failed" role="alert">
      <svg viewBox="0 0 48 48" aria-hidden="true">
        <path d="M24 4 41 14v20L24 44 7 34V14z" />
        <path d="M24 15v11M24 32v1" />
      </svg>
      <h2>This could not be read</h2>
      <p>{reason}</p>
      <button type="button" class="button" onClick={retry}>
        Try again
      </button>
    </div>
  )
}

/** What is shown is older than it should be. */
export function Late({ children }: { readonly children: ComponentChildren }) {
  return (
    <p class="late" role="status">
      {children}
    </p>
  )
}
