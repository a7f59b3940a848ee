"""What an installation consists of, what is wrong with it and how to mend that: ``synaptick doctor``."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..compilation import UNCOMPILED, step_of
from ..kernels.base import jit
from ..kernels.base.cache import target
from ..versions import versions
from .self_test import self_test

# Features of processors that decide how many numbers an instruction takes.
SIMD = ("sse2", "sse4.2", "avx", "avx2", "fma", "avx512f", "neon", "sve", "v")
# Two kinds of the step, with a few copies for other processors, take some 10 MB.
NEEDED_BYTES, MANY_BYTES = 50_000_000, 500_000_000
NOT_FOR_USERS = {"test"}


def doctor(on_check: Callable[[dict[str, Any]], None] | None = None) -> dict[str, Any]:
    """Return what there is, how a test of ten seconds went, and ``problems`` and ``notes``, each with how to mend it.

    Parameters
    ----------
    on_check : callable, optional
        Called with each check of the self-test as soon as it is done.

    Returns
    -------
    dict
        ``versions``, ``place`` (folder of the package), ``processor``, ``cache``, ``extras``, ``self_test``,
        ``problems`` and ``notes``.
    """
    tests = []
    for check in self_test() if jit.COMPILES else ():
        tests.append(check)
        if on_check is not None:
            on_check(check)
    found: dict[str, Any] = {
        "versions": versions(),
        "place": str(Path(__file__).parent.parent),
        "processor": processor(),
        "cache": cache(),
        "extras": extras(),
        "self_test": tests,
    }
    return {**found, "problems": list(problems(found)), "notes": list(notes(found))}


def processor() -> dict[str, Any]:
    """Return name, number and SIMD features of the processors, as the compiler sees them."""
    _, name, features = target()
    has = {feature[1:] for feature in features.split(",") if feature.startswith("+")}
    return {
        "name": _model() or platform.processor() or platform.machine(),
        "compiled_for": name,
        "cpus": os.cpu_count(),
        "usable_cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "simd": [feature for feature in SIMD if feature in has],
    }


def _model() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        return ""
    return found[1].strip() if found else ""


def cache() -> dict[str, Any]:
    """Return where compiled code is kept, whether it can be, how much there is, and what of it these sources use."""
    if jit.CACHE_FOLDER is None:
        return {"folder": None, "writable": False, "steps": [], "bytes": 0, "older_bytes": 0, "free_bytes": None}
    folder = Path(jit.CACHE_FOLDER)
    kinds = {"common": False, "rare": True} if jit.COMPILES else {}
    older = [other for other in folder.parent.glob("numba-*") if other != folder]
    return {
        "folder": str(folder),
        "writable": _writable(folder),
        "steps": [kind for kind, rare in kinds.items() if jit.is_compiled(step_of(rare))],
        "bytes": _size(folder),
        "older_bytes": sum(map(_size, older)),
        "free_bytes": shutil.disk_usage(folder).free,
    }


def _writable(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except OSError:  # another process has just replaced it
            continue
    return total


def extras() -> dict[str, dict[str, Any]]:
    """Return, for each extra, the packages of it that are missing and the command that installs it."""
    found = importlib.metadata.metadata("synaptick").get_all("Provides-Extra") or []
    return {
        name: {"missing": sorted(set(_missing("synaptick", name))), "install": f'pip install "synaptick[{name}]"'}
        for name in sorted(set(found) - NOT_FOR_USERS)
    }


def _missing(package: str, extra: str) -> Iterator[str]:
    """Yield the packages that an extra asks for and that are not installed, also by extras of other packages."""
    for requirement in importlib.metadata.requires(package) or ():
        wanted, _, condition = requirement.partition(";")
        if not _holds(condition, extra):
            continue
        found = re.match(r"\s*([A-Za-z0-9._-]+)\s*(?:\[([^\]]*)\])?", wanted)
        if found is None:
            continue
        try:
            importlib.metadata.version(found[1])
        except importlib.metadata.PackageNotFoundError:
            yield found[1]
        else:
            for inner in filter(None, re.split(r"[\s,]+", found[2] or "")):
                yield from _missing(found[1], inner)


def _holds(condition: str, extra: str) -> bool:
    """Return whether what is after the semicolon of a requirement asks for it with this extra and this Python.

    Conditions of other kinds, on platforms, are not worked out: such a requirement is not counted as missing.
    """
    terms = [
        re.fullmatch(r"""\s*(\w+)\s*([<>=!]=|[<>])\s*["']([^"']*)["']\s*""", term) for term in condition.split(" and ")
    ]
    found = [(term[1], term[2], term[3]) if term else ("", "", "") for term in terms]
    return ("extra", "==", extra) in found and all(
        name == "extra" or (name == "python_version" and _compares(sign, value)) for name, sign, value in found
    )


def _compares(sign: str, version: str) -> bool:
    numbers = tuple(int(part) for part in version.split(".") if part.isdecimal())
    ours = tuple(sys.version_info[: len(numbers)])
    return {"<": ours < numbers, "<=": ours <= numbers, ">": ours > numbers, ">=": ours >= numbers}.get(
        sign, (ours == numbers) == (sign == "==")
    )


def problems(found: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Yield what is wrong, and how to mend it."""
    kept = found["cache"]
    if not jit.COMPILES:
        yield {"what": "kernels are not compiled: a step takes thousands of times longer", "mend": UNCOMPILED}
    elif kept["folder"] is None or not (kept["writable"] or kept["steps"]):
        yield {
            "what": f"compiled code cannot be kept ({kept['folder'] or 'no folder can be written'}): every start "
            "compiles for 10 s or more",
            "mend": "set SYNAPTICK_CACHE_DIR to a folder that can be written",
        }
    elif kept["free_bytes"] < NEEDED_BYTES and not kept["steps"]:
        yield {
            "what": f"{kept['free_bytes']:,} bytes are free in {kept['folder']}, too few for compiled code",
            "mend": "free some, or set SYNAPTICK_CACHE_DIR to a folder on another disk",
        }
    for check in found["self_test"]:
        if not check["passed"]:
            yield {"what": f"self-test, {check['name']}: {check['found']}", "mend": _MEND[check["name"]]}
    if found["versions"]["synaptick"] == "not installed":
        yield {
            "what": f"synaptick is imported from {found['place']} without being installed, so its version is not known",
            "mend": "pip install . in its folder",
        }


