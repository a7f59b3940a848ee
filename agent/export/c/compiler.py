"""The C compiler of the system, for tests and measurements of exported agents."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ...errors import CompilerError

STRICT = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror")


def find_compiler() -> str:
    """Return the C compiler: the environment variable ``CC``, or ``cc``, ``gcc`` or ``clang``.

    Raises
    ------
    CompilerError
        If there is none.
    """
    for candidate in (os.environ.get("CC", ""), "cc", "gcc", "clang"):
        found = candidate and shutil.which(candidate)
        if found:
            return found
    raise CompilerError("no C compiler was found; install cc, gcc or clang, or give its path in the variable CC")


def compile_c(sources: Sequence[Path], output: Path, *flags: str) -> Path:
    """Compile to a shared object, an executable or, with ``-c``, an object file, warnings being errors.

    Parameters
    ----------
    sources : sequence of Path
    output : Path
    *flags : str
        Added to those that the header of an export promises to hold.

    Raises
    ------
    CompilerError
        With the compiler's words, if it fails.
    """
    command = [find_compiler(), *STRICT, *flags, "-o", str(output), *map(str, sources)]
    done = subprocess.run([*command, *(() if "-c" in flags else ("-lm",))], capture_output=True, text=True)
    if done.returncode != 0:
        raise CompilerError(f"{' '.join(command)} failed: {done.stderr.strip()}")
    return output


def section_bytes(built: Path) -> dict[str, int]:
    """Return the bytes of text, rodata, data and bss of an object file, by the system's ``size``.

    Raises
    ------
    CompilerError
        If there is no ``size``, or it cannot read the file.
    """
    tool = shutil.which("size")
    if tool is None:
        raise CompilerError("the program `size` was not found; it comes with the binutils of a compiler")
    done = subprocess.run([tool, "-A", str(built)], capture_output=True, text=True)
    if done.returncode != 0:
        raise CompilerError(f"size -A {built} failed: {done.stderr.strip()}")
    found = dict.fromkeys(("text", "rodata", "data", "bss"), 0)
    for line in done.stdout.splitlines():
        fields = line.split()
        kind = fields[0].split(".")[1] if fields and fields[0].startswith(".") else ""
        if kind in found and len(fields) == 3:
            found[kind] += int(fields[1])
    return found
