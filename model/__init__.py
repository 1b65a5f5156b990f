"""The network as numbers: ``from model import Network``."""

from model.library import Learning, Network, Prediction

__all__ = ["Learning", "Network", "Prediction"]
