# %% [markdown]
# # A first explanation
#
# A model has classified a DICOM image. Which pixels decided?
#
# The image is a real MR slice that comes with pydicom. The model comes with the repository: it
# separates slices with a ring-shaped lesion from slices without. Open this file with Jupytext, or
# turn it into a notebook: `jupytext --to notebook first_explanation.py`.

# %%
from pathlib import Path

import numpy as np
from pydicom.data import get_testdata_file

import saliency as sal
from saliency.cli.quiet import start_tensorflow

start_tensorflow()  # without messages about missing GPUs
MODEL = Path("../../examples/demo_model.keras")

# %% [markdown]
# ## Read
#
# You see what a viewer shows: the window of the file is applied.

# %%
image = sal.read_dicom(get_testdata_file("examples_overlay.dcm"))
image

# %% [markdown]
# ## Ask about an image whose answer you know
#
# Nobody knows where a model *should* look on a patient. Draw a lesion, and you know.

# %%
rows, columns = np.ogrid[: image.size[0], : image.size[1]]
reach = np.hypot(rows - 112, columns - 100) / 26
rim = np.exp(-(((reach - 1) / 0.2) ** 2))
core = 1 / (1 + np.exp((reach - 1) / 0.1))
sick = sal.DicomImage.from_array(
    image.pixels * (1 - 0.6 * core) + 450 * rim, window=sal.Window(450, 790)
)
sick

# %% [markdown]
# ## Explain
#
# An explanation on the last line of a cell shows itself.

# %%
probe = sal.KerasProbe(MODEL, labels=["no lesion", "lesion"])
result = sal.explain(probe, sick, "fastcam", target="lesion")
result

# %% [markdown]
# Is it the lesion, or would any map look like this? Ask about the same slice without the lesion,
# and compare with noise.

# %%
sal.explain(probe, image, "fastcam", target="lesion")

# %%
sal.explain(probe, sick, "random", target="lesion")

# %% [markdown]
# A number is more sober: which share of the hottest 1 % of the image lies on the lesion?


# %%
def on_lesion(explanation):
    """Return the share of the hottest 1 % of the pixels that lie on the lesion."""
    hottest = sal.top_fraction(explanation.heatmap, 0.01).values
    return hottest[reach < 1.3].sum() / hottest.sum()


for name in ("fastcam", "gradcam", "integrated_gradients", "random"):
    print(f"{name:22} {on_lesion(sal.explain(probe, sick, name, target='lesion')):.0%}")

# %% [markdown]
# ## Overlay, save

# %%
path = result.overlay(palette="hot").save("first_explanation.png")
path.unlink()  # this notebook only shows it
result.overlay(palette="hot")
