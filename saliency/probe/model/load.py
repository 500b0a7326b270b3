"""Read a model file: .keras, .h5, and older exports that Keras 3 itself stumbles over."""

import io
import json
import os
import re
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any, Final

import h5py
import keras

from saliency.errors import ModelError
from saliency.probe.model.keras_internals import load_hdf5

MISSING: Final = re.compile(
    r"(?:Could not locate \w+|Unknown \w+:|Could not deserialize class) '([^']+)'"
)
"""How Keras names a class that it does not know."""

NEWER: Final = {
    "input_axes": None,
    "output_axes": None,
    "quantization_config": None,
    "renorm": False,
    "renorm_clipping": None,
    "renorm_momentum": 0.99,
}
"""Options of layers that came after Keras 3.5, with the value that means nothing is asked for."""

LAMBDA: Final = (
    "The model has a Lambda layer, which is code in a file: it is not run. If you trust the file, "
    "load it yourself with keras.models.load_model(file, safe_mode=False) and hand over the model."
)


def load_model(path: str | os.PathLike[str]) -> Any:
    """Return the Keras model in a file, not compiled.

    The content decides, not the name: a .keras file is a zip, an .h5 file is HDF5. Files of
    Keras 2 (Teachable Machine's ``keras_model.h5``) are brought to what Keras 3 reads. Nothing in
    the file is executed: Keras's safe mode stays on, and HDF5 files with a Lambda are refused.

    Raises
    ------
    ModelError
        There is no such file, it holds no model or weights alone, or its model needs code that
        is not in the file. The message begins with the file's name, without its folders.
    """
    file = Path(path)
    try:
        return _load_file(file)
    except ModelError as error:
        msg = str(error) if file.is_dir() else f"{file.name}: {error}"
        raise ModelError(msg) from error


def _load_file(file: Path) -> Any:
    if not file.is_file():
        _refuse_folder(file)
    if h5py.is_hdf5(file):
        return _guarded(lambda: _load_hdf5(file))
    if zipfile.is_zipfile(file):
        return _guarded(lambda: _load_zip(file))
    msg = (
        "Expected a Keras model (.keras: a zip, .h5: HDF5), got a file that is neither"
        f"{_first_bytes(file)}. Save the model again with model.save('name.keras')."
    )
    raise ModelError(msg)


def _refuse_folder(file: Path) -> None:
    if file.is_dir():
        msg = (
            "Expected a .keras or .h5 file, got a folder (a SavedModel?). Save it again as .keras, "
            "or hand over a model around it: keras.Sequential([keras.Input((H, W, C)), "
            "keras.layers.TFSMLayer(folder, call_endpoint='serving_default')]). Such a model "
            "gives scores and gradients; its layers cannot be tapped."
        )
        raise ModelError(msg)
    msg = "Expected a .keras or .h5 file, found no file under that path."
    raise ModelError(msg)


def _first_bytes(file: Path) -> str:
    with file.open("rb") as opened:
        return f" (it begins with {opened.read(4)!r})"


def _load_zip(file: Path) -> Any:
    if file.suffix != ".keras":
        msg = f"Expected the name of a zipped Keras model to end in .keras, got {file.suffix!r}."
        raise ModelError(msg)
    try:
        return keras.models.load_model(file, compile=False)
    except TypeError as error:
        if "unexpected keyword argument" not in str(error):
            raise
        return _load_newer(file)


def _load_newer(file: Path) -> Any:
    """Load a .keras file that a newer Keras wrote, from a copy without the options it added."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "model.keras")
        open_to_older_keras(file, copy)
        return keras.models.load_model(copy, compile=False)


def open_to_older_keras(file: Path, copy: Path) -> None:
    """Write a .keras file anew, its configuration without the options of NEWER that are off.

    An option that is on stays: an older Keras must refuse it, not leave it out.
    """
    with zipfile.ZipFile(file) as packed:
        members = {each: packed.read(each) for each in packed.infolist()}
    with zipfile.ZipFile(copy, "w") as packed:
        for each, content in members.items():
            config = each.filename == "config.json"
            packed.writestr(
                each,
                json.dumps(_without_newer(json.loads(content))) if config else content,
            )


def _without_newer(config: Any) -> Any:
    if isinstance(config, list):
        return [_without_newer(each) for each in config]
    if not isinstance(config, dict):
        return config
    return {
        key: _without_newer(value)
        for key, value in config.items()
        if key not in NEWER or value != NEWER[key]
    }


def _load_hdf5(file: Path) -> Any:
    """Load a model from HDF5, its configuration brought up to date in a copy in memory."""
    with h5py.File(io.BytesIO(file.read_bytes()), "r+") as opened:
        config = opened.attrs.get("model_config")
        if config is None:
            msg = (
                f"This {file.suffix or 'nameless'} file is HDF5 and holds weights without a model"
                f"{_not_a_zip(file)}: build the model in code, call model.load_weights (the file's "
                "name must end in .weights.h5 or .h5), and hand over the model."
            )
            raise ModelError(msg)
        if re.search(rb'"class_name": *"Lambda"', _encoded(config)):
            raise ModelError(LAMBDA)  # older Keras runs it in spite of safe mode
        opened.attrs["model_config"] = json.dumps(
            _without_newer(_modern(json.loads(config)))
        )
        return load_hdf5(opened)


def _encoded(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _not_a_zip(file: Path) -> str:
    return " (a .keras file would be a zip)" if file.suffix == ".keras" else ""


def _modern(config: Any) -> Any:
    """Rewrite what Keras 2 wrote and Keras 3 misreads.

    DepthwiseConv2D had ``groups``, always 1; a Functional model listed its one input and output
    as [[name, 0, 0]], which a Sequential around it now takes for two.
    """
    if isinstance(config, list):
        return [_modern(each) for each in config]
    if not isinstance(config, dict):
        return config
    new = {key: _modern(value) for key, value in config.items()}
    if new.get("class_name") == "DepthwiseConv2D" and new["config"].get("groups") == 1:
        del new["config"]["groups"]
    for key in {"input_layers", "output_layers"} & set(new):
        if len(new[key]) == 1 and isinstance(new[key][0], list):
            new[key] = new[key][0]
    return new


def _guarded(load: Any) -> Any:
    """Load without Keras's remarks on old files; say in our words what could not be loaded."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return load()
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(_load_message(str(error))) from error


def _load_message(error: str) -> str:
    if "safe_mode" in error:
        return LAMBDA
    missing = MISSING.search(error)
    name = f" {missing[1]!r}" if missing else ""
    return (
        f"Keras could not rebuild the model{name and ': it has no class' + name}. Import the code "
        "of its layers (register_keras_serializable), or load it yourself with "
        "keras.models.load_model(file, custom_objects={...}) and hand over the model. A file of a "
        f"newer Keras than this one ({keras.__version__}) cannot be read either."
    )
