// What the tables of Spark's golden corpus hold, as SQL: restated from how they were made, so nothing
// here comes from this library's own reading.

const range = (end: number, start = 0) => `range(${start}, ${end}) t(i)`
const numbers = (name: string, ...ends: readonly (readonly [number, number])[]) =>
  ends.map(([start, end]) => `SELECT i AS ${name} FROM ${range(end, start)}`).join(' UNION ALL ')
const pairs = (a: string, b: string, text: string) =>
  `SELECT i::INTEGER AS ${a}, ${text} AS ${b} FROM ${range(10)}`
const foo = "'foo' || (i % 2)"
const data = (name: string, count: number) =>
  `SELECT i::INTEGER AS col1, '${name}-' || i AS col2 FROM ${range(count)}`

const dateTypes = (instant: string) =>
  `SELECT TIMESTAMPTZ '${instant}+00' AS "timestamp", DATE '2020-01-01' AS "date"`

const kernelTimes = (zone: string) => `SELECT * FROM (VALUES
  (0, TIMESTAMPTZ '2020-01-01 08:09:10.001+00', TIMESTAMPTZ '2020-02-01 08:09:10${zone}'),
  (1, TIMESTAMPTZ '2021-10-01 08:09:20+00', TIMESTAMPTZ '1999-01-01 09:00:00${zone}'),
  (2, TIMESTAMPTZ '2021-10-01 08:09:20+00', TIMESTAMPTZ '2000-01-01 09:00:00${zone}'),
  (3, TIMESTAMPTZ '1969-01-01 00:00:00+00', TIMESTAMPTZ '1969-01-01 00:00:00${zone}'),
  (4, NULL, NULL)) AS v(id, part, "time")`

const wallTimes = ["'2021-11-18 02:30:00.123456'", "'2013-07-05 17:01:00.123456'", 'NULL']
  .map((text) => `${text}::TIMESTAMP`)
  .join(', ')
const wallClock = `SELECT i::INTEGER AS id, ([${wallTimes}])[i % 3 + 1] AS "tsNtz",
  ([${wallTimes}])[i // 3 + 1] AS "tsNtzPartition" FROM ${range(9)}`

const skippingTypes = `SELECT 0::INTEGER AS as_int, 0::BIGINT AS as_long, 0::TINYINT AS as_byte,
  0::SMALLINT AS as_short, 0::FLOAT AS as_float, 0::DOUBLE AS as_double, '0' AS as_string,
  DATE '2000-01-01' AS as_date, TIMESTAMPTZ '2000-01-01 08:00:00+00' AS as_timestamp,
  0::DECIMAL(1,0) AS as_big_decimal`

const unless = (divisor: number, sql: string) => `CASE WHEN i % ${divisor} <> 0 THEN ${sql} END`

/** Every 200 rows; the lists and maps of these two tables are all null. */
const allTypes = `SELECT ${unless(72, '(((i + 128) % 256) - 128)::TINYINT')},
  ${unless(56, 'i::SMALLINT')}, ${unless(23, 'i::INTEGER')}, ${unless(25, '(i + 1)::BIGINT')},
  ${unless(28, "(i * '0.234'::DOUBLE)::FLOAT")}, ${unless(54, "i * '234234.23'::DOUBLE")},
  ${unless(67, '(i * 12352 / 100)::DECIMAL(10,2)')}, ${unless(87, 'i % 2 = 0')},
  ${unless(57, 'i::VARCHAR')}, ${unless(59, 'encode(i::VARCHAR)')},
  ${unless(61, "DATE '1970-01-01' + (i * 20000000 // 86400000)::INTEGER")},
  ${unless(62, "(TIMESTAMP '1970-01-01' + to_milliseconds(i * 23423523)) AT TIME ZONE 'UTC'")},
  ${unless(
    63,
    `CASE WHEN i % 19 = 0 THEN {aa: NULL::VARCHAR, ac: NULL::STRUCT(aca INTEGER)} ELSE
      {aa: i::VARCHAR, ac: ${unless(23, '{aca: i::INTEGER}')}} END`,
  )} FROM ${range(200)}`
