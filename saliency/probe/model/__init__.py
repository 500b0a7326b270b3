"""A Keras model taken apart, without touching it."""
