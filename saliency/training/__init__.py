"""Training: DICOM files as examples, and maps while a model learns."""
