"""A recipe is read completely or refused with the file, the key and what would be legal."""

from pathlib import Path

import pytest

from model import recipe
from model.folding import Fold, Goal
from model.recipe import RecipeError

IRIS = Path("model/networks/iris.toml")

# One illegal value for each key: the line to replace, what replaces it, and the message.
ILLEGAL = [
    ('name = "iris"', 'name = "i ris"', "name must be an identifier, got 'i ris'"),
    ('dataset = "iris"', "dataset = 1", "dataset must be the name of a dataset, got 1"),
    ("model.frontends.irisnet:IrisNet", "irisnet", "module must be like .*, got 'irisnet'"),
    (
        "model.frontends.irisnet:IrisNet",
        "net.joblib",
        "'net.joblib' is a pickle, .* skl2onnx.to_onn",
    ),
    ("model.frontends.irisnet:IrisNet", "net.keras", "is a model of Keras: .* tf2onnx.convert"),
    ("model.frontends.irisnet:IrisNet", "net.tflite", "is a model of TFLite: .* --tflite"),
    ("model.frontends.irisnet:IrisNet", "net.pt2", "is an exported program: save model.state_dict"),
    ("model.frontends.irisnet:IrisNet", "net.pt", "must be a class, got the file 'net.pt': give a"),
    ("seed = 0 ", "seed = -1 ", "seed must be an integer from 0 to .*, got -1"),
    ("seed = 0  ", "seed = true  ", "seed must be an integer from 0 to .*, got True"),
    ("test_fraction = 0.2", "test_fraction = 1.0", "split: test_fraction must .*, got 1.0"),
    ("test_fraction = 0.2", "test_fraction = 1", "split: test_fraction must be a float .*, got 1"),
    (
        "seed = 0                            # which",
        "seed = 0.5 #",
        "split: seed must be .*, got 0.5",
    ),
    ("epochs = 1000", "epochs = 0", "training: epochs must be an integer from 1 to .*, got 0"),
    (
        "learning_rate = 0.001\n\n[fine",
        "learning_rate = nan\n[fine",
        "training: learning_rate must be a float .*, got nan",
    ),
    ("epochs = 200", "epochs = -1", "fine_tuning: epochs must be an integer from 0 to .*, got -1"),
    (
        "learning_rate = 0.001\n\n[form",
        'learning_rate = ""\n[form',
        "fine_tuning: learning_rate must be a float",
    ),
    ("frac = 4", "frac = 99", "formats.input: format: frac must be .*, got 99"),
    ("width = 8, frac", "width = 1, frac", "formats.input: format: width must be .*, got 1"),
    (
        "weights_width = 8",
        "weights_width = 17",
        "formats: weights_width must be an integer from 2 to 16, got 17",
    ),
    (
        "activations_width = 8",
        "activations_width = 1",
        "formats: activations_width must be .*, got 1",
    ),
    ('score = "taylor2"', 'score = "taylor3"', "score must be one of .*, got 'taylor3'"),
    (
        'divider = "reciprocal"',
        'divider = "none"',
        "softmax: divider must be one of reciprocal, .*, got 'none'",
    ),
    ("lanes = 1  ", "lanes = 0  ", "softmax: lanes must be an integer from 1 to 64, got 0"),
    ("simd = 4", "simd = 0", "folds.fc1: simd must be an integer from 1 to .*, got 0"),
    (
        "fc3 = { simd = 10, pe = 1 }",
        'fc3 = { simd = 10, pe = "1" }',
        "folds.fc3: pe must be .*, got '1'",
    ),
    ("in_lanes = 1 ", "in_lanes = 0 ", "stream: in_lanes must be an integer from 1 to .*, got 0"),
    (
        "out_lanes = 1 ",
        "out_lanes = [] ",
        r"stream: out_lanes must be an integer from .*, got \[\]",
    ),
    ("[folds]\n", "[[folds]]\n", "folds must be a table of layers, got"),
    ("[folds]\n", "[folds]\ntarget_cycles = 3\n", "folds: unknown key 'fc1', expected one of ta"),
    (
        "seed = 0 ",
        "hidden = [3]\nseed = 0 ",
        "network must be exactly one of .*, got module and hidden",
    ),
    (
        "seed = 0 ",
        'checkpoint = "a.pt"\nseed = 0 ',
        "source of parameters must be .*, got training and checkpoint",
    ),
    (
        "seed = 0 ",
        'checkpoint = "a.txt"\nseed = 0 ',
        "checkpoint must be a path to a .pt, .*, got 'a.txt'",
    ),
    (
        "seed = 0 ",
        'features = "pretty"\nseed = 0 ',
        "features must be one of raw, standardize, .*, got 'pretty'",
    ),
    ("seed = 0 ", "features = { scale = [1] }\nseed = 0 ", "features: key 'offset' is missing"),
    (
        "seed = 0 ",
        "features = { offset = [1], scale = [0] }\nseed = 0 ",
        "scale must be above 0, got 0.0",
    ),
    (
        "seed = 0 ",
        "features = { offset = [1], scale = [] }\nseed = 0 ",
        "offset and scale must have .*, got 1 and 0",
    ),
    (
        'dataset = "iris"',
        'dataset = { file = "a.txt" }',
        "dataset: file must be a path .*, got 'a.txt'",
    ),
    (
        'dataset = "iris"',
        'dataset = { file = "a.csv", label = 3 }',
        "dataset: label must be .*, got 3",
    ),
    (
        'dataset = "iris"',
        'dataset = { file = "a.npz", label = "x" }',
        "dataset: label must be .*, got 'x'",
    ),
    (
        'dataset = "iris"',
        'dataset = { file = "a.csv", classes = [1] }',
        "classes must be a list of names, each once, got .1.",
    ),
    (
        'dataset = "iris"',
        'dataset = { files = "a.csv" }',
        "unknown key 'files'",
    ),
    (
        "weights_width = 8",
        'calibration = "mean"\nweights_width = 8',
        "calibration must be one of .*, got 'mean'",
    ),
    (
        "[softmax]",
        "[formats.layers.fc1]\nweights_width = 1\n[softmax]",
        "weights_width must be .*, got 1",
    ),
    (
        "[softmax]",
        "[formats.layers.fc1]\nwidth = 4\n[softmax]",
        "unknown key 'width', expected one of w",
    ),
    (
        "[softmax]",
        "[formats.layers]\nfc1 = 4\n[softmax]",
        "formats.layers.fc1 must be a table of keys, got 4",
    ),
    ("[training] ", "[other] ", "unknown key 'other'"),
]


