"""Canonical networks that are no plain chain of Linear and ReLU, as their authors write them."""

from itertools import pairwise

from torch import Tensor, nn


def _stack(*sizes: int, activation: type[nn.Module]) -> list[nn.Module]:
    """Linears with an activation behind each."""
    pairs = pairwise(sizes)
    return [part for n_in, n_out in pairs for part in (nn.Linear(n_in, n_out), activation())]


class Intrusions(nn.Sequential):
    """UNSW-NB15, 593-64-64-64-1: BatchNorm and ReLU, one sigmoid."""

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        for n_in in (593, 64, 64):
            layers += [nn.Linear(n_in, 64), nn.BatchNorm1d(64), nn.ReLU()]
        super().__init__(*layers, nn.Linear(64, 1), nn.Sigmoid())


class Autoencoder(nn.Sequential):
    """Anomaly detection of MLPerf Tiny, 640-128x4-8-128x4-640: BatchNorm and ReLU, no end."""

    def __init__(self) -> None:
        sizes = (640, 128, 128, 128, 128, 8, 128, 128, 128, 128)
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(sizes):
            layers += [nn.Linear(n_in, n_out), nn.BatchNorm1d(n_out), nn.ReLU()]
        super().__init__(*layers, nn.Linear(128, 640))


class Policy(nn.Sequential):
    """A control policy, 8-64-64-4, with tanh throughout."""

    def __init__(self) -> None:
        super().__init__(*_stack(8, 64, 64, 4, activation=nn.Tanh))


class Leaky(nn.Module):
    """12-32-16-3 with ReLU6, then LeakyReLU."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(12, 32), nn.Linear(32, 16), nn.Linear(16, 3)
        self.first, self.second = nn.ReLU6(), nn.LeakyReLU(0.125)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of 3 classes."""
        logits: Tensor = self.fc3(self.second(self.fc2(self.first(self.fc1(x)))))
        return logits
