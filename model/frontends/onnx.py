"""An ONNX file as a PyTorch module, for networks that were trained elsewhere.

Operators: https://onnx.ai/onnx/operators, https://github.com/fastmachinelearning/qonnx for Quant,
and https://onnxruntime.ai/docs for QGemm, QLinearAdd and QLinearSoftmax. Matrices that two nodes
share stay shared.
"""

from pathlib import Path

from torch import nn

from common.errors import reason
from model.frontends import torch_fx
from model.frontends.onnx_file import OnnxError, external_files, read
from model.frontends.onnx_operators import OPERATORS
from model.frontends.onnx_reader import Reader

__all__ = ["OnnxError", "external_files", "load"]


def load(path: Path, result: str | int | None = None, floats: bool = False) -> nn.Sequential:
    """The network of an ONNX file, ``[samples, n_in]`` to its output, in float32.

    ``result`` names one of several outputs. Where values between the layers are quantized, the
    module rounds them as the file says, unless ``floats`` leaves all rounding out. Raises
    `OnnxError`, naming file and node, on anything but what `model.frontends.onnx_node` lists as
    supported. Each name of the module is that of a node, or its operator and number.
    """
    model = read(path)
    try:
        module = Reader(model, OPERATORS, result, floats).module()
        torch_fx.core_layers(module, "sigmoids" if torch_fx.ends_in_sigmoid(module) else "softmax")
        return module
    except (OnnxError, torch_fx.FrontendError) as error:
        raise OnnxError(f"{path}: {error}") from error
    except Exception as error:  # what the checker lets pass, damaged all the same
        raise OnnxError(f"{path}: is no valid ONNX: {reason(error)}") from error