def changed(tmp_path, old, new):
    text = IRIS.read_text()
    assert old in text
    path = tmp_path / "changed.toml"
    path.write_text(text.replace(old, new, 1))
    return path


def test_iris_recipe_says_what_the_network_is():
    iris = recipe.load(IRIS)
    assert (iris.name, iris.dataset, iris.module) == (
        "iris",
        "iris",
        "model.frontends.irisnet:IrisNet",
    )
    assert iris.training.epochs == 1000
    assert iris.folder == IRIS.parent
    assert (iris.formats.input.width, iris.formats.input.frac) == (8, 4)
    assert list(iris.folds) == ["fc1", "fc2", "fc2_2", "fc3"]
    assert iris.folds["fc2_2"] == Fold(simd=30, pe=1)


def test_every_recipe_in_the_repository_is_legal_and_named_as_its_file():
    paths = sorted(IRIS.parent.glob("*.toml"))
    assert IRIS in paths
    assert [recipe.load(path).name for path in paths] == [path.stem for path in paths]


def test_comments_do_not_change_the_digest_and_values_do(tmp_path):
    iris = recipe.load(IRIS).sha256
    assert recipe.load(changed(tmp_path, "# 120 flowers", "# so many")).sha256 == iris
    assert recipe.load(changed(tmp_path, "simd = 10,", "simd = 3,")).sha256 != iris


@pytest.mark.parametrize(("old", "new", "sentence"), ILLEGAL)
def test_an_illegal_value_is_refused_by_file_key_and_value(tmp_path, old, new, sentence):
    with pytest.raises(RecipeError, match=rf"changed\.toml: .*{sentence}"):
        recipe.load(changed(tmp_path, old, new))


def test_the_path_to_an_illegal_value_is_said_once(tmp_path):
    for old, new, path in (
        ('name = "iris"', 'name = "i ris"', "recipe"),
        ("epochs = 200", "epochs = -1", "recipe.fine_tuning"),
    ):
        with pytest.raises(RecipeError) as refused:
            recipe.load(changed(tmp_path, old, new))
        sentence = str(refused.value).removeprefix(f"{tmp_path}/changed.toml: ")
        assert sentence.startswith(f"{path}: {new.partition(' ')[0]} ")


