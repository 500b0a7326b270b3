# make demo   explain a real DICOM file with a trained model
# make test   pass all tests
# make test-fast  the tests that need no TensorFlow and are not slow, in a minute
# make matrix  the core of the suite with the oldest and the newest libraries that are promised
# make processors  the tests of numbers as other processors would compute them
# make mutants  change the code line by line and see whether a test notices (hours)
# make lint   style, types, walls
# make corpus real DICOM files against independent renderers
# make bench  what this costs, in forward passes of the model, into benchmarks/speed.md
# make verdicts  audits of real models whose truth is known (data: SALIENCY_SHARED)
# make peers  other libraries, timed and compared number by number
# make agreement  the same comparison alone, into docs/explainers/agreement.md and docs/evaluation.md
PYTHON ?= python3
BIN := .venv/bin
# TensorFlow tells of missing GPUs at length; what we print would drown in it.
export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: demo test test-fast matrix processors mutants lint corpus bench verdicts peers agreement clean

IN_C := saliency/dicom/display/_look.c saliency/pipeline/_shrink.c
.venv/ready: pyproject.toml setup.py $(IN_C)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@

demo: .venv/ready
	$(BIN)/python examples/demo.py

# A process for each core, up to four, of one thread: more would wait for each other. Tests that
# share networks stay together: tests/conftest.py.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1
PYTEST := $(BIN)/python -m pytest --numprocesses=logical --maxprocesses=4 --dist=loadgroup --no-loadscope-reorder

test: .venv/ready
	$(ONE_THREAD) $(PYTEST)

test-fast: .venv/ready
	$(ONE_THREAD) $(PYTEST) --fast

matrix:
	$(PYTHON) scripts/matrix.py

# An older processor, TensorFlow without oneDNN, four threads: sums are taken in another order.
NUMBERS := tests/probe/test_every_shape.py tests/probe/test_several_inputs.py tests/explainers
processors: .venv/ready
	ONEDNN_MAX_CPU_ISA=AVX2 $(ONE_THREAD) $(PYTEST) $(NUMBERS)
	TF_ENABLE_ONEDNN_OPTS=0 $(ONE_THREAD) $(PYTEST) $(NUMBERS)
	OMP_NUM_THREADS=4 TF_NUM_INTRAOP_THREADS=4 TF_NUM_INTEROP_THREADS=4 $(PYTEST) $(NUMBERS)

mutants: .venv/ready
	$(BIN)/python scripts/mutants.py

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	[ ! -x $(BIN)/hadolint ] || $(BIN)/hadolint containers/Containerfile

corpus: .venv/ready
	$(BIN)/python benchmarks/corpus.py

bench: .venv/ready
	$(BIN)/python benchmarks/speed --write

verdicts: .venv/ready
	$(BIN)/python benchmarks/shortcuts/verdicts.py

peers:
	PYTHON=$(PYTHON) benchmarks/peers/install.sh
	out/peers/bin/python benchmarks/peers/speed.py
	-out/peers/bin/python benchmarks/peers/torch_speed.py
	out/peers/bin/python benchmarks/agreement/agree.py

agreement:
	PYTHON=$(PYTHON) benchmarks/peers/install.sh
	out/peers/bin/python -W ignore benchmarks/agreement/agree.py --write
	out/peers/bin/python -W ignore benchmarks/agreement/scores.py --write

clean:
	rm -rf .venv out
