import { z } from 'zod'
import type { Route } from './route.ts'

type Json = Readonly<Record<string, unknown>>

const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  instance: z.string().optional(),
  where: z.string().optional(),
  expected: z.string().optional(),
  found: z.string().optional(),
  what_to_do: z.string().optional(),
  request_id: z.string().optional(),
})

function jsonSchemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}

function parametersOf(schema: z.ZodObject | undefined, place: 'path' | 'query'): readonly Json[] {
  if (schema === undefined) return []
  return Object.entries(schema.shape).map(([name, field]) => {
    const { description, ...rest } = jsonSchemaOf(field as z.ZodType, 'input')
    return {
      name,
      in: place,
      required: place === 'path' || !(field as z.ZodType).safeParse(undefined).success,
      ...(description === undefined ? {} : { description }),
      schema: rest,
    }
  })
}

const idempotencyKey: Json = {
  name: 'Idempotency-Key',
  in: 'header',
  required: true,
  description: 'A repeat with the same key gets the first result, OBJ-3',
  schema: { type: 'string', minLength: 8, maxLength: 200 },
}

function operationOf(route: Route): Json {
  const problem = { $ref: '#/components/responses/Problem' }
  return {
    operationId: `${route.method.toLowerCase()}${route.path.replaceAll(/[^a-z0-9]+/gi, '_')}`,
    summary: route.summary,
    parameters: [
      ...parametersOf(route.params, 'path'),
      ...parametersOf(route.query, 'query'),
      ...(route.isAction === true ? [idempotencyKey] : []),
    ],
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: jsonSchemaOf(route.body, 'input') } },
          },
        }),
    responses: {
      200: {
        description: 'The answer',
        content: { 'application/json': { schema: jsonSchemaOf(route.reply, 'output') } },
      },
      default: problem,
    },
    ...(route.allowed === undefined ? {} : { 'x-roles': route.allowed }),
  }
}

/** OpenAPI 3.1 document of the routes; schemas are the ones that parse the requests. */
export function openApiDocument(
  routes: readonly Route[],
  info: { readonly title: string; readonly version: string },
): Json {
  const paths = new Map<string, Record<string, Json>>()
  for (const route of routes) {
    const operations = paths.get(route.path) ?? {}
    operations[route.method.toLowerCase()] = operationOf(route)
    paths.set(route.path, operations)
  }
  return {
    openapi: '3.1.0',
    info,
    security: [{ token: [] }],
    paths: Object.fromEntries(paths),
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      responses: {
        Problem: {
          description: 'What went wrong, RFC 9457',
          content: {
            'application/problem+json': { schema: jsonSchemaOf(problemSchema, 'output') },
          },
        },
      },
    },
  }
}
