"""Files that other tools write, in the place of those that a recipe takes."""

import re

from model.format import require

PARAMETERS = r".+\.(pt|pth|ckpt|bin|tar|safetensors)"
# Files that other tools write, and what to do with them.
ELSEWHERE = {
    (".joblib", ".pkl", ".pickle"): "is a pickle, whose code would have to be executed: write it "
    "as ONNX, skl2onnx.to_onnx(model, X[:1]), and give that as onnx",
    (".h5", ".hdf5", ".keras", ".pb"): "is a model of Keras: write it as ONNX, "
    "python -m tf2onnx.convert, and give that as onnx",
    (".tflite",): "is a model of TFLite: write it as ONNX, python -m tf2onnx.convert --tflite, and "
    "give that as onnx",
    (".pt2",): "is an exported program: save model.state_dict() and give it as checkpoint",
}


def require_own_kind(key: str, value: object) -> None:
    """Refuse files of other tools with what to do with them."""
    for endings, words in ELSEWHERE.items():
        foreign = isinstance(value, str) and value.lower().endswith(endings)
        require(not foreign, f"recipe: {key} = {value!r} {words}")
    weights = key == "module" and isinstance(value, str) and re.fullmatch(PARAMETERS, value)
    require(not weights, f"recipe: {key} must be a class, got the file {value!r}: give a "
            "state_dict as checkpoint, beside module = 'file.py:Class'")  # fmt: skip
