"""The lemmas of one layer that ships, as one job."""

import importlib.metadata
from pathlib import Path

from common.jobs import Figures
from common.paths import BUILD, GOLDEN, RTL
from model import artifact
from model.artifact import Network
from verify.formal.neurons_control import Control
from verify.formal.neurons_design import Design
from verify.formal.neurons_layer import design, subject
from verify.formal.neurons_queue import Queue
from verify.formal.neurons_rows import Run
from verify.formal.neurons_words import Words

FOLDER = BUILD / "formal" / "neurons"
# The networks that ship, at the folds that they ship with.
NETWORKS = ("iris", "wine", "breast_cancer", "digits")
# What a layer's proof counts.
NEURONS, ANSWERS = "neurons", "solver's answers"
SUMS, BEHIND = "cycles of the sums", "cycles behind them"


def solver() -> dict[str, str]:
    """The solver and its version."""
    return {"Bitwuzla": importlib.metadata.version("bitwuzla")}


def file(name: str) -> Path:
    """The file of a network that ships."""
    return GOLDEN / f"{name}.network.json"


def layer(name: str, index: int) -> Figures:
    """Prove every lemma of a layer; return what was proved. Raises `ProofError` where one fails."""
    network = artifact.load(file(name))
    found = design(network, index, FOLDER / f"{name}-{network.spec.layers[index].name}", RTL)
    proofs = [lemma(found, network, index) for lemma in (control, queue, rows)]
    return {name: count for counts in proofs for name, count in counts.items()}


def control(found: Design, network: Network, index: int) -> Figures:
    """Prove for all time what meets what, products uninterpreted; return the cases."""
    words = Words()
    cases = Control(subject(words, network, index, cut=True), found).prove()
    return {SUMS: cases}


def queue(found: Design, network: Network, index: int) -> Figures:
    """Prove for all time what becomes of sums; return the cases."""
    words = Words()
    cases = Queue(subject(words, network, index, cut=True), found).prove()
    return {BEHIND: cases}


def rows(found: Design, network: Network, index: int) -> Figures:
    """Prove every neuron for every input; return their number, and that of the solver's answers."""
    words = Words()
    neurons = Run(subject(words, network, index, cut=False), found).prove()
    return {NEURONS: neurons, ANSWERS: words.decided}
