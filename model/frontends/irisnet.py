"""The network that started the project: three Linear layers, one of them used twice."""

from torch import Tensor, nn
from torch.nn import functional as F


class IrisNet(nn.Module):
    """``[samples, 4]`` features in cm to ``[samples, 3]`` probabilities.

    ``fc2`` is applied twice, with no ReLU in between. Source: "Deep Learning FPGA Acceleration with
    Python", part 2, D. Kaukinen, 2023.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(4, 30)
        self.fc2 = nn.Linear(30, 30)
        self.fc3 = nn.Linear(30, 3)
        self.softmax = nn.Softmax(dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """Probabilities of each class; each row sums to 1."""
        x = F.relu(self.fc1(x))
        x = self.fc2(x)
        x = F.relu(self.fc2(x))
        x = self.fc3(x)
        probabilities: Tensor = self.softmax(x)
        return probabilities
