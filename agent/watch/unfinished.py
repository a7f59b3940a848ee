"""A file that has its name only when it is whole."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from ..errors import ConfigError


class Unfinished:
    """A file that is written beside its place, and renamed when it is finished.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ConfigError
        If it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()  # an environment may change the working directory
        self.temporary = self._path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
        try:
            if path.is_dir():
                raise IsADirectoryError(21, "it is a folder")
            self._file = open(self.temporary, "wb")  # noqa: SIM115
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ConfigError(f"{path}: {reason}; give a file in a folder that is there and can be written") from error

    def write(self, data: bytes) -> int:
        """Write, and return how many bytes."""
        return self._file.write(data)

    def release(self) -> None:
        """Close the file, so that another process can write to `temporary`."""
        self._file.close()

    def finish(self) -> None:
        """Close the file and give it its name."""
        self._file.close()
        os.replace(self.temporary, self._path)

    def discard(self) -> None:
        """Close the file and remove it."""
        self._file.close()
        with suppress(OSError):
            self.temporary.unlink()
