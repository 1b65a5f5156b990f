"""A trained PyTorch MLP in hand-written Verilog, bit for bit: ``from verbatim import Network``."""

from model import Learning, Network, Prediction

__all__ = ["Learning", "Network", "Prediction"]
