"""The files of a core: what templates are filled with, and their texts by path."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import jinja2

from common import sources
from common.errors import CommandError
from common.paths import ROOT
from model import images, loading, trimming
from model.artifact import Network
from model.images import MEM_DIR
from model.names import Names
from model.spec import TOP, NetworkSpec
from model.stage import Parameter
from model.trimming import Box
from model.verilog import LIST_ENTRY_W, number
from syn.package import answers, modules, quoted
from syn.package.vectors import Real, Samples, Vectors, samples, vectors

TEMPLATES = Path(__file__).with_name("templates")
WRAPPER = TEMPLATES / "wrapper.v.j2"
# Templates of files that are named the same in every core.
NAMED_ALIKE = ("package_ip.tcl.j2", "component.xml.j2", "instance.v.txt.j2", "README.md.j2")
# The modules beside `mlp_top`: where the network is trimmed, and where results have a number.
RANGE = "mlp_range"
WATCH = "mlp_watch"
MOST_INDEX_BITS = 16
# The layout of the folder, as tools that ask for a version see it.
VERSION = "1.0.0"
# Comments for each entry of a list parameter of `mlp_top`: the first of N and X_W is the input's.
_ENDS = frozenset({"N", "X_W"})
# Words of plans on a line.
_PLAN_WORDS = 8
_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


@dataclass(frozen=True)
class Core:
    """A network at its folds, the samples that its bench sends, and the sources that it needs.

    Results have a number of ``index_w`` bits, none where that is 0.
    """

    network: Network
    samples: Samples
    vectors: Vectors
    sources: tuple[Path, ...]
    index_w: int = 0

    @classmethod
    def of(cls, network: Network, features: Real, index_w: int = 0) -> Self:
        """The core of a network, checked by samples of ``features [samples, n_in]``.

        Raises `CommandError` where its name cannot be part of a module's or ``index_w`` is not 0 ..
        16, and `FeatureError` where features are not those of the network.
        """
        name = network.spec.name
        if not set(name) <= _CHARACTERS:
            raise CommandError(
                f"name of the network must be ASCII letters, digits and _ for a core, got {name!r}"
            )
        if not 0 <= index_w <= MOST_INDEX_BITS:
            raise CommandError(f"bits of an index must be 0 .. {MOST_INDEX_BITS}, got {index_w}")
        found = samples(network, features)
        tops = [TOP] if trimming.box_of(network) is None else [TOP, RANGE]
        needed = modules.needed(*tops, *([WATCH] if index_w else []))
        return cls(network, found, vectors(network, found), tuple(needed), index_w)

    @property
    def spec(self) -> NetworkSpec:
        """The shape of the network."""
        return self.network.spec

    @property
    def module(self) -> str:
        """Name of the wrapper module."""
        return f"{self.spec.name}_core"

    @property
    def has_bytes(self) -> bool:
        """A beat is a byte both ways, as the pins of a Tiny Tapeout project are.

        They leave none for the bytes of a load, for the flag of a trimmed network or for an index.
        """
        spec = self.spec
        bits = {spec.in_lanes * spec.x.byte_width, answers.tdata_width(spec)}
        return bits == {8} and not spec.loadable and self.box is None and not self.index_w

    @cached_property
    def box(self) -> Box | None:
        """The box of a trimmed network, None for others."""
        return trimming.box_of(self.network)

    @cached_property
    def facts(self) -> dict[str, Any]:
        """Digests of network and sources, fold and cycles: they identify the core."""
        spec = self.spec
        return {
            "module": self.module,
            "network_sha256": images.identity(self.network),
            "sources_sha256": sources.digest(self.sources),
            "fold": {layer.name: [layer.simd, layer.pe] for layer in spec.layers},
            "lanes": {"in": spec.in_lanes, "out": spec.out_lanes},
            "interval": spec.interval,
            "latency": spec.latency,
            **({} if self.box is None else {"box": self.box.plain}),
            **({"index_bits": self.index_w} if self.index_w else {}),
        }


def range_parameters(network: Network) -> dict[str, Parameter]:
    """Parameters of `mlp_range` beside the core of a trimmed network; flags wait for results."""
    box, spec = trimming.box_of(network), network.spec
    assert box is not None
    under_way = spec.latency // spec.interval + 2
    return {
        "N": spec.n_in,
        "LANES": spec.in_lanes,
        "W": spec.x.width,
        "DEPTH_W": under_way.bit_length(),
        "LOW": tuple(int(code) % (1 << LIST_ENTRY_W) for code in box.low),
        "HIGH": tuple(int(code) % (1 << LIST_ENTRY_W) for code in box.high),
    }


def wait(spec: NetworkSpec) -> int:
    """Cycles without a beat that end a block: a sound core's next result takes half of them."""
    return 2 * spec.latency


