"""A timing diagram has a line for each row, a column for each cycle, and every text once."""

import re
from xml.etree import ElementTree

from tb.debug.timing_svg import CYCLE, svg

SVG = "{http://www.w3.org/2000/svg}"
SOURCE = {
    "signal": [
        {"name": "clk", "wave": "n...", "data": []},
        {},
        [
            "a <b>",
            {"name": "valid", "wave": "01.0", "data": []},
            {"name": "in_x[0]", "wave": "x22.", "data": ["-7", "12"]},
            {"name": "in_x[1]", "wave": "x97x", "data": ["3", "4"]},
        ],
    ],
    "head": {"text": ["tspan", ["tspan", {"class": "h6"}, "x & y"]], "tick": 40, "every": 1},
    "config": {"hscale": 2},
}


def texts(root: ElementTree.Element, kind: str) -> list[str | None]:
    return [text.text for text in root.iter(f"{SVG}text") if text.get("class") == f"timing-{kind}"]


def test_every_text_stands_once() -> None:
    root = ElementTree.fromstring(svg(SOURCE))
    assert texts(root, "title") == ["x & y"]
    assert texts(root, "group") == ["a <b>"]
    assert texts(root, "name") == ["clk", "valid", "in_x[0]", "in_x[1]"]
    assert texts(root, "tick") == ["40", "41", "42", "43"]
    assert texts(root, "value") == ["-7", "12", "3", "4"]


def test_values_stand_over_their_cycles() -> None:
    root = ElementTree.fromstring(svg(SOURCE))
    boxes = [box.get("points", "").split() for box in root.iter(f"{SVG}polygon")]
    step = 2 * CYCLE
    left = int(boxes[0][0])
    spans = [((int(b[0]) - left) // step, (int(b[6]) - left) // step) for b in boxes]
    assert spans == [(0, 1), (1, 2), (2, 4), (0, 1), (1, 2), (2, 3), (3, 4)]
    fills = [box.get("fill") for box in root.iter(f"{SVG}polygon")]
    plain, wrong, right, nothing = fills[1], fills[4], fills[5], fills[0]
    assert len({plain, wrong, right, nothing}) == 4 and fills[2] == plain


def test_levels_are_high_and_low_and_the_clock_rises_in_the_middle() -> None:
    root = ElementTree.fromstring(svg(SOURCE))
    clock, valid = (line.get("points", "").split() for line in root.iter(f"{SVG}polyline"))
    heights = [int(y) for y in valid[1::2]]
    assert heights[0] == heights[1] > heights[2] == heights[3] < heights[4] == heights[5]
    (low, start), (_, middle), (_, _), (high, _) = (
        (int(clock[k + 1]), float(clock[k])) for k in (0, 2, 4, 6)
    )
    assert low > high and middle - start == CYCLE


def test_no_style_reaches_another_drawing_of_its_page() -> None:
    style = next(ElementTree.fromstring(svg(SOURCE)).iter(f"{SVG}style")).text
    assert style and all(rule.startswith(".timing") for rule in re.findall(r"[^{}]+(?={)", style))
