"""Elements to stored values."""
