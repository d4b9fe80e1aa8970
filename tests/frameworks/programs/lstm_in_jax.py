"""JAX: an LSTM as a `lax.scan` over the steps; where the mask is false, the state stands still."""

from typing import Any

import jax
import jax.numpy as jnp
from batches import SEED, UNITS, Batch, run_over_files

KEYS = jax.random.split(jax.random.key(SEED), 3)
FROM_STEP = jax.random.normal(KEYS[0], (3, 4 * UNITS)) / 2
FROM_STATE = jax.random.normal(KEYS[1], (UNITS, 4 * UNITS)) / 2
BIAS = jax.random.normal(KEYS[2], (4 * UNITS,)) / 2


def step(state: tuple[jax.Array, jax.Array], inputs: tuple[jax.Array, jax.Array]) -> tuple[Any, jax.Array]:
    (h, c), (values, real) = state, inputs
    enter, forget, candidate, leave = jnp.split(values @ FROM_STEP + h @ FROM_STATE + BIAS, 4, axis=-1)
    new_c = jax.nn.sigmoid(forget) * c + jax.nn.sigmoid(enter) * jnp.tanh(candidate)
    new_h = jax.nn.sigmoid(leave) * jnp.tanh(new_c)
    real = real[:, None]
    return (jnp.where(real, new_h, h), jnp.where(real, new_c, c)), jnp.where(real, new_h, 0)


def mask_of(batch: Batch) -> jax.Array:
    """(N, T) bool: true where a step is real, by the lengths and the side that is filled."""
    slots, lengths = jnp.arange(batch.x.shape[1]), batch.lengths[:, None]
    return slots < lengths if batch.padding == "post" else slots >= len(slots) - lengths


def lstm(batch: Batch, masked: bool) -> dict[str, Any]:
    mask = mask_of(batch) if masked else jnp.ones(batch.x.shape[:2], bool)
    nothing = jnp.zeros((len(batch.x), UNITS))
    (h, c), outputs = jax.lax.scan(step, (nothing, nothing), (batch.x.swapaxes(0, 1), mask.T))
    return {"outputs": outputs.swapaxes(0, 1), "h": h, "c": c}


run_over_files(lstm)