def _watch(core: Core) -> list[dict[str, Any]]:
    """Parameters of `mlp_watch` as those of `_parameters`; none where results have no number."""
    if not core.index_w:
        return []
    spec = core.spec
    values = {
        "BEATS_IN": spec.n_in // spec.in_lanes,
        "BEATS_OUT": spec.n_out // spec.out_lanes,
        "INDEX_W": core.index_w,
        "WAIT": wait(spec),
    }
    return [{"name": name, "literal": str(value)} for name, value in values.items()]


def _range(core: Core, features: Sequence[str]) -> list[dict[str, Any]]:
    """Parameters of `mlp_range` as those of `_parameters`; none where there is no box."""
    if core.box is None:
        return []
    ends = {"LOW": core.box.low, "HIGH": core.box.high}
    found: list[dict[str, Any]] = []
    for name, value in range_parameters(core.network).items():
        if isinstance(value, tuple):
            owners = [f"{who}, {code}" for who, code in zip(features, ends[name], strict=True)]
            found.append(_listed(name, value, owners))
        else:
            found.append({"name": name, "literal": str(value)})
    return found


def _listed(name: str, values: Iterable[int], owners: Iterable[str]) -> dict[str, Any]:
    """A list parameter as literals, the last entry first, each with whose it is."""
    literals = (f"32'd{value}" for value in values)
    return {"name": name, "entries": list(zip(literals, owners, strict=True))[::-1]}


def _ranges(core: Core) -> list[tuple[int, int, float, float]]:
    """Range of each feature of a trimmed network: in codes, and in the feature's own unit."""
    if core.box is None:
        return []
    codes = zip(core.box.low.tolist(), core.box.high.tolist(), strict=True)
    reals = trimming.in_units(core.network, core.box)
    return [(*pair, *ends) for pair, ends in zip(codes, reals, strict=True)]


def _parameters(spec: NetworkSpec) -> list[dict[str, Any]]:
    """Parameters of `mlp_top` as literals; lists with the last entry first, and whose it is."""
    layers = [layer.name for layer in spec.layers]
    found: list[dict[str, Any]] = []
    for name, value in spec.parameters(MEM_DIR).items():
        if name == "MEM_DIR":
            continue
        if name == "PLANS":
            assert isinstance(value, tuple)
            found.append({"name": name, "entries": _plans(value)[::-1]})
        elif isinstance(value, tuple):
            owners = ["features", *layers] if name in _ENDS else layers
            owners = [*layers, "words of all"] if name == "PLAN_AT" else owners
            found.append(_listed(name, value, owners))
        else:
            literal = f'"{value}"' if isinstance(value, str) else str(value)
            found.append({"name": name, "literal": literal})
    return found


def _plans(words: tuple[int, ...]) -> list[tuple[str, str]]:
    """Words of plans as literals of eight, and which they are."""
    found = []
    for first in range(0, len(words), _PLAN_WORDS):
        part = words[first : first + _PLAN_WORDS]
        last = first + len(part) - 1
        found.append(
            (number(part), f"words {first} .. {last}" if len(part) > 1 else f"word {last}")
        )
    return found


def _frame_bytes(spec: NetworkSpec, features: Iterable[str]) -> list[tuple[int, str]]:
    """Each byte of a sample's frame: its number, and what it holds."""
    count = spec.x.byte_width // 8
    parts = ("",) if count == 1 else (", low byte", ", high byte, sign-extended")
    names = [f"code of {name}{part}" for name in features for part in parts]
    return list(enumerate(names))