const allTypesColumns =
  '"ByteType", "ShortType", "IntegerType", "LongType", "FloatType", "DoubleType", "decimal",' +
  ' "BooleanType", "StringType", "BinaryType", "DateType", "TimestampType", nested_struct'

const expand = (sql: string) => `((${sql}) * 100001)`
const decimals = `SELECT i::INTEGER AS id, CASE WHEN i % 85 = 0 THEN (i / 10)::DECIMAL(5,1) ELSE
    (n / 10)::DECIMAL(5,1) END AS col1,
  CASE WHEN i % 85 = 0 THEN i::DECIMAL(10,5) ELSE
    (${expand('n')}::DECIMAL(38,5) / 100000)::DECIMAL(10,5) END AS col2,
  CASE WHEN i % 85 = 0 THEN i::DECIMAL(20,5) ELSE
    (${expand(expand(expand('n::HUGEINT')))} // 100000)::DECIMAL(20,5) +
    (${expand(expand(expand('n::HUGEINT')))} % 100000)::DECIMAL(10,0) *
      '0.00001'::DECIMAL(6,5) END AS col3
  FROM (SELECT i, CASE WHEN i % 33 = 0 AND i % 85 <> 0 THEN -i ELSE i END AS n FROM ${range(99_998)})`

/** The five rows of the tables with mapped columns, and one of nulls. */
const mappedTypes = `SELECT i::TINYINT AS a, i::SMALLINT AS b, i AS c, i::BIGINT AS d, i::FLOAT AS e,
    i::DOUBLE AS f, i::DECIMAL(10,2) AS g, i % 2 = 0 AS h, i::VARCHAR AS j, encode(i::VARCHAR) AS k,
    DATE '2021-11-18' AS l, TIMESTAMPTZ '1970-01-01 00:00:00+00' + to_milliseconds(i) AS m,
    {aa: i::VARCHAR, ac: {aca: i}} AS n, [i, i + 1] AS o, [[i, i + 1], [i + 2, i + 3]] AS p,
    [MAP {i: [2, 3], i + 1: [4, 5]}] AS q, [{ab: i}, {ab: i}] AS r,
    {aa: [i, i + 1], ab: MAP {[i, i + 1]: {aca: i + 2}}} AS s,
    MAP {i: (i + 1)::BIGINT, i + 2: (i + 3)::BIGINT} AS t, MAP {i + 1: {ab: (i * 20)::BIGINT}} AS u,
    MAP {i::BIGINT: [i, NULL, i + 1], (i + 1)::BIGINT: []::INTEGER[]} AS v,
    MAP {i::BIGINT: MAP {i: i}, (i + 1)::BIGINT: MAP {i + 2: i}} AS w
  FROM (SELECT i::INTEGER AS i FROM range(5) t(i))
  UNION ALL SELECT ${Array.from({ length: 22 }, () => 'NULL').join(', ')}`

/** A golden table with its rows; `columns` where only those are compared. */
export interface GoldenRows {
  readonly sql: string
  readonly columns?: string
}

