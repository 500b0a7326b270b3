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
# PyTorch is large: without it, or where it cannot be had, its libraries are left out of the tables.
if [ "${TORCH:-1}" = 1 ]; then
    out/peers/bin/python -m pip install --quiet --requirement benchmarks/peers/torch-needs.txt &&
        out/peers/bin/python -m pip install --quiet --no-deps --requirement benchmarks/peers/torch.txt ||
        echo "PyTorch's libraries are left out"
fi