def context(core: Core) -> dict[str, Any]:
    """All that the templates are filled with."""
    network, spec = core.network, core.spec
    names = network.names or Names()
    features = names.features or tuple(f"feature {k}" for k in range(spec.n_in))
    in_w = spec.in_lanes * spec.x.byte_width
    shown = range(min(1, len(core.samples.codes)))
    return {
        **core.facts,
        **answers.context(network),
        "has_bytes": core.has_bytes,
        "name": spec.name,
        "NAME": spec.name.upper(),
        "version": VERSION,
        "spec": spec,
        "x": spec.x,
        "layers": spec.layers,
        "parameters": _parameters(spec),
        "range": _range(core, features),
        "ranges": _ranges(core),
        "watch": _watch(core),
        "index_w": core.index_w,
        "wait": wait(spec),
        # A block is never interrupted; behind one the input waits.
        "steady": min([core.vectors.steady, *([1 << core.index_w] if core.index_w else [])]),
        "features": features,
        "scaling": network.scaling,
        "code_bytes": spec.x.byte_width // 8,
        "sample_bytes": spec.n_in * spec.x.byte_width // 8,
        "frame": _frame_bytes(spec, features),
        "in_beats": spec.n_in // spec.in_lanes,
        "out_beats": spec.n_out // spec.out_lanes,
        "in_w": in_w,
        "sources": [path.name for path in core.sources],
        "images": list(images.image_shapes(spec)),
        "vectors": core.vectors,
        "worked": [_worked(core, index) for index in shown],
        "samples": [_worked(core, index) for index in range(len(core.samples.codes))],
        "multipliers": spec.area.multipliers,
        "load_bytes": loading.frame_bytes(spec) if spec.loadable else 0,
        "loads": [(name, words, -(-width // 8)) for name, (words, width) in _loads(spec).items()],
    }


def _loads(spec: NetworkSpec) -> dict[str, tuple[int, int]]:
    """Words and bits of a word of each image that can be loaded, in the order of a frame."""
    return loading.loaded_shapes(spec) if spec.loadable else {}


def _worked(core: Core, index: int) -> dict[str, Any]:
    """One sample from its features to the bytes of its answer."""
    found, spec = core.samples, core.spec
    codes = found.codes[index].tolist()
    width = spec.x.byte_width
    sample = b"".join((code % (1 << width)).to_bytes(width // 8, "little") for code in codes)
    return {
        "features": found.features[index].tolist(),
        "codes": codes,
        "sample": sample.hex(" "),
        "result": answers.as_bytes(spec, found.results[index].tolist()).hex(" "),
        "values": found.results[index].tolist(),
        "reals": core.network.values(found.results[index : index + 1])[0].tolist(),
        "class": int(found.classes[index]),
    }


def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    made.globals["plural"] = quoted.plural
    made.filters |= {
        "comment": quoted.comment,
        "c": quoted.c,
        "python": ascii,
        "markdown": quoted.markdown,
    }
    return made


def texts(core: Core) -> dict[str, str]:
    """Text of each file of the core, by its path in the folder."""
    environment, filled = _environment(), context(core)
    name = core.spec.name
    rendered = {
        f"{core.module}.v": WRAPPER.name,
        f"{name}_tb.v": "bench.v.j2",
        f"{name}.f": "sources.f.j2",
        f"{name}.core": "fusesoc.core.j2",
        f"{name}.qip": "quartus.qip.j2",
        f"{name}_litex.py": "litex.py.j2",
        f"host/{name}.h": "host.h.j2",
        f"host/{name}.c": "host.c.j2",
        f"host/{name}_host.py": "host.py.j2",
        "host/samples.csv": "samples.csv.j2",
        **{template.removesuffix(".j2"): template for template in NAMED_ALIKE},
    }
    if core.has_bytes:
        rendered[f"tt_um_{name}.v"] = "tiny_tapeout.v.j2"
    found = {
        path: environment.get_template(template).render(filled)
        for path, template in rendered.items()
    }
    return (
        found
        | {f"rtl/{path.name}": path.read_text() for path in core.sources}
        | _memories(core)
        | {"LICENSE": (ROOT / "LICENSE").read_text()}
    )


def _memories(core: Core) -> dict[str, str]:
    """ROM images and vectors, a hexadecimal word a line."""
    spec, found = core.spec, core.vectors
    shapes = images.image_shapes(spec)
    words = images.images(core.network)
    frame = loading.frame(spec, core.network) if spec.loadable else b""
    in_w = spec.in_lanes * spec.x.byte_width + 1
    out_w = answers.tdata_width(spec) + answers.user_width(core.network) + 1
    return {
        **{f"{MEM_DIR}/{name}": _lines(words[name], width) for name, (_, width) in shapes.items()},
        **({"vectors/load.mem": _lines(frame, 8)} if frame else {}),
        "vectors/sent.mem": _lines(found.sent, in_w),
        "vectors/expected.mem": _lines(found.expected, out_w),
    }


def _lines(words: Iterable[int], width: int) -> str:
    digits = -(-width // 4)
    return "".join(f"{word:0{digits}x}\n" for word in words)
