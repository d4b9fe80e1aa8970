"""What the adapters of PyTorch, Keras and TensorFlow share: sequences read on demand, batches of an epoch.

The room imports `files`, `operations` and what is below. Begin with `sequence_file`, which reads batches; `batches`
decides which sequences go into which.
"""
