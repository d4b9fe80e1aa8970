"""Each sequence by itself through a recipe."""

import sys


def main(rows: str, train: str, target: str) -> None:
    import numpy as np
    import pandas as pd

    import seqtool as st

    recipe = st.recipe(train)
    blocks = [recipe.transform(frame).x for _, frame in pd.read_parquet(rows).groupby("key")]
    np.save(target, np.concatenate(blocks))


if __name__ == "__main__":
    main(*sys.argv[1:])
