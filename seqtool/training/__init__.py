"""What the adapters of PyTorch, Keras and TensorFlow share: sequences read in place, batches of an epoch.

The room imports `files`, `operations` and what is below. Begin with `sequence_file`.
"""
