"""The one file that is compiled; all else about the package stands in pyproject.toml."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "saliency.dicom.display._look",
            ["saliency/dicom/display/_look.c"],
            py_limited_api=True,
            optional=True,  # without a compiler numpy does the same, in thrice the time
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