/** Rows of the newest version by table. */
export const goldenRows: Readonly<Record<string, GoldenRows>> = {
  '124-decimal-decode-bug': { sql: 'SELECT 1000000::DECIMAL(10,0)' },
  '125-iterator-bug': { sql: 'SELECT unnest([1, 2, 3, 4, 5])' },
  'basic-decimal-table': {
    sql: `SELECT a::DECIMAL(12,5), b::DECIMAL(5,2), c::DECIMAL(10,5), d::DECIMAL(20,10)
      FROM (VALUES ('234', '1', '2', '3'),
      ('2342222.23454', '111.11', '22222.22222', '3333333333.3333333333'),
      ('0.00004', '0', '0', '0'),
      ('-2342342.23423', '-999.99', '-99999.99999', '-9999999999.9999999999')) AS v(a, b, c, d)`,
  },
  'basic-with-inserts-merge': {
    sql: `SELECT i::INTEGER, CASE WHEN i < 50 THEN 'val=' || i WHEN i < 100 THEN 'N/A'
      ELSE 'EXT' END FROM ${range(150, 10)}`,
  },
  'basic-with-inserts-overwrite-restore': { sql: numbers('id', [0, 200]) },
  'basic-with-inserts-updates': {
    sql: `SELECT i::INTEGER, CASE WHEN i < 50 THEN 'N/A' ELSE 'val=' || i END FROM ${range(100)}`,
  },
  'commit-info-containing-arbitrary-operationParams-types': {
    sql: 'SELECT i, i FROM range(1, 3) t(i)',
  },
  'data-reader-array-complex-objects': {
    sql: `SELECT i, [[[i, i, i], [i, i, i]], [[i, i, i], [i, i, i]]] AS three,
      [[[[i, i, i], [i, i, i]], [[i, i, i], [i, i, i]]], [[[i, i, i], [i, i, i]], [[i, i, i], [i, i, i]]]],
      [MAP {i::VARCHAR: i::BIGINT}, MAP {i::VARCHAR: i::BIGINT}], [{val: i}, {val: i}, {val: i}]
      FROM (SELECT i::INTEGER AS i FROM ${range(10)})`,
  },
  'data-reader-array-primitives': {
    sql: `SELECT [i::INTEGER], [i::BIGINT], [i::TINYINT], [i::SMALLINT], [i % 2 = 0], [i::FLOAT],
      [i::DOUBLE], [i::VARCHAR], [unhex('0' || i || '0' || i)], [i::DECIMAL(1,0)] FROM ${range(10)}`,
  },
  'data-reader-date-types-America/Los_Angeles': { sql: dateTypes('2020-01-01 16:09:10') },
  'data-reader-date-types-Iceland': { sql: dateTypes('2020-01-01 08:09:10') },
  'data-reader-date-types-JST': { sql: dateTypes('2019-12-31 23:09:10') },
  'data-reader-date-types-PST': { sql: dateTypes('2020-01-01 16:09:10') },
  'data-reader-map': {
    sql: `SELECT i, MAP {i: i}, MAP {i::BIGINT: i::TINYINT}, MAP {i::SMALLINT: i % 2 = 0},
      MAP {i::FLOAT: i::DOUBLE}, MAP {i::VARCHAR: i::DECIMAL(1,0)},
      MAP {i: [{val: i}, {val: i}, {val: i}]} FROM (SELECT i::INTEGER AS i FROM ${range(10)})`,
  },
  'data-reader-nested-struct': {
    sql: `SELECT {aa: i::VARCHAR, ab: i::VARCHAR, ac: {aca: i::INTEGER, acb: i::BIGINT}}, i::INTEGER
      FROM ${range(10)}`,
  },
  'data-reader-nullable-field-invalid-schema-key': { sql: 'SELECT [NULL, NULL, NULL]::VARCHAR[]' },
  'data-reader-timestamp_ntz': { sql: wallClock },
  'data-reader-timestamp_ntz-id-mode': { sql: wallClock },
  'data-reader-timestamp_ntz-name-mode': { sql: wallClock },
  'data-skipping-basic-stats-all-types-columnmapping-id': { sql: skippingTypes },
  'data-skipping-basic-stats-all-types-columnmapping-name': { sql: skippingTypes },
  'data-skipping-change-stats-collected-across-versions': {
    sql: 'SELECT 0, 0 FROM range(3)',
  },
  'hive/deltatbl-column-names-case-insensitive': { sql: pairs('a', 'b', foo) },
  'hive/deltatbl-deleted-path': { sql: pairs('a', 'b', foo) },
  'hive/deltatbl-incorrect-format-config': { sql: pairs('a', 'b', foo) },
  'hive/deltatbl-map-types-correctly': {
    sql: `SELECT 97::TINYINT, encode('bc'), true, 4, 5::BIGINT, 'foo', 6::FLOAT, 7::DOUBLE, 8::SMALLINT,
      DATE '1970-01-01', TIMESTAMPTZ '1970-01-01 16:40:00+00', '12345.678900000000794535',
      ['foo', 'bar'], MAP {'foo': 123::BIGINT}, {f1: 'foo', f2: 456::BIGINT}`,
    columns: 'c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12::VARCHAR, c13, c14, c15',
  },
  'hive/deltatbl-non-partitioned': { sql: pairs('a', 'b', foo) },
  'hive/deltatbl-not-allow-write': { sql: pairs('a', 'b', foo) },
  'hive/deltatbl-partition-prune': {
    sql: `SELECT * FROM (VALUES ('hz', '20180520', 'Jim', 3), ('hz', '20180718', 'Jone', 7),
      ('bj', '20180520', 'Trump', 1), ('sh', '20180512', 'Jay', 4), ('sz', '20181212', 'Linda', 8))`,
  },
  'hive/deltatbl-partitioned': { sql: pairs('a', 'b', foo) },
  'hive/deltatbl-schema-match': {
    sql: `SELECT i::INTEGER, ${foo}, 'test' || (i % 3) FROM ${range(10)}`,
  },
  'hive/deltatbl-special-chars-in-partition-column': { sql: pairs('a', 'b', "'+ =%' || (i % 2)") },
  'hive/deltatbl-touch-files-needed-for-partitioned': { sql: pairs('a', 'b', foo) },
  'kernel-timestamp-INT96': { sql: kernelTimes('+00') },
  'kernel-timestamp-PST': { sql: kernelTimes('-08') },
  'kernel-timestamp-partition-col-ISO8601': {
    sql: `SELECT * FROM (VALUES ('2024-01-01 10:00:00', TIMESTAMPTZ '2024-01-01 10:00:00+00'),
      ('2024-01-02 12:30:00', TIMESTAMPTZ '2024-01-02 12:30:00+00'))`,
  },
  'log-replay-dv-key-cases': {
    sql: `SELECT i FROM ${range(50)} WHERE i NOT IN (0, 7, 14)`,
  },
  'log-replay-latest-metadata-protocol': {
    sql: `SELECT i, NULL::BIGINT FROM ${range(20)} UNION ALL SELECT i, i % 2 FROM ${range(20)}`,
  },
  'only-checkpoint-files': { sql: numbers('id', [0, 10], [5, 20]) },
  'parquet-all-types': { sql: allTypes, columns: allTypesColumns },
  'parquet-all-types-legacy-format': { sql: allTypes, columns: allTypesColumns },
  'parquet-decimal-type': { sql: decimals },
  'snapshot-data0': { sql: data('data-0', 10) },
  'snapshot-data1': { sql: `${data('data-0', 10)} UNION ALL ${data('data-1', 10)}` },
  'snapshot-data3': { sql: `${data('data-2', 10)} UNION ALL ${data('data-3', 20)}` },
  'snapshot-repartitioned': { sql: data('data-3', 20) },
  'snapshot-vacuumed': { sql: data('data-3', 20) },
  'table-with-columnmapping-mode-name': { sql: mappedTypes },
  'table-with-icebegCompatV2Enabled': { sql: mappedTypes },
  'time-travel-partition-changes-a': { sql: `SELECT i, i % 5 FROM ${range(10)}` },
  'time-travel-schema-changes-b': {
    sql: `SELECT i, NULL::BIGINT FROM ${range(10)} UNION ALL SELECT i, i FROM ${range(20, 10)}`,
  },
  'time-travel-start': { sql: numbers('id', [0, 10]) },
  'time-travel-start-start20': { sql: numbers('id', [0, 20]) },
  'type-widening-nested': {
    sql: `SELECT {a: 1::BIGINT}, MAP {2::BIGINT: 3::BIGINT}, [4, 5]::BIGINT[] UNION ALL
      SELECT {a: m}, MAP {m: m}, [m, -m - 1] FROM (SELECT 9223372036854775807::BIGINT AS m)`,
  },
  'v2-checkpoint-json': { sql: numbers('id', [0, 10]) },
}
