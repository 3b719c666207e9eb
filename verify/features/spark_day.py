"""Times Spark on a JSON list of [name, sums query, rows query] over Parquet files.

python spark_day.py QUERIES.json FILES
"""

import json
import os
import sys
import time

from pyspark.sql import SparkSession

with open(sys.argv[1], encoding="utf-8") as file:
    queries = json.load(file)

spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.ui.enabled", "false")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.driver.memory", "6g")
    .config("spark.sql.shuffle.partitions", "8")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("OFF")
spark.read.parquet(sys.argv[2]).createOrReplaceTempView("clean")
spark.sql("SELECT CAST(NULL AS STRING) AS device_id, 0 AS sensor_count WHERE 1 = 0") \
    .createOrReplaceTempView("own_sensors")
spark.sql("SELECT count(*) FROM clean").collect()

java = spark.sparkContext._jvm.java.lang.ProcessHandle.current().pid()


def processor_seconds():
    with open(f"/proc/{java}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


start, start_cpu = time.perf_counter(), processor_seconds()
parts = {}
for name, sums, rows in queries:
    part = time.perf_counter()
    spark.sql(sums).createOrReplaceTempView("window_sums")
    spark.sql(rows).write.format("noop").mode("overwrite").save()
    parts[name] = round(time.perf_counter() - part, 2)
print(json.dumps({
    "seconds": round(time.perf_counter() - start, 2),
    "cpuSeconds": round(processor_seconds() - start_cpu, 2),
    "parts": parts,
}))
spark.stop()
