import { z } from 'zod'
import { type MessageProperties, readHubHeaders } from './property-bag.ts'

const batchSchema = z.array(
  z.object({
    body: z.string(),
    /** False for a body that is text; the SDKs always send base64. */
    base64Encoded: z.boolean().optional(),
    properties: z.record(z.string(), z.unknown()).optional(),
  }),
)

/** One message of a batch. */
export type HubBatchMessage = MessageProperties & { readonly payload: Buffer }

/** Messages of a body of type `application/vnd.microsoft.iothub.json`, or what is wrong with it. */
export function hubBatchPayloads(body: Buffer): readonly HubBatchMessage[] | string {
  let parsed: unknown
  try {
    parsed = JSON.parse(body.toString('utf8'))
  } catch {
    return 'the body is not valid JSON'
  }
  const batch = batchSchema.safeParse(parsed)
  if (!batch.success) {
    const [issue] = batch.error.issues
    return `the body is no batch: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`
  }
  return batch.data.map(({ body: text, base64Encoded = true, properties = {} }) => ({
    payload: Buffer.from(text, base64Encoded ? 'base64' : 'utf8'),
    ...readHubHeaders(properties),
  }))
}
