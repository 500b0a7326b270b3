"""What the numbers allow to say."""
