"""Each sequence by itself through a recipe."""

import sys

import numpy as np
import pandas as pd

import seqtool as st

rows, train, target = sys.argv[1:]
recipe = st.recipe(train)
made = [recipe.transform(frame).x for _, frame in pd.read_parquet(rows).groupby("key")]
np.save(target, np.concatenate(made))
