import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { IsothermError } from '../contracts/index.ts'
import {
  type BrokerSourceOptions,
  createGateway,
  type Gateway,
  ingestRoutes,
} from '../gateway/index.ts'
import {
  type Authentication,
  checkOpenMode,
  createHttpServer,
  type HttpServer,
  localOperator,
  tokenHash,
} from '../http/index.ts'
import { openLedger, readLedger } from '../ledger/index.ts'
import {
  type Deployment,
  developmentCertificate,
  importedContracts,
  type Operation,
  openDeadLetters,
  openQuality,
  type PipelineOutcome,
  rememberRecent,
  removeServerMarker,
  requireDiskRoom,
  serverMetrics,
  startOperation,
  writeServerMarker,
} from '../runtime/index.ts'
import { readApiTokens } from './api-tokens.ts'
import { serverLogger } from './server-logger.ts'

/** Where a server listens and how it behaves. */
export type ServeOptions = {
  readonly host: string
  readonly port: number
  /** Plain MQTT, for development; 0 switches it off. */
  readonly mqttPort: number
  /** MQTT over TLS; 0 switches it off. */
  readonly mqttsPort: number
  readonly hostNames: readonly string[]
  readonly commitSeconds: number
  /** PEM files; default: a certificate of our own, made on first start. */
  readonly tlsCertificate?: string
  readonly tlsKey?: string
  /** Messages a second and burst of one device, ING-12. */
  readonly deviceRate?: number
  readonly deviceBurst?: number
  /** Messages a second of all devices of a site together. */
  readonly tenantRate?: number
  /** Messages a second of all devices together, ING-12. */
  readonly totalRate?: number
  /** A broker that is there already, to take telemetry from. */
  readonly broker?: BrokerSourceOptions
  readonly logLevel: string
  readonly onRun?: (outcome: PipelineOutcome) => void
}

/** A server with everything running. */
export type RunningServer = {
  readonly url: string
  readonly operation: Operation
  readonly gateway: Gateway
  readonly http: HttpServer
  readonly close: () => Promise<void>
}

function builtConsole(): string | undefined {
  const manifest = fileURLToPath(import.meta.resolve('@isotherm/console/package.json'))
  const directory = join(dirname(manifest), 'dist')
  return existsSync(join(directory, 'index.html')) ? directory : undefined
}

