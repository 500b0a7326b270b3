"""Change the pixels of a zone, and score the image again."""
