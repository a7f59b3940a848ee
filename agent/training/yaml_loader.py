"""YAML of bounded size and depth: whatever a text holds, it is plain data or one error with its place."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml

from ..errors import one_line

# Characters of a text, and of what it stands for once each alias is written out.
LONGEST = 2**20
# Lists and mappings within each other.
DEEPEST = 32
_MERGE = "tag:yaml.org,2002:merge"  # of a key that is written <<


class YamlError(Exception):
    """A text that is not read, with the reason in one line.

    Attributes
    ----------
    place : str
        ``"line:column"``, from 1; empty if there is none.
    """

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(reason)
        self.place = place


def read_yaml(source: str | bytes) -> tuple[Any, dict[str, str]]:
    """Return what a text holds, and the places of the keys of its outermost mapping, as `YamlError` has them.

    Parameters
    ----------
    source : str or bytes
        Bytes are UTF-8, or UTF-16 with a byte order mark.

    Raises
    ------
    YamlError
        For whatever else.
    """
    if len(source) > LONGEST:
        raise YamlError(f"has {len(source):,} characters, at most {LONGEST:,} are allowed")
    text = source if isinstance(source, str) else _decoded(source)
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            return (None, {}) if node is None else (loader.construct_document(node), _places(node))
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark: Any = error.problem_mark or error.context_mark
        said = ": ".join(part for part in (error.context, error.problem) if part)
        raise YamlError(f"not valid YAML: {one_line(said, 240, quoted=False)}", _place(mark)) from error
    except yaml.reader.ReaderError as error:
        where = _place_of(text[: error.position])
        raise YamlError(f"not valid YAML: the character U+{error.character:04X} is not allowed", where) from error


class _Loader(yaml.SafeLoader):
    """The safe loader; keys have to be strings and given once, and nothing is read that is far larger than its text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = self._length = 0
        self._lengths: dict[int, int] = {}
        self._flat: set[int] = set()

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose a node; each counts as its characters and one more, again wherever an alias repeats it."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        mark, before = event.start_mark, self._length
        self._depth += 1
        if self._depth > DEEPEST:
            raise yaml.composer.ComposerError(None, None, f"more than {DEEPEST} levels deep", mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        if isinstance(event, yaml.AliasEvent):
            if id(node) not in self._lengths:
                raise yaml.composer.ComposerError(None, None, f"{event.anchor} holds itself", mark)
            self._length += self._lengths[id(node)]
        else:
            self._length += 1 + (len(event.value) if isinstance(event, yaml.ScalarEvent) else 0)
            self._lengths[id(node)] = self._length - before
        if self._length > 2 * LONGEST:
            problem = f"with each alias written out, there are more than {2 * LONGEST:,} characters"
            raise yaml.composer.ComposerError(None, None, problem, mark)
        return node

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Check the keys of a mapping and merge what it names under ``<<``; its own entries win, then the first named.

        PyYAML tells keys apart by the identity of their strings here, so that versions differ in what wins.
        """
        if id(node) in self._flat:
            return
        self._flat.add(id(node))
        own: dict[str, Any] = {}
        for pair in node.value:
            key = self._key(pair[0])
            if key in own:
                problem = f"{one_line(pair[0].value, quoted=False)} is given twice"
                raise yaml.constructor.ConstructorError(None, None, problem, pair[0].start_mark)
            own[key] = pair
        if _MERGE in own:
            merged: dict[str, Any] = {}
            for source in self._sources(own.pop(_MERGE)[1]):
                self.flatten_mapping(source)
                for pair in source.value:
                    merged.setdefault(pair[0].value, pair)
            own = {**merged, **own}
        node.value = list(own.values())

    def _key(self, node: yaml.Node) -> str:
        if node.tag == _MERGE:
            return _MERGE
        key = self.construct_object(node, deep=True)
        if not isinstance(key, str):
            hint = "" if isinstance(key, Hashable) else " (braces and brackets are YAML's own; quote them)"
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {one_line(key)} is not a name{hint}", node.start_mark
            )
        return key

    def _sources(self, node: yaml.Node) -> list[yaml.MappingNode]:
        """Return the mappings that are to be merged."""
        found = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for item in found:
            if not isinstance(item, yaml.MappingNode):
                problem = "<< takes a mapping or a list of mappings"
                raise yaml.constructor.ConstructorError(None, None, problem, item.start_mark)
        return list(found)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Construct an object; whatever PyYAML raises for what only looks like a number or a date gets a place."""
        try:
            return super().construct_object(node, deep)
        except yaml.YAMLError:
            raise
        except Exception as error:
            value = one_line(getattr(node, "value", ""), 60)
            problem = (
                f"{value} cannot be read as {str(node.tag).rpartition(':')[2]} ({one_line(error, 120, quoted=False)})"
            )
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from error


def _decoded(content: bytes) -> str:
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        where = _place_of(content[: error.start].decode("utf-16" if wide else "utf-8-sig", "replace"))
        raise YamlError(
            f"not valid YAML: byte {error.start} is not {error.encoding} ({error.reason})", where
        ) from error


def _places(node: yaml.Node) -> dict[str, str]:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return {key.value: _place(key.start_mark) for key, _ in pairs if isinstance(key, yaml.ScalarNode)}


def _place(mark: Any) -> str:
    return f"{mark.line + 1}:{mark.column + 1}" if mark else ""


def _place_of(before: str) -> str:
    """Return the place that comes after a text."""
    return f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
