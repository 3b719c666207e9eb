import { type Command, Option } from 'commander'
import { IsothermError } from '../../contracts/index.ts'
import { type Role, roles } from '../../objects/index.ts'
import { addApiToken, readApiTokens } from '../api-tokens.ts'
import { type CommonOptions, command, requireDataFolder } from '../program.ts'

type TokenOptions = CommonOptions & { readonly role: Role; readonly site?: readonly string[] }

/** `isotherm tokens ...`: who may use API and console. */
export function addTokens(program: Command): void {
  const tokens = program.command('tokens').description('people who may use API and console')
  command<TokenOptions>(
    tokens,
    'add <name>',
    'create a token for a person; printed once. From the first one on, everybody needs one',
    [
      new Option('--role <role>', 'what the person may do').choices(roles).default('operator'),
      new Option('--site <ids...>', 'only these sites'),
    ],
    async (options, output, [name = '']) => {
      const id = name
        .trim()
        .toLowerCase()
        .replaceAll(/[^a-z0-9]+/g, '-')
      if (id === '') throw new IsothermError('INPUT_INVALID', 'give the name of the person')
      const { role, site } = options
      const person = { id, name, role, ...(site !== undefined && { siteIds: site }) }
      output.records([{ id, role, token: addApiToken(options.data, person) }])
      output.line('restart `isotherm up` to let the token in')
    },
  )
  command<CommonOptions>(
    tokens,
    'list',
    'list people with a token',
    [],
    async (options, output) => {
      output.records(
        readApiTokens(requireDataFolder(options.data)).map(({ identity }) => ({
          id: identity.id,
          name: identity.name,
          role: identity.role,
          sites: identity.siteIds?.join(', ') ?? 'all',
        })),
      )
    },
  )
}
