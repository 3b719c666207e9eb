import { scoreText } from '../view/number-text.ts'

/** Score above which a unit deserves a look, OBJ-4. */
const noticeable = 0.7
const flagged = 0.6

/** A score as a number with a short bar. */
export function ScoreCell({ score }: { readonly score: number | null }) {
  const level = (score ?? 0) > noticeable ? 'high' : (score ?? 0) > flagged ? 'raised' : 'usual'
  return (
    <span class={`score ${level}`}>
      <span class="score-number">{scoreText(score)}</span>
      <svg viewBox="0 0 60 6" preserveAspectRatio="none" aria-hidden="true">
        <rect width="60" height="6" rx="3" class="track" />
        <rect width={Math.max(0, (score ?? 0) * 60)} height="6" rx="3" class="fill" />
        <rect x={flagged * 60 - 0.5} width="1" height="6" class="limit" />
      </svg>
    </span>
  )
}
