"""What is compiled and copied; all else about the package stands in pyproject.toml."""

import os
import shutil
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_py import build_py

DEMO = Path("examples", "demo_model.keras")
#: Without a compiler numpy and Pillow do the same, in twice to thrice the time.
IN_C = ("saliency.dicom.display._look", "saliency.pipeline._shrink")
#: A Python that was built with -O2 hands that on, and loops stay as they are written.
FLAGS = [] if os.name == "nt" else ["-O3"]


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
            module,
            [f"{module.replace('.', '/')}.c"],
            py_limited_api=True,
            optional=True,
            extra_compile_args=FLAGS,
        )
        for module in IN_C
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
