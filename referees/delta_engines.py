"""Reads and writes Delta tables with deltalake (delta-rs) or Spark, as told by a file of jobs.

Arguments: engine, file of jobs (one JSON object per line). Prints one JSON object per job.
What the jobs mean is told in verify/delta/engine-jobs.ts.
"""

import glob
import json
import math
import os
import struct
import sys

import pyarrow as pa
import pyarrow.parquet

HERE = os.path.dirname(os.path.abspath(__file__))


def float_bits(value):
    if math.isnan(value):
        return "NaN"
    if value == 0:
        return "0000000000000000"
    return struct.pack(">d", value).hex()


def spelled(type_, array):
    """Canonical spelling of each value of an Arrow array, as verify/delta/values.ts has it."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if isinstance(type_, dict):
        kind = type_["type"]
        if kind == "decimal":
            scale = array.type.scale
            shift = 10 ** (type_["scale"] - scale) if type_["scale"] >= scale else None
            return [
                "null" if v is None else f'"{unscaled(v, type_["scale"], shift)}"'
                for v in array.to_pylist()
            ]
        if kind == "array":
            inner = type_["elementType"]
            return [
                "null" if not s.is_valid else "[" + ",".join(spelled(inner, s.values)) + "]"
                for s in array
            ]
        if kind == "map":
            return [
                "null" if not s.is_valid else spelled_map(type_, s.values) for s in array
            ]
        names = [f["name"] for f in type_["fields"]]
        parts = [
            spelled(field["type"], array.field(index_of(array.type, field["name"])))
            for field in type_["fields"]
        ]
        valid = array.is_valid().to_pylist()
        return [
            "[" + ",".join(parts[i][row] for i in range(len(names))) + "]" if valid[row] else "null"
            for row in range(len(array))
        ]
    if type_ in ("timestamp", "timestamp_ntz"):
        if array.type.unit != "us":
            array = array.cast(pa.timestamp("us", array.type.tz))
        return whole(array.cast(pa.int64()))
    if type_ == "date":
        return whole(array.cast(pa.int32()))
    values = array.to_pylist()
    if type_ in ("double", "float"):
        return ["null" if v is None else f'"{float_bits(v)}"' for v in values]
    if type_ == "boolean":
        return ["null" if v is None else ("true" if v else "false") for v in values]
    if type_ == "string":
        return ["null" if v is None else json.dumps(v, ensure_ascii=False) for v in values]
    if type_ == "binary":
        return ["null" if v is None else f'"x{bytes(v).hex()}"' for v in values]
    if type_ == "void":
        return ["null"] * len(array)
    return ["null" if v is None else f'"{int(v)}"' for v in values]


def whole(array):
    return ["null" if v is None else f'"{v}"' for v in array.to_pylist()]


def unscaled(value, scale, shift):
    sign, digits, exponent = value.as_tuple()
    number = int("".join(map(str, digits)) or "0")
    if exponent + scale < 0:
        raise ValueError(f"{value} has more than {scale} digits after the point")
    number *= 10 ** (exponent + scale)
    return -number if sign else number


def index_of(struct_type, name):
    index = struct_type.get_field_index(name)
    if index < 0:
        raise ValueError(f"no field {name} in {struct_type}")
    return index


def spelled_map(type_, entries):
    keys = spelled(type_["keyType"], entries.field(0))
    values = spelled(type_["valueType"], entries.field(1))
    pairs = sorted(f"[{k},{v}]" for k, v in zip(keys, values))
    return "[" + ",".join(pairs) + "]"


def table_rows(table, types):
    columns = []
    for i, type_ in enumerate(types):
        column = table.column(i)
        texts = []
        for chunk in column.chunks:
            texts.extend(spelled(type_, chunk))
        columns.append(texts)
    return ["[" + ",".join(row) + "]" for row in zip(*columns)]


class Deltalake:
    def __init__(self):
        import deltalake

        self.lib = deltalake

    def about(self):
        return {"deltalake": self.lib.__version__}

    def read(self, job):
        table = self.lib.DeltaTable(job["path"], version=job.get("version"))
        answers = []
        for query in job["queries"]:
            builder = self.lib.QueryBuilder().register("t", table)
            result = pa.table(builder.execute(query["sql"]).read_all())
            answers.append(table_rows(result, query["types"]))
        return {
            "version": table.version(),
            "schema": json.loads(table.schema().to_json()),
            "partitionColumns": table.metadata().partition_columns,
            "answers": answers,
        }

    def write(self, job):
        lib, path = self.lib, job["path"]
        versions = []
        for step in job["steps"]:
            kind = step["kind"]
            if kind == "create":
                schema = lib.Schema.from_json(json.dumps(step["schema"]))
                lib.DeltaTable.create(path, schema, partition_by=step["partitionColumns"] or None)
            elif kind in ("append", "overwrite"):
                rows = pa.parquet.read_table(step["file"])
                lib.write_deltalake(path, rows, mode=kind)
            else:
                self.change(lib.DeltaTable(path), step)
            versions.append(lib.DeltaTable(path).version())
        return {"versions": versions}

    def change(self, table, step):
        kind = step["kind"]
        if kind == "delete":
            table.delete(step["predicate"])
        elif kind == "upsert":
            rows = pa.parquet.read_table(step["file"])
            merge = table.merge(
                rows, f's."{step["key"]}" = t."{step["key"]}"', source_alias="s", target_alias="t"
            )
            merge.when_matched_update_all().when_not_matched_insert_all().execute()
        elif kind == "add-column":
            table.alter.add_columns(
                self.lib.Schema.from_json(json.dumps(step["schema"])).fields
            )
        elif kind == "compact":
            table.optimize.compact()
        elif kind == "checkpoint":
            table.create_checkpoint()
        else:
            raise ValueError(f"unknown step {kind}")

    def timed_append(self, job):
        """Seconds of each of `rounds` appends of a file's rows, the rows already in memory."""
        import time

        rows = pa.parquet.read_table(job["file"])
        seconds = []
        for i in range(job["rounds"]):
            start = time.perf_counter()
            self.lib.write_deltalake(job["path"] + str(i), rows, mode="append")
            seconds.append(time.perf_counter() - start)
        return {"seconds": seconds}

    def timed_append_ndjson(self, job):
        import time

        import pyarrow.json

        seconds = []
        for i in range(job["rounds"]):
            start = time.perf_counter()
            rows = pyarrow.json.read_json(
                job["file"], read_options=pyarrow.json.ReadOptions(block_size=16 << 20)
            )
            self.lib.write_deltalake(job["path"] + str(i), rows, mode="append")
            seconds.append(time.perf_counter() - start)
        return {"seconds": seconds}


