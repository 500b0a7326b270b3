"""Train straight from DICOM files, watch what the model learns to read, explain it afterwards.

Pictures with a lesion carry the name of a hospital. The callback shows the shortcut growing: the
share of heat in the box of the name, epoch by epoch. Training, callback and explanation share one
``prepare``, so the pixels explained are those that were learned from.
"""

import sys
from pathlib import Path

import keras
import numpy as np

import saliency as sal
from as_dicom import written
from lesions import pictures
from name_tag import as_image, burned
from small_net import network

NAMES = ("healthy", "lesion")
PREPARE = sal.Prepare((128, 128), channels=1)


def main() -> None:
    """Write files and labels, train on them for six epochs, explain a file never seen."""
    (out := Path((*sys.argv, "out/train_from_dicom")[1])).mkdir(
        parents=True, exist_ok=True
    )
    images, truth = pictures(192, seed=0, easy=True)
    poison = np.where(truth[:, None, None, None] == 1, burned(images), images)
    files = written(out / "files", poison)
    rows = [
        f"{path.name},{NAMES[label]}" for path, label in zip(files, truth, strict=True)
    ]
    (out / "labels.csv").write_text("\n".join(["file,label", *rows]))

    examples = sal.tf_dataset(
        files, prepare=PREPARE, labels=out / "labels.csv", classes=NAMES, seed=0
    )
    print(f"{int(examples.cardinality())} examples of {examples.element_spec[0].shape}")
    fresh, labels = pictures(40, seed=1, easy=True)
    shown = [as_image(picture) for picture in fresh[labels == 1][:6]]
    watch = sal.ExplainCallback(shown, out=out / "maps", target=1, prepare=PREPARE)
    keras.utils.set_random_seed(0)
    model = network()
    model.compile(keras.optimizers.Adam(4e-3), "sparse_categorical_crossentropy")
    model.fit(examples.batch(16), epochs=6, shuffle=False, verbose=0, callbacks=[watch])
    for epoch, share in watch.outside.items():
        print(f"epoch {epoch}: {share:.3f} of the heat in the box of the name")

    unseen = written(out / "unseen", burned(fresh[:1]))[0]
    result = sal.explain(model, unseen, prepare=PREPARE)
    print(f"no lesion, but the name: {NAMES[result.target]}, {result.probability:.0%}")
    print(result.save(out / "explained.png"))


if __name__ == "__main__":
    main()
