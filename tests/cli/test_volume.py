"""``saliency volume`` says what Python says, and ``saliency info`` which series a folder holds."""

import json

import keras
import numpy as np
import pytest
from volumes.built import plane

import saliency as sal
from saliency.cli.main import DONE, FAILED, main
from saliency.errors import InputError


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A saved model of slices with two classes."""
    keras.utils.set_random_seed(0)
    path = tmp_path_factory.mktemp("model") / "model.keras"
    layers = [
        keras.Input((6, 8, 1)),
        keras.layers.Conv2D(3, 3, activation="relu", padding="same"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(2, activation="softmax"),
    ]
    keras.Sequential(layers).save(path)
    return str(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a series of five slices, one of two, and a broken file."""
    path = tmp_path_factory.mktemp("DOE^JANE")
    for k in range(5):
        plane(k, PatientName="DOE^JANE").save_as(
            path / f"a{k}.dcm", enforce_file_format=True
        )
    other = {"SeriesNumber": 4, "SeriesInstanceUID": "1.2.3.4"}
    for k in range(2):
        plane(3 * k, **other).save_as(path / f"b{k}.dcm", enforce_file_format=True)
    return path


def run(*arguments):
    """Run the command; return its exit code."""
    return main([str(each) for each in arguments])


def test_the_series_of_a_folder_are_listed(folder, capsys):
    """Number, modality, images, spacing and plane of each; no name of a patient."""
    assert run("info", folder, "--json") == DONE
    first, second = map(json.loads, capsys.readouterr().out.splitlines())

    assert (first["number"], first["modality"], first["frames"]) == (3, "CT", 5)
    assert first["spacing"] == [2.5, 0.5, 0.75]
    assert first["orientation"] == "axial"
    assert (second["number"], second["frames"]) == (4, 2)
    run("info", folder)
    shown = capsys.readouterr().out.replace(str(folder), "")
    assert "2.5, 0.5, 0.75" in shown
    assert "JANE" not in shown


def test_a_broken_file_does_not_hide_the_series(folder, tmp_path, capsys):
    """It is told of, and is the exit code."""
    (tmp_path / "bad.dcm").write_text("no DICOM")
    (tmp_path / "a.dcm").write_bytes((folder / "a0.dcm").read_bytes())
    assert run("info", tmp_path, "--json") == FAILED
    seen = capsys.readouterr()

    assert json.loads(seen.out)["frames"] == 1
    assert seen.err.startswith(f"saliency: error: {tmp_path / 'bad.dcm'}: ")


def test_a_file_is_told_of_as_before(folder, capsys):
    """A file, and each file of a folder on request, with what it holds."""
    assert run("info", folder / "a0.dcm", "--json") == DONE
    assert json.loads(capsys.readouterr().out)["rows"] == 6
    run("info", folder, "--files", "--json")
    assert len(capsys.readouterr().out.splitlines()) == 7


def test_a_volume_is_explained_as_in_python(model, folder, tmp_path, capsys):
    """The montage, the numbers on the volume's grid, and a folder of slices."""
    out = (
        "--out",
        tmp_path,
        "--save",
        "png,npz,slices",
        "--method",
        "gradient",
        "--target",
        1,
    )
    assert (
        run("volume", model, folder, *out, "--number", 3, "--window", "50,100") == DONE
    )
    written = [line.split(" -> ")[1] for line in capsys.readouterr().out.splitlines()]
    volume = sal.read_series(folder, series=3, window=sal.Window(50, 100))
    expected = sal.explain(model, volume, "gradient", target=1)

    with np.load(next(name for name in written if name.endswith(".npz"))) as kept:
        np.testing.assert_allclose(kept["values"], expected.heatmap.values, atol=1e-7)
    assert len(list(tmp_path.glob("*-slices/*.png"))) == 5
    assert next(tmp_path.glob("*.png")).read_bytes() == expected.montage().png()
    assert not [path for path in tmp_path.rglob("*") if "JANE" in path.name]


def test_what_is_no_volume_begins_with_its_name(model, folder, tmp_path, capsys):
    """Several series are listed, and the option that chooses; one slice is told of."""
    assert run("volume", model, folder, "--out", tmp_path) == FAILED
    first = capsys.readouterr().err
    assert first.startswith(
        f"saliency: error: {folder}: expected one series, got 2: series 3 (CT"
    )
    assert "Choose with --number" in first
    assert run("volume", model, folder / "a0.dcm", "--out", tmp_path) == FAILED
    assert capsys.readouterr().err.startswith(f"saliency: error: {folder / 'a0.dcm'}: ")
    assert run("volume", model, folder, "--out", tmp_path, "--save", "jpg") == FAILED
    assert "slices" in capsys.readouterr().err


def test_an_example_of_where_is_one_for_a_shell():
    """What the message shows can be typed."""
    from saliency.cli.volume import _named_series
    from saliency.volumes.stack import _example_of_where

    for example, shown in (
        (_example_of_where("EchoTime", 20.0), "--where EchoTime=20."),
        (_example_of_where("ImageType", "M"), "--where ImageType=M."),
    ):
        words = f"echoes. Choose with where=, as in {example}."
        with pytest.raises(InputError) as caught, _named_series(["ct"]):
            raise InputError(words)
        assert str(caught.value) == f"ct: echoes. Choose with --where, as in {shown}"


def test_a_window_moves_over_the_volume(folder, tmp_path):
    """``--fit sliding`` with overlap and halo is the map that Python gives."""
    keras.utils.set_random_seed(0)
    layers = [
        keras.Input((3, 4, 4, 1)),
        keras.layers.Conv3D(2, 3, activation="relu", padding="same"),
        keras.layers.GlobalAveragePooling3D(),
        keras.layers.Dense(2),
    ]
    path = tmp_path / "windows.keras"
    keras.Sequential(layers).save(path)
    asked = ("--fit", "sliding", "--overlap", 0.25, "--halo", 1, "--method", "gradient")
    question = (path, folder, "--number", 3, "--target", 1, *asked)
    assert run("volume", *question, "--out", tmp_path, "--save", "npz") == DONE

    (written,) = tmp_path.glob("*.npz")
    prepare = sal.Prepare(fit="sliding", overlap=0.25, halo=1)
    volume = sal.read_series(folder, series=3)
    expected = sal.explain(path, volume, "gradient", target=1, prepare=prepare)
    with np.load(written) as held:
        np.testing.assert_array_equal(held["values"], expected.heatmap.values)
    assert len(expected.windows.scores) > 1
