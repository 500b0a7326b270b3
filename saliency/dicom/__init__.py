"""The only room that knows pydicom: reading, transforms, zones."""
