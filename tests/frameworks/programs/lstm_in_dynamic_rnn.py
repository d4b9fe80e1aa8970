"""TensorFlow as it was at first: `dynamic_rnn` with `sequence_length`, a graph and a session."""

from typing import Any

import tensorflow as tf
from batches import SEED, UNITS, Batch, run_over_files

v1 = tf.compat.v1

with tf.Graph().as_default():
    v1.set_random_seed(SEED)
    STEPS = v1.placeholder(tf.float32, (None, None, 3))
    LENGTHS = v1.placeholder(tf.int64, (None,))
    CELL = v1.nn.rnn_cell.LSTMCell(UNITS)
    MASKED = v1.nn.dynamic_rnn(CELL, STEPS, sequence_length=LENGTHS, dtype=tf.float32)
    UNMASKED = v1.nn.dynamic_rnn(CELL, STEPS, dtype=tf.float32)
    SESSION = v1.Session()
    SESSION.run(v1.global_variables_initializer())


def lstm(batch: Batch, masked: bool) -> dict[str, Any]:
    feed = {STEPS: batch.x, LENGTHS: batch.lengths} if masked else {STEPS: batch.x}
    outputs, state = SESSION.run(MASKED if masked else UNMASKED, feed)
    return {"outputs": outputs, "h": state.h, "c": state.c}


run_over_files(lstm)
