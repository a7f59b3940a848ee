"""Where everything lies in a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import ConfigError

DEFAULT_SIZE = (960, 600)
SMALLEST, LARGEST = (480, 320), (3840, 2160)
CHARTS = 3
# Share of the width that goes to the picture, and to what stands in its column where there is none.
WITH_PICTURE, WITHOUT_PICTURE = 0.38, 0.34
# Share of the height of a chart.
CHART = 0.067
# Pixels a step and a neuron at the default size, the latter at most.
CELL, TALLEST_ROW = 4, 8
# Share of the room for rows that may be left empty is 1 less this.
EVEN = 0.8


class Box(NamedTuple):
    """A rectangle; `right` and `bottom` are just outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.bottom - self.top


class Block(NamedTuple):
    """A layer in the raster.

    Attributes
    ----------
    name : str
    memory : bool
        Whether it is of memory neurons.
    neurons : int
    rows : int
        Rows it is drawn in: as many as neurons, or fewer, each of which then shows the largest of several.
    label : int
        Where its name stands, pixels from the top; `box` is below.
    box : Box
    """

    name: str
    memory: bool
    neurons: int
    rows: int
    label: int
    box: Box


@dataclass(frozen=True)
class Layout:
    """The places in a frame.

    Attributes
    ----------
    size : (int, int)
    unit : float
        1 at the default size; letters, gaps and cells grow with it.
    picture : Box or None
    bars : Box
    blocks : tuple of Block
    charts : tuple of Box
        Value, TD error, return, without their names, which stand `line` pixels higher.
    columns, cell : int
        Steps that are seen, and pixels of each.
    margin, line : int
        Pixels of a gap, and of a line of letters.
    """

    size: tuple[int, int]
    unit: float
    picture: Box | None
    bars: Box
    blocks: tuple[Block, ...]
    charts: tuple[Box, ...]
    columns: int
    cell: int
    margin: int
    line: int


def arrange(size: tuple[int, int], layers: Sequence[tuple[str, bool, int]], picture: tuple[int, int] | None) -> Layout:
    """Return the layout.

    Parameters
    ----------
    size : (int, int)
        Of a frame.
    layers : sequence of (str, bool, int)
        Name, whether it is of memory neurons, neurons.
    picture : (int, int) or None
        Width and height of the picture of the environment, if there is one.

    Raises
    ------
    ConfigError
        If the layers do not fit into the height.
    """
    width, height = size
    unit = max(min(width / DEFAULT_SIZE[0], height / DEFAULT_SIZE[1]), 0.7)
    margin, line, cell = round(12 * unit), round(17 * unit), max(2, round(CELL * unit))
    left_end = round(width * (WITH_PICTURE if picture else WITHOUT_PICTURE))
    top = margin + 2 * line
    columns = (width - margin - left_end - margin) // cell
    first, right = width - margin - columns * cell, width - margin
    chart = round(height * CHART)
    charts_top = height - margin - CHARTS * (chart + line) - (CHARTS - 1) * (margin // 2)
    charts = []
    for index in range(CHARTS):
        at = charts_top + index * (chart + line + margin // 2) + line
        charts.append(Box(first, at, right, at + chart))
    blocks = _blocks(Box(first, top - line, right, charts_top - margin), layers, line, margin // 3, unit, size)
    shown, bars_top = None, top - line
    if picture:
        shown = _fitted(picture, Box(margin, top - line, left_end, charts_top - margin))
        bars_top = shown.bottom + margin
    return Layout(
        size,
        unit,
        shown,
        Box(margin, bars_top, left_end, height - margin),
        tuple(blocks),
        tuple(charts),
        columns,
        cell,
        margin,
        line,
    )


def _fitted(picture: tuple[int, int], box: Box) -> Box:
    """Return the place of a picture in its own proportions, as large as the box allows, at the top of it."""
    scale = min(box.width / picture[0], box.height / picture[1])
    width, height = (max(1, round(side * scale)) for side in picture)
    left = box.left + (box.width - width) // 2
    return Box(left, box.top, left + width, box.top + height)


def _blocks(
    box: Box, layers: Sequence[tuple[str, bool, int]], line: int, gap: int, unit: float, size: tuple[int, int]
) -> list[Block]:
    room = box.height - len(layers) * line - (len(layers) - 1) * gap
    if room < 4 * len(layers):
        raise ConfigError(
            f"--size {size[0]}x{size[1]}: {len(layers)} layers do not fit; give {size[0]}x{_next(size[1])} or more"
        )
    neurons = sum(count for _, _, count in layers)
    # Rows of whole pixels are even; where much of the room were left empty, they are not.
    row = min(room / neurons, TALLEST_ROW * unit)
    row = float(int(row)) if int(row) >= EVEN * row else row
    blocks, at = [], box.top
    for name, memory, count in layers:
        tall = max(1, round(row * count))
        label, at = at, at + line
        place = Box(box.left, at, box.right, at + tall)
        blocks.append(Block(name, memory, count, min(count, tall), label, place))
        at = place.bottom + gap
    return blocks


def _next(height: int) -> int:
    return min(2 * height, LARGEST[1])
