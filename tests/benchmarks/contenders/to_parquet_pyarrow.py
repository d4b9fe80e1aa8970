"""NumPy and pyarrow by hand, a list column for each feature: `python to_parquet_pyarrow.py IN OUT`."""

import sys


def main(source: str, output: str) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = np.load(source)
    values, offsets = data["values"], pa.array(data["offsets"].astype(np.int32))
    columns = {
        name: pa.ListArray.from_arrays(offsets, pa.array(np.ascontiguousarray(values[:, i])))
        for i, name in enumerate(data["features"].tolist())
    }
    table = pa.table({"keys": data["keys"], **columns})
    pq.write_table(table, output, compression="zstd", use_dictionary=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
