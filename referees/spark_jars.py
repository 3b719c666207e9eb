"""Fetches the jars of Delta for Spark once, and proves that a table can be written with them.

Arguments: Maven coordinates, folder for the jars.
"""

import os
import sys
import tempfile

from pyspark.sql import SparkSession

coordinates, folder = sys.argv[1:3]
spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.jars.packages", coordinates)
    .config("spark.jars.ivy", folder)
    .config("spark.ui.enabled", "false")
    .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
    .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
    .getOrCreate()
)
with tempfile.TemporaryDirectory() as scratch:
    table = os.path.join(scratch, "table")
    spark.range(3).write.format("delta").save(table)
    assert spark.read.format("delta").load(table).count() == 3
spark.stop()
