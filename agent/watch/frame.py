"""A frame: what stands where, of one moment."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .bars import Bar
from .colors import BACKGROUND, BAR, ERROR, FIELD, GRID, LAYER, LEVELS, MEMORY, REWARD, STRONG, TEXT, VALUE, Color, ramp
from .history import History
from .layout import Block, Box, Layout

LETTER = 13  # points, at the default size
ERROR_CHART = "TD error"
CHARTS: tuple[tuple[str, Color], ...] = (("expected return", VALUE), (ERROR_CHART, ERROR), ("return so far", REWARD))
# A curve that moves by less than this share of its size is drawn as flat as it is.
LEAST_RANGE = 0.1
RAMPS = {True: ramp(MEMORY), False: ramp(LAYER)}


class Painter:
    """Draws frames of one layout.

    Parameters
    ----------
    layout : Layout
    heading : str
        What stands over the bars.
    """

    def __init__(self, layout: Layout, heading: str) -> None:
        self.layout, self._heading = layout, heading
        self._font = ImageFont.load_default(round(LETTER * layout.unit))
        self._large = ImageFont.load_default(round((LETTER + 3) * layout.unit))

    def paint(self, title: str, picture: NDArray[np.uint8] | None, history: History, bars: list[Bar]) -> Image.Image:
        """Return the frame, in RGB.

        Parameters
        ----------
        title : str
        picture : (height, width, 3) array, optional
            The environment.
        history : History
        bars : list of Bar
            The policy.
        """
        layout = self.layout
        image = Image.new("RGB", layout.size, BACKGROUND)
        draw = ImageDraw.Draw(image)
        draw.text((layout.margin, layout.margin // 2), title, STRONG, self._large)
        if layout.picture and picture is not None:
            _paste(image, picture, layout.picture)
        begins = history.begins()
        for index, block in enumerate(layout.blocks):
            self._raster(image, draw, block, history, index)
            self._lines(draw, block.box, begins)
        for box, curve, (name, color) in zip(layout.charts, history.curves(), CHARTS, strict=True):
            self._chart(draw, box, curve, begins, name, color)
        self._legend(image, draw, self._bars(draw, layout.bars, bars))
        return image

    def _raster(
        self, image: Image.Image, draw: ImageDraw.ImageDraw, block: Block, history: History, index: int
    ) -> None:
        """Draw the spikes of a layer, a row a neuron, a column a step."""
        box = block.box
        color = MEMORY if block.memory else LAYER
        draw.text((box.left, block.label), f"{block.name}, {block.neurons} neurons", color, self._font)
        rate = f"{history.rate(index):.0%} spike"
        draw.text((box.right, block.label), rate, color, self._font, anchor="ra")
        spikes = history.spikes(index)
        if block.rows < block.neurons:
            first = np.arange(block.rows) * block.neurons // block.rows
            spikes = np.maximum.reduceat(spikes, first, axis=0)
        levels = np.ceil(np.clip(spikes, 0.0, 1.0) * (LEVELS - 1)).astype(np.intp)
        cells = Image.fromarray(RAMPS[block.memory][levels])
        image.paste(cells.resize((box.width, box.height), Image.Resampling.NEAREST), box[:2])

    def _lines(self, draw: ImageDraw.ImageDraw, box: Box, begins: list[int]) -> None:
        """Draw a line where an episode begins."""
        for column in begins:
            x = box.left + column * self.layout.cell
            draw.line((x, box.top, x, box.bottom - 1), GRID)

    def _chart(
        self, draw: ImageDraw.ImageDraw, box: Box, curve: NDArray[Any], begins: list[int], name: str, color: Color
    ) -> None:
        """Draw a curve over its range, and where episodes begin."""
        layout = self.layout
        draw.rectangle((box.left, box.top, box.right - 1, box.bottom - 1), FIELD)
        self._lines(draw, box, begins)
        known = np.isfinite(curve)
        low, high = _range(curve[known], name == ERROR_CHART)
        above = box.top - layout.line
        last = number(float(curve[-1])) if np.isfinite(curve[-1]) else "-"
        draw.text((box.left, above), f"{name}  {last}", color, self._font)
        draw.text((box.right, above), f"{number(low)} to {number(high)}", TEXT, self._font, anchor="ra")
        scale = (box.height - 5) / (high - low or 1.0)
        zero = box.bottom - 3 + low * scale
        if low <= 0.0 <= high:
            draw.line((box.left, zero, box.right - 1, zero), GRID)
        xs = box.left + (np.arange(layout.columns) + 0.5) * layout.cell
        ys = box.bottom - 3 - (curve - low) * scale
        starts = {*begins, *(np.flatnonzero(~known) + 1).tolist()}
        for k in np.flatnonzero(known):
            if name == ERROR_CHART:
                left = xs[k] - layout.cell / 2 + 1
                draw.rectangle((left, min(ys[k], zero), left + layout.cell - 2, max(ys[k], zero)), color)
            elif k and k not in starts:
                draw.line((xs[k - 1], ys[k - 1], xs[k], ys[k]), color, max(1, round(2 * layout.unit)))

    def _bars(self, draw: ImageDraw.ImageDraw, box: Box, bars: list[Bar]) -> int:
        """Draw the policy, bars from zero or from what is nearest to it, and return where that ends."""
        layout, line = self.layout, self.layout.line
        draw.text((box.left, box.top), self._heading, TEXT, self._font)
        step = min((box.height - line) // max(len(bars), 1), round(1.8 * line))
        shown = bars
        if step < line:
            shown = bars[: (box.height - 2 * line) // line]
            step = line
            more = f"and {len(bars) - len(shown)} more"
            draw.text((box.left, box.bottom - line), more, TEXT, self._font)
        label = max((self._font.getlength(bar.label) for bar in shown), default=0.0)
        value = self._font.getlength("-00000.00")
        left, right = box.left + round(label) + layout.margin + line, box.right - round(value) - layout.margin // 2
        for index, bar in enumerate(shown):
            top = box.top + line + index * step
            thick = min(step - 4, line)
            scale = (right - left) / (bar.high - bar.low)
            zero, end, taken = (
                left + (min(max(at, bar.low), bar.high) - bar.low) * scale for at in (0.0, bar.value, bar.taken)
            )
            draw.rectangle((left, top, right, top + thick), FIELD)
            draw.rectangle((min(zero, end), top, max(zero, end), top + thick), BAR)
            draw.line((zero, top, zero, top + thick), TEXT)
            if bar.was_taken:
                self._mark(draw, left if bar.categorical else taken, top, thick, bar.categorical)
            color = STRONG if bar.was_taken else TEXT
            draw.text((box.left, top), bar.label, color, self._font)
            draw.text((box.right, top), f"{bar.value:.2f}", color, self._font, anchor="ra")
        return box.top + line + len(shown) * step

    def _mark(self, draw: ImageDraw.ImageDraw, at: float, top: int, thick: int, categorical: bool) -> None:
        """Draw what was taken: a triangle before a category, a line across the bar of a control."""
        if categorical:
            back, tip = at - thick / 2 - 4, at - 4
            draw.polygon([(back, top + 2), (back, top + thick - 2), (tip, top + thick / 2)], STRONG)
        else:
            width = max(2, round(3 * self.layout.unit))
            draw.line((at, top - 1, at, top + thick + 1), STRONG, width)

    def _legend(self, image: Image.Image, draw: ImageDraw.ImageDraw, free: int) -> None:
        """Say what brightness means, at the bottom of the column of the picture, if there is room below `free`."""
        box, line, margin = self.layout.bars, self.layout.line, self.layout.margin
        lines = 1 + len({block.memory for block in self.layout.blocks})
        top = box.bottom - lines * line
        if top < free + margin:
            return
        draw.text((box.left, top), "spikes: payload 0 to 1", TEXT, self._font)
        for memory in sorted({block.memory for block in self.layout.blocks}, reverse=True):
            top += line
            shades = Image.fromarray(RAMPS[memory][None])
            image.paste(shades.resize((LEVELS * line // 2, line - 6), Image.Resampling.NEAREST), (box.left, top + 4))
            name = "memory neurons" if memory else "spiking layers"
            draw.text((box.left + LEVELS * line // 2 + margin, top), name, TEXT, self._font)


def _range(seen: NDArray[Any], with_zero: bool) -> tuple[float, float]:
    """Return the range that a chart shows."""
    if seen.size == 0:
        return 0.0, 1.0
    low, high = float(seen.min()), float(seen.max())
    if with_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    spare = LEAST_RANGE * max(abs(low), abs(high), 1e-9) - (high - low)
    return (low - spare / 2, high + spare / 2) if spare > 0.0 else (low, high)


def _paste(image: Image.Image, picture: NDArray[np.uint8], box: Box) -> None:
    found = Image.fromarray(picture)
    how = Image.Resampling.NEAREST if box.width >= 2 * found.width else Image.Resampling.LANCZOS
    image.paste(found.resize((box.width, box.height), how), box[:2])


def number(value: float) -> str:
    """Return a number in at most 8 characters or so."""
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}" if abs(value) < 1e6 else f"{value:.1e}"
