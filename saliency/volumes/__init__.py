"""More than one slice: series and volumes, explained and shown."""
