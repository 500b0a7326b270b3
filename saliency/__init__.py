"""Saliency maps for Keras models, painted on the diagnostic pixels of DICOM images.

An explainer is a function of a probe and a picture.
"""
