import { optional, type RowOf, required, type TableContract } from '../column.ts'
import { reasonCodes } from '../log-record.ts'

const columns = [
  required('dlq_id', 'string', 'UUIDv5 of the log position'),
  required('stage', 'string', 'Where the record failed', {
    values: ['gateway', 'decode', 'landing', 'cleansing'],
  }),
  required('reason_code', 'string', 'Why it failed', { values: reasonCodes }),
  optional('reason_detail', 'string', 'Path and offending value, at most 1 KB'),
  optional('event_id', 'string', 'Id of the message'),
  optional('device_id', 'string', 'Authenticated device'),
  optional('firmware_version', 'string', 'Firmware of the device, as far as known'),
  optional('log_generation', 'integer', 'Log position'),
  optional('partition_id', 'integer', 'Log position'),
  optional('sequence_number', 'long', 'Log position'),
  required('timestamp_ingested', 'timestamp', 'Gateway receive time'),
  required('dead_lettered_at', 'timestamp', 'When it was set aside'),
  required('payload', 'binary', 'Original bytes, first 256 KB', { personal: true }),
  optional('message_properties', 'string', 'What came beside the payload, as JSON of texts'),
  required('status', 'string', 'What became of it', { values: ['new', 'replayed', 'discarded'] }),
  required('replay_count', 'integer', 'How often it was replayed'),
] as const

/** Messages that could not be read, with the reason, ING-23. */
export const deadLetters = {
  name: 'dead_letter_messages',
  id: 'DL',
  version: '1.1.0',
  purpose: 'Records that could not be processed, each with its reason; replayable',
  columns,
  key: ['dlq_id'],
  partitionColumns: [],
  sortColumns: ['timestamp_ingested'],
} as const satisfies TableContract

/** A row of `dead_letter_messages`. */
export type DeadLetterRow = RowOf<typeof columns>
