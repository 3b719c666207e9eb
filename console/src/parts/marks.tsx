import type { AlertView } from 'isotherm/http'
import type { Health } from '../view/fleet-rows.ts'

/** Severity as a shape and a colour: an octagon, a triangle, a square, a circle. */
export function SeverityMark({ severity }: { readonly severity: AlertView['severity'] }) {
  return (
    <svg class={`mark severity-${severity.toLowerCase()}`} viewBox="0 0 20 20" aria-hidden="true">
      {severity === 'CRITICAL' && (
        <>
          <path d="M6.3 1h7.4L19 6.3v7.4L13.7 19H6.3L1 13.7V6.3z" fill="currentColor" />
          <path d="M10 5v6.2" class="glyph" />
          <circle cx="10" cy="14.4" r="1.3" class="glyph-dot" />
        </>
      )}
      {severity === 'HIGH' && (
        <>
          <path d="M10 1.8 19.2 18H.8z" fill="currentColor" stroke-linejoin="round" />
          <path d="M10 7.5v5" class="glyph" />
          <circle cx="10" cy="15.3" r="1.15" class="glyph-dot" />
        </>
      )}
      {severity === 'MEDIUM' && (
        <rect x="3" y="3" width="14" height="14" rx="2.5" fill="currentColor" />
      )}
      {severity === 'LOW' && (
        <circle cx="10" cy="10" r="6.5" fill="none" stroke="currentColor" stroke-width="2.4" />
      )}
    </svg>
  )
}

/** Health as a shape and a colour; the same shapes as on the picture of the fleet. */
export function HealthMark({ health }: { readonly health: Health }) {
  return (
    <svg class={`mark health-${health}`} viewBox="0 0 20 20" aria-hidden="true">
      {health === 'healthy' && (
        <path d="M10 2.5 16.5 6.25v7.5L10 17.5 3.5 13.75v-7.5z" fill="currentColor" />
      )}
      {health === 'warning' && <path d="M10 2 18.8 17.5H1.2z" fill="currentColor" />}
      {health === 'critical' && (
        <>
          <path d="M10 .5 19.5 10 10 19.5.5 10z" fill="currentColor" />
          <path d="M10 5.5v5" class="glyph" />
          <circle cx="10" cy="13.6" r="1.2" class="glyph-dot" />
        </>
      )}
      {health === 'offline' && (
        <path
          d="M10 3.2 16 6.7v6.6L10 16.8 4 13.3V6.7z"
          fill="none"
          stroke="currentColor"
          stroke-width="2"
          stroke-dasharray="3 2.2"
        />
      )}
    </svg>
  )
}
