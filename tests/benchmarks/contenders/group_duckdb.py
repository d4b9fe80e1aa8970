"""duckdb and NumPy: `python group_duckdb.py IN OUT`.

Rows are sorted by the number of their key, as text keys themselves take longer to sort, and by `rowid`, which
keeps the order of the file.
"""

import sys
from pathlib import Path


def main(source: str, output: str) -> None:
    import duckdb
    import numpy as np

    with duckdb.connect() as connection:
        if source.endswith(".csv"):
            with Path(source).open() as file:
                names = file.readline().rstrip("\n").split(",")
                text = not file.readline().split(",")[0].isdecimal()
            features = [name for name in names if name != "key"]
            types = dict.fromkeys(names, "FLOAT") | {"key": "VARCHAR" if text else "BIGINT"}
            connection.execute(
                f"CREATE TABLE rows AS FROM read_csv('{source}', header = true, columns = {types})"
            )
        else:
            table = connection.sql(f"FROM '{source}'")
            features = [name for name in table.columns if name != "key"]
            text = table.types[table.columns.index("key")] == "VARCHAR"
            floats = ", ".join(f"{name}::FLOAT AS {name}" for name in features)
            connection.execute(f"CREATE TABLE rows AS SELECT key, {floats} FROM '{source}'")
        connection.execute(
            "CREATE TABLE keys AS SELECT key, size, (row_number() OVER (ORDER BY key))::INTEGER AS number "
            "FROM (SELECT key, count(*) AS size FROM rows GROUP BY key)"
        )
        groups = connection.sql("SELECT key, size FROM keys ORDER BY number").fetchnumpy()
        by = "rows JOIN keys USING (key) ORDER BY number, rows.rowid" if text else "rows ORDER BY key, rowid"
        columns = connection.sql(f"SELECT {', '.join(features)} FROM {by}").fetchnumpy()
    lengths = np.asarray(groups["size"])
    x = np.zeros((len(lengths), lengths.max(), len(features)), np.float32)
    steps = np.flatnonzero(np.arange(x.shape[1]) < lengths[:, None])
    flat = x.reshape(-1, len(features))
    for i, name in enumerate(features):
        flat[steps, i] = columns[name]
    keys = np.asarray(groups["key"])
    np.savez(output, x=x, lengths=lengths, keys=keys.astype(str) if text else keys)


if __name__ == "__main__":
    main(*sys.argv[1:])
