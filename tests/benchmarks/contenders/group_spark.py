"""Group a folder of Parquet by Spark alone: a sorted list of structs for each key, written as Parquet."""

import os
import sys
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql.functions import collect_list, sort_array, struct

source, target = sys.argv[1:]
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
rows = session.read.parquet(str(Path(source).resolve()))
others = [name for name in rows.columns if name != "key"]
steps = sort_array(collect_list(struct(*others))).alias("steps")
rows.groupBy("key").agg(steps).write.parquet(str(Path(target).resolve()))
session.stop()