async function certificateOf(deployment: Deployment, options: ServeOptions) {
  const { tlsCertificate, tlsKey } = options
  if (tlsCertificate === undefined || tlsKey === undefined) {
    const made = await developmentCertificate(
      deployment.folder.certificatesDirectory,
      options.hostNames,
      deployment.clock(),
    )
    return { cert: made.certificate, key: made.key }
  }
  try {
    return { cert: readFileSync(tlsCertificate, 'utf8'), key: readFileSync(tlsKey, 'utf8') }
  } catch (cause) {
    throw new IsothermError(
      'INPUT_INVALID',
      `--tls-cert and --tls-key: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    )
  }
}

/** Configured tokens, or open mode without any; the local commands get a token of their own. */
function authenticationOf(deployment: Deployment, localToken: string): Authentication {
  const tokens = readApiTokens(deployment.folder.directory)
  if (tokens.length === 0) return { kind: 'open' }
  return {
    kind: 'tokens',
    tokens: [...tokens, { sha256: tokenHash(localToken), identity: localOperator }],
  }
}

/** Starts gateway, pipeline, API and console of an open deployment. */
export async function serve(deployment: Deployment, options: ServeOptions): Promise<RunningServer> {
  const { fleet, lake, state, log, clock, folder } = deployment
  requireDiskRoom(folder.directory)
  const logger = serverLogger(options.logLevel)
  const stopping = new AbortController()
  const recent = await rememberRecent({
    logDirectory: folder.logDirectory,
    nowMs: clock(),
    signal: stopping.signal,
  })
  recent.whole.catch((error: unknown) => {
    logger.error({ error: String(error) }, 'older messages are not known as repeats')
  })
  const localToken = randomBytes(32).toString('base64url')
  const authentication = authenticationOf(deployment, localToken)
  checkOpenMode(authentication, options.host)
  const ledger = await openLedger({
    directory: folder.ledgerDirectory,
    log,
    lake,
    clock,
    auditMs: Math.min(60, options.commitSeconds) * 1_000,
    onFailure: (error) => logger.error({ error: String(error) }, 'the ledger is behind'),
  })
  const gateway = createGateway({
    log,
    books: ledger.books,
    fleet,
    clock,
    directory: state.credentials.identity,
    hub: state,
    provisioning: state.enrollments,
    hostNames: options.hostNames,
    duplicates: recent.window,
    logger,
    limits: {
      ...(options.deviceRate !== undefined && { deviceMessagesPerSecond: options.deviceRate }),
      ...(options.deviceBurst !== undefined && { deviceBurst: options.deviceBurst }),
      ...(options.tenantRate !== undefined && { tenantMessagesPerSecond: options.tenantRate }),
      ...(options.totalRate !== undefined && {
        deploymentMessagesPerSecond: options.totalRate,
        deploymentBurst: 2 * options.totalRate,
      }),
    },
  })
  gateway.clocks.onSuspicion((suspicion) =>
    logger.warn(suspicion, 'TIMEZONE_SUSPECT: the clock of a device seems to be in a wrong zone'),
  )
  gateway.onPresence((event) => logger.info(event, 'presence of a device'))
  // The pipeline may finish a run before the server that tells of it is there.
  let http: HttpServer | undefined
  const operation = await startOperation(deployment, {
    commitSeconds: options.commitSeconds,
    stopwatch: () => performance.now(),
    onRun: (outcome) => {
      options.onRun?.(outcome)
      const { scoring } = outcome
      if (scoring?.models.some(({ kind }) => kind === 'scored') !== true) return
      const at = new Date(scoring.scoredAtMs).toISOString()
      http?.publish({
        kind: 'run',
        stage: 'score',
        outcome: scoring.isPartial ? 'partial' : 'ok',
        at,
      })
      http?.publish({ kind: 'devices', device_ids: [] })
    },
    onFailure: (what, error) => logger.error({ what, error: String(error) }, 'stage failed'),
  })
  // A decision is carried out by the run that follows; its failure is the pipeline's.
  const runNow = () =>
    operation.run().catch((error: unknown) => {
      logger.error({ error: String(error) }, 'run after a decision failed')
    })
  const metrics = serverMetrics(gateway, operation, clock)
  const consoleDirectory = builtConsole()
  const certificate =
    options.tlsCertificate === undefined ? undefined : await certificateOf(deployment, options)
  http = await createHttpServer({
    fleet,
    lake,
    state,
    registry: deployment.models,
    deadLetters: openDeadLetters(deployment),
    clocks: gateway.clocks,
    ledger: (query) => readLedger(folder.ledgerDirectory, query),
    features: operation.features,
    contracts: () => importedContracts(folder.directory),
    quality: openQuality(deployment, () => void runNow()),
    clock,
    authentication,
    metrics: () => [metrics.text()],
    components: () => [
      ...operation.health().map(({ stage, failure, lastEndMs }) => ({
        name: stage,
        state: failure === undefined ? ('ok' as const) : ('failed' as const),
        detail: failure ?? `last run ended ${new Date(lastEndMs ?? 0).toISOString()}`,
      })),
      ...operation.logWatch.findings(),
    ],
    callMethod: gateway.callMethod,
    onPresence: gateway.onPresence,
    ingestRoutes: (app) => ingestRoutes(app, gateway),
    ...(consoleDirectory !== undefined && { consoleDirectory }),
    ...(certificate !== undefined && { tls: certificate }),
    onFailure: ({ requestId, error }) => logger.error({ requestId, error: String(error) }, 'http'),
  })
  const close = async () => {
    stopping.abort()
    metrics.close()
    await gateway.close()
    await http.close()
    await ledger.close()
    await operation.close()
    removeServerMarker(folder.directory)
  }
  try {
    const tls = options.mqttsPort === 0 ? undefined : await certificateOf(deployment, options)
    const { host, mqttPort, mqttsPort } = options
    gateway.takeWebSockets(http.app.server)
    if (mqttPort !== 0) await gateway.listenMqtt({ host, port: mqttPort })
    if (tls !== undefined) await gateway.listenMqtt({ host, port: mqttsPort, tls })
    if (options.broker !== undefined) gateway.consumeBroker(options.broker)
    const url = await http.listen({ host, port: options.port })
    writeServerMarker(folder.directory, {
      url,
      token: localToken,
      processId: process.pid,
      ...(certificate !== undefined && { certificate: certificate.cert }),
    })
    return { url, operation, gateway, http, close }
  } catch (error) {
    await close()
    throw error
  }
}
