"""Lines of the navigation with a star: the pages there that no other line names, in the order of their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Put the pages in the place of the stars before the navigation is made."""
    pages = sorted(file.src_uri for file in files.documentation_pages())
    config.nav = list(expanded(config.nav or [], pages, set(named(config.nav or []))))


def named(entries: Iterable[Any]) -> Iterator[str]:
    """Yield every path that the navigation names."""
    for entry in entries:
        value = next(iter(entry.values())) if isinstance(entry, dict) else entry
        if isinstance(value, list):
            yield from named(value)
        else:
            yield value


def expanded(entries: Iterable[Any], pages: Iterable[str], taken: set[str]) -> Iterator[Any]:
    """Yield the entries of a navigation, for each with a star those of the pages that are not taken; they then are."""
    for entry in entries:
        if isinstance(entry, str) and "*" in entry:
            found = [page for page in pages if matches(page, entry) and page not in taken]
            taken |= {*found}
            yield from found
        elif isinstance(entry, dict):
            yield {
                title: list(expanded(value, pages, taken)) if isinstance(value, list) else value
                for title, value in entry.items()
            }
        else:
            yield entry


def matches(page: str, pattern: str) -> bool:
    """Return whether a page is one that a pattern means: a star stands for no slash."""
    return page.count("/") == pattern.count("/") and fnmatchcase(page, pattern)
