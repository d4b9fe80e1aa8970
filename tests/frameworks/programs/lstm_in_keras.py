"""Keras 3: `Masking` and an LSTM, on the backend that KERAS_BACKEND names."""

from functools import cache
from typing import Any

import keras
from batches import SEED, UNITS, Batch, run_over_files

keras.utils.set_random_seed(SEED)
LSTM = keras.layers.LSTM(UNITS, return_sequences=True, return_state=True)
ZEROING = keras.layers.LSTM(UNITS, return_sequences=True, zero_output_for_mask=True)


@cache
def model_of(value: float | None) -> keras.Model:
    """The LSTM behind a mask of this value, or behind none; the weights are the same in every model."""
    steps = inputs = keras.Input((None, 3))
    if value is not None:
        steps = keras.layers.Masking(value)(inputs)
    outputs, h, c = LSTM(steps)
    zeroed = ZEROING(steps)
    ZEROING.set_weights(LSTM.get_weights())
    return keras.Model(inputs, {"outputs": outputs, "h": h, "c": c, "zeroed": zeroed})


def lstm(batch: Batch, masked: bool) -> dict[str, Any]:
    model = model_of(batch.value if masked else None)
    return dict(model.predict(batch.x, verbose=0))


run_over_files(lstm)