def test_every_key_is_refused_when_missing_and_when_mistyped(tmp_path):
    lines = IRIS.read_text().splitlines(keepends=True)
    keys = [n for n, line in enumerate(lines) if "=" in line.partition("#")[0]]
    # A fold more or less is legal here: only the module knows which layers there are.
    keys = [n for n in keys if not lines[n].startswith("fc")]
    assert len(keys) == 18
    for number in keys:
        key = lines[number].partition(" ")[0]
        path = tmp_path / "changed.toml"
        path.write_text("".join(lines[:number] + lines[number + 1 :]))
        if key == "lanes":
            assert recipe.load(path).softmax.lanes is None
        else:
            missing = f"key '{key}' is missing|network must be exactly one of .*{key}.*, got none"
            with pytest.raises(RecipeError, match=rf"changed\.toml: .*({missing})"):
                recipe.load(path)
        mistyped = lines[number].replace(key, f"{key}_", 1)
        path.write_text("".join([*lines[:number], mistyped, *lines[number + 1 :]]))
        with pytest.raises(
            RecipeError, match=rf"changed\.toml: .*unknown key '{key}_', expected one of"
        ):
            recipe.load(path)


@pytest.mark.parametrize("table", ["split", "training", "fine_tuning", "formats", "softmax"])
def test_every_table_is_refused_when_mistyped(tmp_path, table):
    with pytest.raises(RecipeError, match=f"unknown key '{table}s'"):
        recipe.load(changed(tmp_path, f"[{table}]", f"[{table}s]"))


def test_a_key_at_its_default_does_not_change_the_digest(tmp_path):
    iris = recipe.load(IRIS).sha256
    for line in ('features = "raw"', 'formats.calibration = "max"'):
        path = changed(tmp_path, "[split]", f"{line}\n[split]")
        if line.startswith("formats"):
            path = changed(tmp_path, "weights_width = 8", 'calibration = "max"\nweights_width = 8')
        assert recipe.load(path).sha256 == iris
    path = changed(tmp_path, "weights_width = 8", 'calibration = "mse"\nweights_width = 8')
    assert recipe.load(path).sha256 != iris


def test_a_goal_takes_the_place_of_folds_and_lanes(tmp_path):
    text = IRIS.read_text()
    path = tmp_path / "changed.toml"
    path.write_text(text[: text.index("[folds]")] + "[folds]\nmax_multipliers = 9\n")
    plan = recipe.load(path)
    assert plan.folds == Goal(max_multipliers=9)
    assert (plan.stream, plan.softmax.lanes) == (None, 1)


def test_paths_are_relative_to_the_file(tmp_path):
    path = changed(tmp_path, 'dataset = "iris"', 'dataset = { file = "data/a.csv" }')
    path.write_text(path.read_text().replace("model.frontends.irisnet:IrisNet", "../mine.py:Net"))
    assert list(recipe.load(path).files()) == [tmp_path / "data/a.csv", tmp_path / "../mine.py"]
    assert list(recipe.load(IRIS).files()) == []


@pytest.mark.parametrize(
    "content", [b"name = ", b"\xff\xfe", None, b"a = " + 5000 * b"[", b"a = " + 5000 * b"9"]
)
def test_a_file_that_is_no_toml_is_refused_by_name(tmp_path, content):
    path = tmp_path / "broken.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RecipeError, match=r"broken\.toml: (is no TOML|cannot be read): "):
        recipe.load(path)


def test_an_end_of_line_that_toml_does_not_have_is_refused(tmp_path):
    path = changed(tmp_path, "epochs = 200", "epochs = 200\nother = 1")
    path.write_bytes(path.read_bytes().replace(b"\nother = 1", b"  # ends here?\rother = 1"))
    with pytest.raises(RecipeError, match=r"changed\.toml: is no TOML: "):
        recipe.load(path)


def test_a_number_that_toml_does_not_have_is_refused(tmp_path):
    with pytest.raises(RecipeError, match=r"changed\.toml: .* leaves the 64 bits of TOML"):
        recipe.load(changed(tmp_path, "epochs = 200", f"epochs = 0x{'f' * 5000}"))
