import type { NormalBar } from '../view/normal-bar.ts'

/** A value beside its normal range: a soft band and a marker. The text beside it says the same. */
export function ValueBar({ bar }: { readonly bar: NormalBar }) {
  const x = (share: number) => 2 + share * 96
  const start = x(bar.bandStart)
  return (
    <svg class="value-bar" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">
      <rect x="0" y="4.5" width="100" height="3" rx="1.5" class="track" />
      <rect
        x={start}
        y="2.5"
        width={Math.max(2, x(bar.bandEnd) - start)}
        height="7"
        rx="1.5"
        class="band"
      />
      <rect
        x={x(bar.marker) - 1.1}
        y="0"
        width="2.2"
        height="12"
        rx="1"
        class={bar.isOutside ? 'marker outside' : 'marker'}
      />
    </svg>
  )
}
