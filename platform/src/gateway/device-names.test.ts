import { expect, test } from 'vitest'
import { isDeviceId, parseHubUsername } from './device-names.ts'
import { readPropertyBag } from './property-bag.ts'

const messageIdOf = (bag: string) => readPropertyBag(bag).messageId

test('the user names real clients send name their host and client id', () => {
  const usernames = [
    'localhost/dev1/?api-version=2021-04-12&DeviceClientType=azure-iot-device%2F1.18.4%20(node)',
    'localhost/dev1/?api-version=2021-04-12&model-id=dtmi:isotherm:fridge;1&DeviceClientType=x/y',
    'localhost/dev1/api-version=2016-11-14',
    'localhost/dev1/',
    'localhost/dev1',
    'localhost/dev1?api-version=2018-06-30',
  ]
  for (const username of usernames) {
    expect(parseHubUsername(username)).toEqual({ hostName: 'localhost', clientId: 'dev1' })
  }
  expect(parseHubUsername('h.example.com/dev1/mod1/?api-version=2020-09-30')).toEqual({
    hostName: 'h.example.com',
    clientId: 'dev1/mod1',
  })
  for (const username of ['plain-user', '', '/dev1', 'host/']) {
    expect(parseHubUsername(username)).toBeUndefined()
  }
})

test('the message id is found in every form of property bag', () => {
  expect(messageIdOf('%24.mid=m1&%24.cid=c1&level=normal%20%26%20hot')).toBe('m1')
  expect(messageIdOf('a=1&$.mid=a%2Fb+c')).toBe('a/b+c')
  expect(messageIdOf('?$.mid=m1/')).toBe('m1')
  expect(messageIdOf('%24.ct=application%2Fjson&%24.mid=m2/')).toBe('m2')
  expect(messageIdOf('$.mid=100%')).toBe('100%')
})

test('a bag without a usable message id has none', () => {
  const bags = ['', 'a=1', '$.mid', '$.mid=', 'x$.mid=1', `$.mid=${'m'.repeat(129)}`]
  for (const bag of bags) expect(messageIdOf(bag)).toBeUndefined()
})

test('device ids are those of ING-3', () => {
  for (const id of ['REF-US-W-00042371', 'a.b_c:d', 'x'.repeat(128)]) {
    expect(isDeviceId(id)).toBe(true)
  }
  for (const id of ['', 'a b', 'a/b', 'a+b', 'x'.repeat(129), 'ä'])
    expect(isDeviceId(id)).toBe(false)
})
