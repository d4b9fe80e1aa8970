"""Each sequence by itself through a recipe: `python recipe_seqtool.py ROWS TRAIN OUT SECONDS`."""

import sys
import time
from pathlib import Path


def main(rows: str, train: str, target: str, seconds: str) -> None:
    import numpy as np
    import pandas as pd

    import seqtool as st

    recipe = st.recipe(train)
    frames = [frame for _, frame in pd.read_parquet(rows).groupby("key")]
    recipe.transform(frames[0])  # a server has done that before
    begin = time.perf_counter()
    blocks = [recipe.transform(frame) for frame in frames]
    Path(seconds).write_text(str(time.perf_counter() - begin))
    np.save(target, np.concatenate([block.x for block in blocks]))


if __name__ == "__main__":
    main(*sys.argv[1:])
