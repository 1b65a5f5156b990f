"""Paths of a checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RTL = ROOT / "rtl"
BUILD = ROOT / "build"
RECIPES = ROOT / "model" / "networks"

# Networks and their outputs, as they were when they were committed.
GOLDEN = ROOT / "tb" / "golden"
GOLDEN_IRIS = GOLDEN / "iris.network.json"
