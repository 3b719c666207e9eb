import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const referees = join(import.meta.dirname, '..', 'referees', 'package.json')

/** A message of the SDK. */
export type SdkMessage = {
  messageId: string
  correlationId: string
  contentType: string
  contentEncoding: string
  readonly expiryTimeUtc: unknown
  readonly properties: {
    add(name: string, value: string): void
    getValue(name: string): string | undefined
    readonly propertyList: readonly { readonly key: string; readonly value: string }[]
  }
  getData(): Buffer
}

type DesiredListener = (delta: Readonly<Record<string, unknown>>) => void

/** The twin as the SDK shows it. */
export type SdkTwin = {
  readonly properties: {
    readonly desired: Readonly<Record<string, unknown>>
    readonly reported: {
      update(patch: object, done: (error?: Error) => void): void
    }
  }
  on(event: 'properties.desired', listener: DesiredListener): void
}

type MethodRequest = { readonly methodName: string; readonly payload: unknown }
type MethodResponse = {
  send(status: number, payload: unknown, done: (error?: Error) => void): void
}

/** The part of the Azure SDK's device client that is used. */
export type SdkClient = {
  setOptions(options: { readonly ca: string; readonly http?: object }): Promise<unknown>
  open(): Promise<unknown>
  close(): Promise<unknown>
  sendEvent(message: SdkMessage): Promise<unknown>
  sendEventBatch(messages: readonly SdkMessage[]): Promise<unknown>
  complete(message: SdkMessage): Promise<unknown>
  reject(message: SdkMessage): Promise<unknown>
  abandon(message: SdkMessage): Promise<unknown>
  getTwin(): Promise<SdkTwin>
  onDeviceMethod(
    name: string,
    listener: (request: MethodRequest, response: MethodResponse) => void,
  ): void
  on(event: 'message', listener: (message: SdkMessage) => void): void
  on(event: 'error' | 'disconnect', listener: (error: unknown) => void): void
}

/** The registration a device gets from the provisioning service. */
export type SdkRegistration = { readonly assignedHub: string; readonly deviceId: string }

type ProvisioningClient = {
  register(): Promise<SdkRegistration>
}

/** The Azure device SDKs: referees, not dependencies. */
export type DeviceSdk = {
  readonly Client: {
    fromConnectionString(text: string, transport: unknown): SdkClient
    fromAuthenticationProvider(provider: unknown, transport: unknown): SdkClient
  }
  readonly Message: new (data: string) => SdkMessage
  readonly KeyProvider: {
    fromConnectionString(text: string, validS: number, marginS: number): unknown
  }
  readonly Mqtt: unknown
  readonly MqttWs: unknown
  readonly Http: unknown
  /** A provisioning client over MQTT for a device with a symmetric key. */
  readonly provisioning: (options: {
    readonly host: string
    readonly idScope: string
    readonly registrationId: string
    readonly key: string
  }) => ProvisioningClient
}

type Exports = Readonly<Record<string, unknown>>

/** The installed SDKs, or undefined before `npm run setup:referees`. */
export function deviceSdk(): DeviceSdk | undefined {
  const require = createRequire(referees)
  const names = ['azure-iot-device', 'azure-iot-device-http', 'azure-iot-provisioning-device-mqtt']
  const folder = join(referees, '..', 'node_modules')
  if (!names.every((name) => existsSync(join(folder, name)))) return undefined
  const load = (name: string) => require(name) as Exports
  const device = load('azure-iot-device')
  const mqtt = load('azure-iot-device-mqtt')
  const Transport = load('azure-iot-provisioning-device-mqtt').Mqtt as new () => unknown
  const Key = load('azure-iot-security-symmetric-key').SymmetricKeySecurityClient as new (
    registrationId: string,
    key: string,
  ) => unknown
  const registration = load('azure-iot-provisioning-device').ProvisioningDeviceClient as {
    create(host: string, idScope: string, transport: unknown, security: unknown): ProvisioningClient
  }
  return {
    Client: device.Client as DeviceSdk['Client'],
    Message: device.Message as DeviceSdk['Message'],
    KeyProvider: device.SharedAccessKeyAuthenticationProvider as DeviceSdk['KeyProvider'],
    Mqtt: mqtt.Mqtt,
    MqttWs: mqtt.MqttWs,
    Http: load('azure-iot-device-http').Http,
    provisioning: ({ host, idScope, registrationId, key }) =>
      registration.create(host, idScope, new Transport(), new Key(registrationId, key)),
  }
}
