# make demo   explain a real DICOM file with a trained model
# make test   pass all tests
# make lint   style, types, walls
# make corpus real DICOM files against independent renderers
# make bench  what this costs, in forward passes of the model, into docs/performance.md
# make peers  other libraries, timed and compared number by number
# make agreement  the same comparison alone, into docs/explainers/agreement.md
PYTHON ?= python3
BIN := .venv/bin
# TensorFlow tells of missing GPUs at length; what we print would drown in it.
export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: demo test lint corpus bench peers agreement clean

.venv/ready: pyproject.toml setup.py saliency/dicom/display/_look.c
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@

demo: .venv/ready
	$(BIN)/python examples/demo.py

# A process for each core, up to four; a file's tests stay together, since they share trained models.
test: .venv/ready
	$(BIN)/python -m pytest --numprocesses=logical --maxprocesses=4 --dist=loadfile

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

corpus: .venv/ready
	$(BIN)/python benchmarks/corpus.py

bench: .venv/ready
	$(BIN)/python benchmarks/speed --write

peers:
	PYTHON=$(PYTHON) benchmarks/peers/install.sh
	out/peers/bin/python benchmarks/peers/speed.py
	-out/peers/bin/python benchmarks/peers/torch_speed.py
	out/peers/bin/python benchmarks/agreement/agree.py

agreement:
	PYTHON=$(PYTHON) benchmarks/peers/install.sh
	out/peers/bin/python -W ignore benchmarks/agreement/agree.py --write

clean:
	rm -rf .venv out
