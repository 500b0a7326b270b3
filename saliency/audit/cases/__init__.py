"""The images of an audit, their labels, and what is remembered of each."""
