"""TensorFlow's first way to read padded sequences, `dynamic_rnn`, on five sequences of 3, 1, 3, 2 and 2 steps.

    pip install . tensorflow tf-keras
    python samples/dynamic_rnn.py

`samples/padded.npz` was padded by hand, and its second sequence, of one step, still holds an old step after its
end. `seqtool pad` takes the true lengths from the file and resets what lies past them. Then `dynamic_rnn` is told
the lengths: outputs past the end of a sequence are zero, and its state stands still there.
"""

import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np

# Today's TensorFlow brings Keras 3; the cells that dynamic_rnn is called with live on in tf-keras.
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

PADDED_BY_HAND = Path(__file__).parent / "padded.npz"
UNITS = 4


def pad() -> dict[str, np.ndarray]:
    """The arrays that `seqtool pad` makes of the file."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "padded.npz"
        command = ["seqtool", "pad", str(PADDED_BY_HAND), "--post", "-o", str(output)]
        subprocess.run([sys.executable, "-m", *command], check=True)
        with np.load(output) as data:
            return dict(data)


def read(x: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The outputs (N, T, UNITS) and the final state (N, UNITS) of an LSTM with random weights."""
    import tensorflow as tf

    v1 = tf.compat.v1
    v1.disable_eager_execution()  # a graph first, then a session that runs it
    v1.logging.set_verbosity(v1.logging.ERROR)  # that all this is old is known
    warnings.filterwarnings("ignore", message=".*LSTMCell. is deprecated")
    v1.set_random_seed(0)

    steps = v1.placeholder(tf.float32, (None, *x.shape[1:]))
    sequence_length = v1.placeholder(tf.int64, (None,))
    cell = v1.nn.rnn_cell.LSTMCell(UNITS)
    outputs, state = v1.nn.dynamic_rnn(cell, steps, sequence_length=sequence_length, dtype=tf.float32)
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        return session.run((outputs, state.h), {steps: x, sequence_length: lengths})


def main() -> None:
    """Pad, run, and show what the network gives for every step."""
    data = pad()
    x, lengths = data["x"], data["lengths"]
    outputs, states = read(x, lengths)

    np.set_printoptions(formatter={"float": "{:6.2f}".format})
    for number, length in enumerate(lengths):
        print(f"\nsequence {number}, {length} of {x.shape[1]} steps real")
        for slot, (step, output) in enumerate(zip(x[number], outputs[number], strict=True)):
            print(f"  {'step' if slot < length else 'past'} {slot} {step} -> {output}")
        print(f"  state  {' ' * len(str(x[0, 0]))} -> {states[number]}")

    past = np.arange(x.shape[1]) >= lengths[:, np.newaxis]
    last = outputs[np.arange(len(x)), lengths - 1]
    print(f"\noutputs past the end are zero: {not outputs[past].any()}")
    print(f"the state is the output of the last real step: {np.array_equal(states, last)}")


if __name__ == "__main__":
    main()
