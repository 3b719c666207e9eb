import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { IsothermError } from '../../contracts/index.ts'
import { type CommonOptions, command } from '../program.ts'
import { withTrust } from '../registry-access.ts'

type Shown = {
  readonly authorities: readonly { readonly thumbprint: string; readonly subject: string }[]
  readonly revocations: readonly { readonly certificate: string; readonly reason: string }[]
  readonly policies: readonly string[]
}

function pemOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new IsothermError('INPUT_INVALID', `${path}: ${reason}`, { cause })
  }
}

function addRevocations(trust: Command): void {
  command<CommonOptions & { readonly reason: string }>(
    trust,
    'revoke <certificate>',
    'revoke a certificate by thumbprint or serial number; its session ends at once',
    [new Option('--reason <text>', 'kept with it').default('')],
    async (options, output, [certificate = '']) => {
      const { reason } = options
      await withTrust(options, {
        path: '/revocations',
        body: { certificate, reason },
        direct: (own) => own.revoke(certificate, reason),
      })
      output.records([{ certificate, revoked: true }])
    },
  )
  command<CommonOptions>(
    trust,
    'restore <certificate>',
    'take a certificate off the revocation list',
    [],
    async (options, output, [certificate = '']) => {
      const { done } = await withTrust(options, {
        path: '/revocations/restore',
        body: { certificate },
        direct: async (own) => ({ done: await own.restore(certificate) }),
      })
      output.records([{ certificate, restored: done }])
    },
  )
}

function addPolicies(trust: Command): void {
  command<CommonOptions>(
    trust,
    'add-policy <name>',
    'make a policy whose tokens let any device connect, or new keys for it; printed once',
    [],
    async (options, output, [name = '']) => {
      const made = await withTrust(options, {
        path: '/policies',
        body: { name },
        direct: async (own) => {
          const [primary, secondary] = await own.setPolicy(name)
          return { name, primary_key: primary, secondary_key: secondary }
        },
      })
      output.records([made])
    },
  )
  command<CommonOptions>(
    trust,
    'remove-policy <name>',
    'remove a policy; sessions that rest on it end',
    [],
    async (options, output, [name = '']) => {
      const { done } = await withTrust(options, {
        path: '/policies/remove',
        body: { name },
        direct: async (own) => ({ done: await own.removePolicy(name) }),
      })
      output.records([{ policy: name, removed: done }])
    },
  )
}

/** `isotherm trust ...`: certificate authorities, revocations and shared access policies. */
export function addTrust(program: Command): void {
  const trust = program.command('trust').description('what devices are let in by')
  command<CommonOptions>(
    trust,
    'list',
    'authorities, revoked certificates and policies',
    [],
    async (options, output) => {
      const shown = await withTrust<Shown>(options, {
        path: '',
        direct: (own) => ({
          authorities: own.authorities().map(({ thumbprint, certificate }) => ({
            thumbprint,
            subject: new X509Certificate(certificate).subject.replaceAll('\n', ', '),
          })),
          revocations: own.revocations(),
          policies: own.policyNames(),
        }),
      })
      output.records([
        ...shown.authorities.map(({ thumbprint, subject }) => ({
          kind: 'authority',
          name: thumbprint,
          about: subject,
        })),
        ...shown.revocations.map(({ certificate, reason }) => ({
          kind: 'revoked',
          name: certificate,
          about: reason,
        })),
        ...shown.policies.map((name) => ({ kind: 'policy', name, about: '' })),
      ])
    },
  )
  command<CommonOptions>(
    trust,
    'add-authority <file>',
    'register a certificate authority of devices (PEM)',
    [],
    async (options, output, [path = '']) => {
      const certificate = pemOf(path)
      const { thumbprint } = await withTrust(options, {
        path: '/authorities',
        body: { certificate },
        direct: (own) => own.addAuthority(certificate),
      })
      output.records([{ thumbprint }])
    },
  )
  command<CommonOptions>(
    trust,
    'remove-authority <thumbprint>',
    'trust an authority no longer; sessions that rest on it end',
    [],
    async (options, output, [certificate = '']) => {
      const { done } = await withTrust(options, {
        path: '/authorities/remove',
        body: { certificate },
        direct: async (own) => ({ done: await own.removeAuthority(certificate) }),
      })
      output.records([{ thumbprint: certificate, removed: done }])
    },
  )
  addRevocations(trust)
  addPolicies(trust)
}