class Spark:
    def __init__(self):
        java_home = os.path.join(HERE, ".ivy", "java-home")
        if os.path.exists(java_home):
            with open(java_home, encoding="utf-8") as file:
                os.environ["JAVA_HOME"] = file.read().strip()
        from pyspark.sql import SparkSession

        jars = glob.glob(os.path.join(HERE, ".ivy", "jars", "io.*.jar"))
        delta = "org.apache.spark.sql.delta.catalog.DeltaCatalog"
        settings = {
            "spark.driver.extraClassPath": ":".join(jars),
            "spark.driver.memory": "2g",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
            "spark.sql.catalog.spark_catalog": delta,
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.shuffle.partitions": "1",
            "spark.default.parallelism": "2",
            "spark.databricks.delta.snapshotPartitions": "1",
            "spark.sql.parser.escapedStringLiterals": "true",
            "spark.databricks.delta.retentionDurationCheck.enabled": "false",
            "spark.sql.warehouse.dir": os.path.join(os.getcwd(), "spark-warehouse"),
        }
        builder = SparkSession.builder.master("local[2]")
        for key, value in settings.items():
            builder = builder.config(key, value)
        self.spark = builder.getOrCreate()
        self.spark.sparkContext.setLogLevel("ERROR")

    def about(self):
        jars = glob.glob(os.path.join(HERE, ".ivy", "jars", "io.delta_delta-spark*.jar"))
        delta = os.path.basename(jars[0]).rsplit("-", 1)[1].removesuffix(".jar")
        return {"pyspark": self.spark.version, "delta-spark": delta}

    def read(self, job):
        reader = self.spark.read.format("delta")
        if job.get("version") is not None:
            reader = reader.option("versionAsOf", job["version"])
        frame = reader.load(job["path"])
        frame.createOrReplaceTempView("t")
        answers = [
            table_rows(self.spark.sql(query["sql"]).toArrow(), query["types"])
            for query in job["queries"]
        ]
        result = {"schema": json.loads(frame.schema.json()), "answers": answers}
        if job.get("detail"):
            detail = self.spark.sql(f"DESCRIBE DETAIL delta.`{job['path']}`").collect()[0]
            result["partitionColumns"] = list(detail["partitionColumns"])
        return result

    def write(self, job):
        """Runs SQL statements; tells the table's version after each."""
        versions = []
        for setting, value in job.get("settings", {}).items():
            self.spark.conf.set(setting, value)
        try:
            for statement in job["statements"]:
                self.run(job["path"], statement)
                history = self.spark.sql(f"DESCRIBE HISTORY delta.`{job['path']}` LIMIT 1")
                versions.append(history.collect()[0]["version"])
        finally:
            for setting in job.get("settings", {}):
                self.spark.conf.unset(setting)
        return {"versions": versions}

    def run(self, path, statement):
        if statement == "CHECKPOINT":
            jvm = self.spark._jvm
            log = jvm.org.apache.spark.sql.delta.DeltaLog.forTable(self.spark._jsparkSession, path)
            log.checkpoint()
        else:
            self.spark.sql(statement).collect()


def main():
    engine = {"deltalake": Deltalake, "spark": Spark}[sys.argv[1]]()
    # Spark and Java print to the standard output too; answers go to the stream they cannot reach.
    out = os.fdopen(3, "w", encoding="utf-8")
    print(json.dumps({"about": engine.about()}), file=out, flush=True)
    with open(sys.argv[2], encoding="utf-8") as file:
        for line in file:
            job = json.loads(line)
            try:
                answer = getattr(engine, job["action"])(job)
            except Exception as error:  # noqa: BLE001: the caller judges what a failure means
                answer = {"error": f"{type(error).__name__}: {str(error)[:2000]}"}
            print(json.dumps({"id": job["id"], **answer}, ensure_ascii=False), file=out, flush=True)


main()
