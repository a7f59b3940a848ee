"""What a setting is: the values its kind accepts, what is said about it, and the words in which others are refused.

A class of settings is a frozen dataclass whose fields are made by `Group.field`, which keeps text, unit and range with
the field; docstring, pages and errors are all made from there.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import math
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import Field, dataclass, field, fields
from numbers import Integral
from typing import Any, Generic, TypeVar, cast

from ..errors import ConfigError, one_line
from .seeds import ALLOWED, read_seeds, shown_seeds

# Lists and mappings within each other, also of what holds itself.
DEEPEST = 32
# Greater whole numbers have more digits than Python reads.
WIDEST = 10**4000

T = TypeVar("T")
C = TypeVar("C", bound=type)


class Kind(ABC, Generic[T]):
    """Values that a setting accepts.

    Attributes
    ----------
    allowed : str
        Those values as an error names them: ``"a number from 0 to 1"``.
    range : str
        The same in as few words as go before the unit: ``"0 to 1"``; empty where type or default say it all.
    unit : str
        Of numbers; empty if they have none.
    hashable : bool
        Whether what `read` returns can be hashed.
    """

    allowed: str
    range = ""
    unit = ""
    hashable = True

    @abstractmethod
    def read(self, value: Any) -> T:
        """Return `value` in the type of the field, or raise any exception."""

    def checked(self, name: str, value: Any) -> T:
        """Return `value` in the type of the field, or raise a `ConfigError` about the setting `name`."""
        try:
            return self.read(value)
        except Exception:  # whatever an object does that is taken for a number or a list
            raise ConfigError(f"{name}: got {one_line(value, 120)}; allowed: {self.allowed}") from None


class _Number(Kind[T]):
    """Numbers from `low` to `high`, both included."""

    what: str

    def __init__(self, low: float, high: float, unit: str = "", *, or_zero: bool = False) -> None:
        self.low, self.high, self.unit, self.or_zero = low, high, unit, or_zero
        zero = "0, or " if or_zero else ""
        self.range = f"{zero}{_shown(low)} to {_shown(high)}"
        self.allowed = f"{zero}{self.what} from {_shown(low)} to {_shown(high)}"

    def number(self, value: Any) -> float:
        """Return the number that `value` is or spells: a string such as "1e-3", which PyYAML leaves alone, is one."""
        if isinstance(value, bool):
            raise ValueError
        number = int(value) if isinstance(value, Integral) else float(value)
        if not ((math.isfinite(number) and self.low <= number <= self.high) or (self.or_zero and number == 0)):
            raise ValueError
        return number


class Real(_Number[float]):
    """Finite numbers in a range, both ends included."""

    what = "a number"

    def read(self, value: Any) -> float:
        """Return `value` as a float."""
        return float(self.number(value))


class Whole(_Number[int]):
    """Whole numbers in a range, both ends included; with `or_zero` also 0."""

    what = "a whole number"

    def read(self, value: Any) -> int:
        """Return `value` as an int."""
        number = self.number(value)
        if number != int(number):
            raise ValueError
        return int(number)


class Sizes(Kind[tuple[int, ...]]):
    """Lists of 1 to `most` whole numbers, each from `low` to `high`."""

    def __init__(self, low: int, high: int, most: int, unit: str = "") -> None:
        self.each, self.most, self.unit = Whole(low, high), most, unit
        self.range = f"1 to {most} numbers, each {self.each.range}"
        self.allowed = f"a list, such as [64, 64], of 1 to {most} whole numbers, each {self.each.range}"

    def read(self, value: Any) -> tuple[int, ...]:
        """Return `value` as a tuple."""
        if isinstance(value, str | bytes | Mapping | Set) or not 1 <= len(value) <= self.most:
            raise ValueError
        return tuple(self.each.read(size) for size in value)


class Switch(Kind[bool]):
    """True or false, and nothing that merely counts as such."""

    allowed = "true or false"

    def read(self, value: Any) -> bool:
        """Return `value`."""
        if not isinstance(value, bool):
            raise TypeError
        return value


class Choice(Kind[str]):
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self.allowed = ", ".join(words)
        self.range = ", ".join(f"`{word}`" for word in words)

    def read(self, value: Any) -> str:
        """Return `value`."""
        return self.words[self.words.index(value)]


class Text(Kind[str]):
    """Any text but the empty one."""

    allowed = "a non-empty string"

    def read(self, value: Any) -> str:
        """Return `value`."""
        if not isinstance(value, str) or not value:
            raise TypeError
        value.encode()  # half of a surrogate pair is no text
        return value


class Seeds(Kind[str]):
    """Lists of seeds as a text, which may be empty."""

    allowed = f"{ALLOWED}; empty for none"

    def read(self, value: Any) -> str:
        """Return `value` as short as it can be."""
        return "" if value in ("", [], ()) else shown_seeds(read_seeds(value))


class PlainMapping(Kind[Mapping[str, Any]]):
    """Mappings that survive YAML and JSON."""

    allowed = "a mapping from names to numbers, strings, lists and mappings"
    hashable = False

    def read(self, value: Any) -> Mapping[str, Any]:
        """Return a copy of `value`."""
        if not isinstance(value, Mapping) or not _is_plain(value):
            raise TypeError
        return dict(value)


class PlainList(Kind[tuple[Any, ...]]):
    """Lists that survive YAML and JSON."""

    allowed = "a list of strings and mappings"
    hashable = False

    def read(self, value: Any) -> tuple[Any, ...]:
        """Return `value` as a tuple."""
        if isinstance(value, str | bytes) or not isinstance(value, Sequence) or not _is_plain(list(value)):
            raise TypeError
        return tuple(value)


def _is_plain(value: Any, depth: int = 0) -> bool:
    """Return whether a value survives YAML and JSON."""
    if depth > DEEPEST:
        return False
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(item, depth + 1) for key, item in value.items())
    if isinstance(value, list | tuple):
        return all(_is_plain(item, depth + 1) for item in value)
    return value is None or isinstance(value, bool | float | str) or (isinstance(value, int) and abs(value) < WIDEST)


def _shown(bound: float) -> str:
    """Return a bound as the documentation writes it."""
    if bound == 2**63 - 1:
        return "2^63 - 1"
    power = math.log10(bound) if bound > 0 else 0.0
    return f"10^{power:.0f}" if power >= 5 and power.is_integer() else f"{bound:g}"


@dataclass(frozen=True)
class Group:
    """Settings that stand together on the pages, under one heading."""

    heading: str

    def field(self, default: T, kind: Kind[T], text: str, *, elsewhere: str = "") -> T:
        """Return the dataclass field of a setting of this group.

        Parameters
        ----------
        default : object
            Its value where none is given.
        kind : Kind
            What it accepts.
        text : str
            Its meaning, in whole sentences: range and unit are added to them. Names of settings and values stand in
            single backticks; line breaks do not matter.
        elsewhere : str
            Names that other libraries use for this or what comes nearest to it, with spaces between.
        """
        metadata = {
            "group": self.heading,
            "kind": kind,
            "text": " ".join(text.split()),
            "elsewhere": elsewhere.split(),
        }
        if isinstance(default, dict):
            return cast(T, field(default_factory=default.copy, metadata=metadata))
        return field(default=default, metadata=metadata)


def kind_of(spec: Field[Any]) -> Kind[Any]:
    """Return what a field made by `Group.field` accepts."""
    kind: Kind[Any] = spec.metadata["kind"]
    return kind


def description(spec: Field[Any]) -> str:
    """Return text, range and unit of a field made by `Group.field`, in whole sentences."""
    kind, text = kind_of(spec), str(spec.metadata["text"])
    return f"{text} Allowed: {kind.range} {kind.unit}".rstrip() + "." if kind.range else text


def documented(cls: C) -> C:
    """Append every field to the docstring of a class of settings; rendered when read, since importing must be fast."""
    cls.__doc__ = _Docstring(cls.__doc__ or "")  # type: ignore[assignment]
    return cls


class _Docstring:
    """A docstring that ends in all fields of its class; as a descriptor, which `type.__doc__` honors."""

    def __init__(self, head: str) -> None:
        self.head = head

    def __get__(self, instance: object, owner: type) -> str:
        lines = [inspect.cleandoc(self.head), "", "Attributes", "----------"]
        for spec in fields(owner):
            lines.append(f"{spec.name} : {spec.type}, default {getattr(owner, spec.name, {})!r}")
            lines += textwrap.wrap(description(spec), 120, initial_indent="    ", subsequent_indent="    ")
        return "\n".join(lines)


def refusing_unknown_keys(check: Callable[[str], None]) -> Callable[[C], C]:
    """Return a class decorator: the constructor calls `check` with each keyword before anything else.

    Python would raise a TypeError for an unknown keyword, which cannot say what the right one is.
    """

    def decorate(cls: C) -> C:
        construct = cls.__init__  # type: ignore[misc]

        @functools.wraps(construct)
        def __init__(self: Any, /, *values: Any, **settings: Any) -> None:  # noqa: N807
            for key in settings:
                check(key)
            construct(self, *values, **settings)

        cls.__init__ = __init__  # type: ignore[misc]
        return cls

    return decorate


def unknown_key(key: str, settings: Iterable[Field[Any]], renamed: Mapping[str, str]) -> ConfigError:
    """Return the error for a key that is no setting, with the name that was probably meant.

    Parameters
    ----------
    key : str
        What was given.
    settings : iterable of Field
        All settings.
    renamed : mapping
        From the old name of a setting to its present one.
    """
    if key in renamed:
        return ConfigError(f"{key}: this setting is called {renamed[key]!r} now")
    settings, given = list(settings), one_line(key, 60, quoted=False)
    nearest = [repr(spec.name) for spec in settings if key in spec.metadata["elsewhere"]]
    if nearest:
        here = "setting here is" if len(nearest) == 1 else "settings here are"
        return ConfigError(f"{given}: there is no such key; the nearest {here} {' and '.join(nearest)}")
    names = [spec.name for spec in settings]
    close = difflib.get_close_matches(given, names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"allowed: {', '.join(names)}"
    return ConfigError(f"{given}: there is no such key; {hint}")
