"""The only room that knows Keras: score, gradient and activations of a model."""