_REMOVE = "remove the folder of compiled code that is named under cache, and try again"
_MEND = {
    "compile": f'{_REMOVE}; then: pip install --upgrade --force-reinstall "numba>=0.61" synaptick',
    "learn": f"{_REMOVE}; then with NUMBA_CPU_NAME=generic, for a processor that is not what it says; then report it",
    "restore": f"{_REMOVE}; if it stays so, the memory of this machine or its processor is to be doubted: report it",
    "agree": f"{_REMOVE}; then with NUMBA_CPU_NAME=generic, for a processor that is not what it says; then report it",
}


def notes(found: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Yield what is worth knowing and no fault."""
    kept = found["cache"]
    if kept["older_bytes"] > MANY_BYTES:
        yield {
            "what": f"{kept['older_bytes']:,} bytes of compiled code are of other versions of the sources",
            "mend": f"remove the other folders in {Path(kept['folder']).parent}",
        }
    if jit.ARITHMETIC != jit.DEFAULT_ARITHMETIC:
        yield {
            "what": f"arithmetic is {jit.ARITHMETIC}: the same bits everywhere, and slower",
            "mend": "unset SYNAPTICK_ARITHMETIC for speed",
        }
    if sys.flags.optimize:
        yield {"what": "python runs with -O", "mend": "fine; assertions of environments are off"}


def doctor_lines(found: dict[str, Any]) -> Iterator[str]:
    """Yield what was found, line by line, what is wrong last."""
    yield "  ".join(f"{name} {version}" for name, version in found["versions"].items())
    yield f"installed in {found['place']}"
    chip = found["processor"]
    yield f"processor    {chip['name']}, {chip['cpus']} ({chip['usable_cpus']} usable)"
    yield f"  SIMD       {' '.join(chip['simd']) or 'none'} (compiled for {chip['compiled_for']})"
    kept = found["cache"]
    yield f"cache        {kept['folder'] or 'none'}"
    yield (
        f"  holds      {kept['bytes'] / 1e6:,.1f} MB ({kept['older_bytes'] / 1e6:,.1f} MB more of other versions), "
        f"{'writable' if kept['writable'] else 'read-only'}"
    )
    yield (
        f"  compiled   {len(kept['steps'])} of 2 steps ({', '.join(kept['steps']) or 'none'}); the one with rare parts "
        "is compiled when settings ask for it"
    )
    for k, (name, extra) in enumerate(found["extras"].items()):
        state = f"no: {extra['install']}" if extra["missing"] else "yes"
        yield f"{'extras' if k == 0 else '':12} {name:12} {state}"
    yield from map(check_line, found["self_test"])
    for note in found["notes"]:
        yield f"note: {note['what']}; {note['mend']}"
    if not found["problems"]:
        yield "nothing is wrong"
    for problem in found["problems"]:
        yield f"WRONG: {problem['what']}"
        yield f"  mend it: {problem['mend']}"


def check_line(check: dict[str, Any]) -> str:
    """Return a line about a check of the self-test."""
    how = "ok" if check["passed"] else "FAILED"
    return f"self-test    {check['name']:8} {how}, {check['seconds']:.1f} s: {check['found']}"
