"""scikit-learn on the real steps: `python scale_sklearn.py IN OUT METHOD`."""

import sys


def main(source: str, output: str, method: str) -> None:
    import numpy as np
    from sklearn.preprocessing import RobustScaler, StandardScaler

    data = np.load(source)
    x, lengths = data["x"], data["lengths"]
    mask = np.arange(x.shape[1]) < lengths[:, None]
    steps = x[mask]
    scaler = {"standard": StandardScaler, "robust": RobustScaler}[method]()
    x[mask] = scaler.fit_transform(steps)
    np.savez(output, x=x, lengths=lengths)


if __name__ == "__main__":
    main(*sys.argv[1:])
