#!/bin/sh
# Make out/peers: an environment with this library and the others, and PAIR's apart from both,
# since it has the same import name.
set -eu
cd "$(dirname "$0")/../.."
python=${PYTHON:-python3}
"$python" -m venv out/peers
out/peers/bin/python -m pip install --quiet --editable . psutil
out/peers/bin/python -m pip install --quiet --requirement benchmarks/peers/needs.txt
out/peers/bin/python -m pip install --quiet --no-deps --requirement benchmarks/peers/requirements.txt
out/peers/bin/python -m pip install --quiet --no-deps --target out/peers/pair saliency==0.2.1
# PyTorch's libraries are timed against a forward pass of PyTorch, away from TensorFlow.
"$python" -m venv out/torch
out/torch/bin/python -m pip install --quiet --requirement benchmarks/peers/torch.txt
