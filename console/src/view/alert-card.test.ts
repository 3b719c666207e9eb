import { describe, expect, it } from 'vitest'
import { alertCard } from './alert-card.ts'
import { contributorLine } from './contributor-line.ts'
import { exampleAlert, exampleContributor, exampleNowMs } from './test-support.ts'

describe('the card of an alert, OBJ-41', () => {
  const card = alertCard(exampleAlert(), exampleNowMs)

  it('says what, where, since when, until when and on what evidence', () => {
    expect(card).toMatchObject({
      severityWord: 'High',
      title: 'Evaporator is warming',
      place: 'Oslo Harbour · Borealis 120',
      since: 'for 2 h',
      countdown: { text: '2 h left', urgency: 'calm' },
      evidence: '2 models agree · score 0.93',
    })
  })
  it('says why: each reason with value, distance and normal range in units', () => {
    expect(card.lines).toHaveLength(1)
    expect(card.lines[0]).toMatchObject({
      label: 'Mean evaporator temperature',
      value: '−8.0 °C',
      normal: 'normal −25.0 to −19.0 °C',
      scope: 'for this unit',
      excess: '+11.0 °C',
      words: 'far above normal',
    })
    expect(card.lines[0]?.bar?.isOutside).toBe(true)
  })
  it('offers what the person may do, the next step first', () => {
    expect(card.actions).toEqual(['acknowledge', 'resolve', 'false-positive', 'confirm'])
    expect(alertCard(exampleAlert({ allowed_actions: [] }), exampleNowMs).actions).toEqual([])
  })
  it('names a live rule and low confidence in plain words', () => {
    const rule = alertCard(
      exampleAlert({ model_id: 'streaming_rules', anomaly_score: null, breach_count: 4 }),
      exampleNowMs,
    )
    expect(rule.evidence).toBe('live rule · seen 4 times')
    const unsure = alertCard(exampleAlert({ confidence: 'low' }), exampleNowMs)
    expect(unsure.evidence).toContain('low confidence')
  })
  it('never speaks of a probability', () => {
    expect(JSON.stringify(card)).not.toMatch(/probab|likel|risk|chance/i)
  })
  it('leaves out reasons without a value: the description tells those', () => {
    const silent = { ...exampleContributor, value: null, normal: null }
    expect(alertCard(exampleAlert({ contributors: [silent] }), exampleNowMs).lines).toEqual([])
  })
})

describe('the line of a reason', () => {
  it('shows shares in percent', () => {
    const line = contributorLine({
      ...exampleContributor,
      feature: 'door_open_fraction',
      label: 'share of time door open',
      unit: '',
      value: 0.55,
      normal: { median: 0.1, low: 0, high: 0.2, spread: 0.1, scope: 'fleet' },
    })
    expect(line).toMatchObject({ value: '55 %', normal: 'normal 0 to 20 %', excess: '+35 %' })
  })
  it('reads as one sentence to a screen reader', () => {
    expect(contributorLine(exampleContributor).spoken).toBe(
      'Mean evaporator temperature −8.0 °C, far above normal, normal −25.0 to −19.0 °C for this unit',
    )
  })
  it('says at least the direction when nothing else is known', () => {
    const line = contributorLine({ ...exampleContributor, value: null, normal: null })
    expect(line).toMatchObject({ words: 'unusually high', bar: undefined })
  })
})
