"""Formulas as MathML, which browsers draw by themselves: the site loads no script for them, from nowhere.

The pages have LaTeX as the repository page draws it, $`..`$ in a line, which shields it from what Markdown makes of
underscores and backslashes, and blocks of the language math. What cannot be converted ends the build.
"""

from __future__ import annotations

import html
import re
from typing import Any

from latex2mathml.converter import convert

INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.DOTALL)
QUOTED = re.compile(r"\$`([^`\n]+)`\$")
TEXT = re.compile(r"\\text\{[^}]*\}")  # underscores are shielded there, which the converter would print
DISPLAY = re.compile(r'<div class="arithmatex">\\\[(.*?)\\\]</div>', re.DOTALL)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Write formulas as the extension `arithmatex` reads them."""
    return QUOTED.sub(lambda found: f"${found[1].strip()}$", markdown)


def on_page_content(text: str, **_: Any) -> str:
    """Convert what the extension `arithmatex` has marked."""
    text = INLINE.sub(lambda found: mathml(found[1], "inline"), text)
    return DISPLAY.sub(lambda found: f'<div class="formula">{mathml(found[1], "block")}</div>', text)


def mathml(latex: str, display: str) -> str:
    """Return a formula as MathML, its LaTeX as what is read aloud or copied."""
    latex = TEXT.sub(lambda found: found[0].replace("\\_", "_"), html.unescape(latex).strip())
    try:
        made: str = convert(latex, display=display)
    except Exception as error:
        raise ValueError(f"the formula {latex!r} cannot be converted: {error!r}") from error
    if "\\" in made:  # a command that is not known is printed as it stands
        raise ValueError(
            f"the formula {latex!r} cannot be converted: it has a command that the converter does not know"
        )
    return made
