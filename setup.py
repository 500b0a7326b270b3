"""What is compiled and copied; all else about the package stands in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_py import build_py

DEMO = Path("examples", "demo_model.keras")


class BuildWithDemo(build_py):
    """Puts the model of ``saliency demo`` into the package; the repository has one copy."""

    def run(self) -> None:
        """Copy the package, then the model."""
        super().run()
        if not self.editable_mode:
            shutil.copy(DEMO, Path(self.build_lib, "saliency", "cli", DEMO.name))


setup(
    cmdclass={"build_py": BuildWithDemo},
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
