"""Figures as part of a page: SVG without references, in the colors of the page's text."""

from __future__ import annotations

import io
import re
from html import escape
from typing import TYPE_CHECKING

from .style import INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Text stays text: it can be searched and copied, and takes less room than outlines.
SVG_SETTINGS = {"svg.fonttype": "none", "svg.hashsalt": "synaptick"}


def inline_svg(figure: Figure, name: str, title: str) -> str:
    """Return a figure as an SVG element of a page, as wide as what it stands in.

    Parameters
    ----------
    figure : Figure
    name : str
        Goes before the names of its parts, which are looked for in the whole page.
    title : str
        For those who cannot see it.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r'\s+xmlns(:\w+)?="[^"]*"', "", text).replace("xlink:href", "href")
    text = re.sub(r"<defs>\s*</defs>", "", text)
    text = _own_names(text, name)
    # Sizes give way to the width of the page; the view box keeps their ratio.
    head, _, rest = text.partition(">")
    head = re.sub(r'\s(?:width|height|version)="[^"]*"', "", head)
    text = f'{head} role="img" aria-label="{escape(title)}">{rest}'
    return re.sub(INK, "currentColor", text, flags=re.IGNORECASE).strip()


def _own_names(text: str, name: str) -> str:
    """Keep only those names of parts that others refer to, and make them the figure's own."""
    used = set(re.findall(r'(?:url\(#|href="#)([\w.-]+)', text))
    text = re.sub(r'\sid="([^"]*)"', lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", text)
    return re.sub(r'(url\(#|href="#)([\w.-]+)', rf"\g<1>{name}-\g<2>", text)
