import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { propertiesJson, readHubHeaders, readPropertyBag } from './property-bag.ts'

const parsed = (json: string | undefined) => (json === undefined ? undefined : JSON.parse(json))

describe('a property bag', () => {
  it('gives back every name and value a client encoded', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
    const bag = fc.dictionary(text, fc.string({ unit: 'grapheme', maxLength: 12 }))
    fc.assert(
      fc.property(bag, (properties) => {
        const pairs = Object.entries(properties)
        const encoded = pairs
          .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
          .join('&')
        const { properties: json } = readPropertyBag(encoded)
        expect(new Map(Object.entries(parsed(json) ?? {}))).toEqual(new Map(pairs))
      }),
    )
  })

  it('is read in every form that clients send', () => {
    const read = (bag: string) => {
      const { messageId, properties } = readPropertyBag(bag)
      return [messageId, parsed(properties)]
    }
    expect(read('')).toEqual([undefined, undefined])
    expect(read('$.mid=m-1')).toEqual(['m-1', undefined])
    expect(read('%24.mid=m-1&%24.ct=application%2Fjson')).toEqual([
      'm-1',
      { '$.ct': 'application/json' },
    ])
    expect(read('?door=open&empty=&none/')).toEqual([
      undefined,
      { door: 'open', empty: '', none: null },
    ])
    expect(read('a=1+2&bad=%E0%A4&a=3')).toEqual([undefined, { a: '3', bad: '%E0%A4' }])
    expect(read(`$.mid=${'x'.repeat(129)}`)).toEqual([undefined, undefined])
    expect(parsed(readPropertyBag('', true).properties)).toEqual({ 'mqtt-retain': 'true' })
  })

  it('takes names that mean something to JavaScript for names', () => {
    const json = readPropertyBag('__proto__=a&constructor=b').properties
    expect(json).toBe('{"__proto__":"a","constructor":"b"}')
    expect(propertiesJson([])).toBeUndefined()
  })
})

describe('HTTPS headers', () => {
  it('give the same names as a bag', () => {
    const { messageId, properties } = readHubHeaders({
      'IoTHub-MessageId': 'm-2',
      'iothub-contenttype': 'application/json',
      'iothub-app-Door': 'open',
      authorization: 'SharedAccessSignature sig=secret',
      'content-type': 'application/json',
      count: 3,
    })
    expect(messageId).toBe('m-2')
    expect(parsed(properties)).toEqual({ '$.ct': 'application/json', Door: 'open' })
  })
})
