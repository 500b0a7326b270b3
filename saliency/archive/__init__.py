"""Many files to a folder of results: a table that is the truth, pictures, and a page."""
