"""Weights with a frac for each output: a network that the hardware is not."""

import torch
from torch import Tensor, nn

from model.frontends.torch_fx import Layer
from model.qat.calibration import Calibration, best_format, straight_through
from model.qat.quantize import QuantizedNetwork


class PerChannel(QuantizedNetwork):
    """As its base, but each row of a matrix has the finest frac that holds its largest weight."""

    def __init__(self, module: nn.Module, formats: Calibration, score: str) -> None:
        super().__init__(module, formats, score)
        self.lsb = {layer.weights: self._lsb(layer) for layer in self.layers}

    def _lsb(self, layer: Layer) -> Tensor:
        width = self.formats.weights[layer.weights].width
        largest = layer.linear.weight.detach().abs().amax(dim=1).tolist()
        return torch.tensor([[best_format(width, value).lsb] for value in largest]).double()

    def weights(self, layer: Layer) -> Tensor:
        """A layer's weights, quantized row by row; differentiable."""
        fmt, lsb = self.formats.weights[layer.weights], self.lsb[layer.weights]
        scaled = (layer.linear.weight / lsb).clamp(fmt.q_min, fmt.q_max)
        return straight_through(torch.round(scaled), scaled) * lsb
