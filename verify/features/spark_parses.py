"""Parses each query of a JSON list with Spark's own parser and prints those that it refuses.

python spark_parses.py QUERIES.json
"""

import json
import sys

from pyspark.sql import SparkSession

with open(sys.argv[1], encoding="utf-8") as file:
    queries = json.load(file)

spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.session.timeZone", "UTC")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("OFF")
parser = spark._jsparkSession.sessionState().sqlParser()
refused = []
for name, text in queries:
    try:
        parser.parsePlan(text)
    except Exception as error:  # what Spark says is the result
        refused.append([name, str(error)[:400]])
print(json.dumps({"parsed": len(queries) - len(refused), "refused": refused}))
spark.stop()
