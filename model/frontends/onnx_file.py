"""An ONNX file as it lies on the disk: read, with what lies beside it, and checked."""

from pathlib import Path

import onnx
from onnx import TensorProto
from onnx.external_data_helper import load_external_data_for_model

from common.errors import VerbatimError, reason

# Older operators have other attributes.
OLDEST_OPSET = 7
# Domains whose nodes are read; of others a file may say whatever it likes.
STANDARD, FOREIGN = ("", "ai.onnx"), "qonnx.custom_op.general"


class OnnxError(VerbatimError):
    """A file that is no network of the supported kind: the message names the file and the node."""


def read(path: Path) -> onnx.ModelProto:
    """A file's graph with all its tensors; raises `OnnxError` where it is no valid ONNX."""
    model = _read(path)
    try:
        _check_versions(model)
        load_external_data_for_model(model, str(path.parent))
        onnx.checker.check_model(model)
    except OnnxError as error:
        raise OnnxError(f"{path}: {error}") from error
    except Exception as error:  # the checker has no common class of errors
        missing = next((f for f in _external(path, model) if not f.is_file()), None)
        words = f"its tensors are in {missing.name}, which is missing" if missing else reason(error)
        raise OnnxError(f"{path}: is no valid ONNX: {words}") from error
    return model


def external_files(path: Path) -> set[Path]:
    """Return the files beside an ONNX file that hold its tensors; raises `OnnxError`."""
    return {file.resolve() for file in _external(path, _read(path)) if file.is_file()}


def _read(path: Path) -> onnx.ModelProto:
    """A file's graph, without tensors that other files hold."""
    try:
        model = onnx.load(path, load_external_data=False)
    except OSError as error:
        raise OnnxError(f"{path}: cannot be read: {reason(error)}") from error
    except Exception as error:  # protobuf has no common class of errors
        raise OnnxError(f"{path}: cannot be read: is truncated, damaged or no ONNX") from error
    if not model.graph.node:
        raise OnnxError(f"{path}: holds no node, expected a network")
    return model


def _external(path: Path, model: onnx.ModelProto) -> set[Path]:
    return {
        path.parent / entry.value
        for tensor in model.graph.initializer
        if tensor.data_location == TensorProto.EXTERNAL
        for entry in tensor.external_data
        if entry.key == "location"
    }


def _check_versions(model: onnx.ModelProto) -> None:
    """Refuse versions whose operators may mean something else."""
    newest = onnx.defs.onnx_opset_version()
    for opset in model.opset_import:
        if opset.domain in STANDARD and not OLDEST_OPSET <= opset.version <= newest:
            raise OnnxError(
                f"its opset must be {OLDEST_OPSET} to {newest}, got {opset.version}: "
                "export it again with another opset_version"
            )
    if not 3 <= model.ir_version <= onnx.IR_VERSION:
        raise OnnxError(f"its ir_version must be 3 to {onnx.IR_VERSION}, got {model.ir_version}")
