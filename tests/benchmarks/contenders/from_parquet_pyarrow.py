"""pyarrow and NumPy by hand, the list columns side by side: `python from_parquet_pyarrow.py IN OUT`."""

import sys


def main(source: str, output: str) -> None:
    import numpy as np
    import pyarrow.parquet as pq

    table = pq.read_table(source).combine_chunks()
    names = [name for name in table.column_names if name not in ("keys", "lengths")]
    columns = [table.column(name).combine_chunks() for name in names]
    values = np.stack([column.flatten().to_numpy() for column in columns], axis=1)
    offsets = columns[0].offsets.to_numpy().astype(np.int64)
    np.savez(output, values=values, offsets=offsets, keys=table.column("keys").to_numpy(), features=names)


if __name__ == "__main__":
    main(*sys.argv[1:])
