"""polars: `python group_polars.py IN OUT`.

Integer keys are quickest sorted; so are wide tables. Of a narrow table with text keys the groups are.
"""

import sys

NARROW = 10  # columns


def main(source: str, output: str) -> None:
    import numpy as np
    import polars as pl

    table = pl.scan_csv(source) if source.endswith(".csv") else pl.scan_parquet(source)
    schema = table.collect_schema()
    features = [name for name in schema if name != "key"]
    if source.endswith(".csv"):
        table = pl.scan_csv(source, schema_overrides=dict.fromkeys(features, pl.Float32))
    else:
        table = table.with_columns(pl.col(features).cast(pl.Float32))
    if schema["key"] == pl.String and len(features) < NARROW:
        groups = table.group_by("key").agg(pl.len().alias("len"), pl.col(features)).sort("key").collect()
        keys, sizes, values = groups["key"], groups["len"], groups.select(pl.col(features).explode())
    else:
        rows = table.sort("key", maintain_order=True).collect()
        runs = rows["key"].rle().struct.unnest()
        keys, sizes, values = runs["value"], runs["len"], rows.select(features)
    lengths = sizes.to_numpy().astype(np.int64)
    x = np.zeros((len(lengths), lengths.max(), len(features)), np.float32)
    step = f"V{4 * len(features)}"
    mask = np.arange(x.shape[1]) < lengths[:, None]
    x.view(step)[..., 0][mask] = values.to_numpy(order="c").view(step)[:, 0]
    numbers = keys.to_numpy()
    np.savez(output, x=x, lengths=lengths, keys=numbers if numbers.dtype == np.int64 else numbers.astype(str))


if __name__ == "__main__":
    main(*sys.argv[1:])
