"""The network as numbers: ``from model import Network``."""

from model.library import Network, Prediction

__all__ = ["Network", "Prediction"]
