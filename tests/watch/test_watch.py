"""Watching a run: films read back frame by frame, what they show, and what is refused."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from synaptick import Agent
from synaptick.training.lock import FolderLock
from synaptick.watch import watch as module

from ..support.runs import Cli
from ..support.trouble import ENV_ID, Trouble

Image = pytest.importorskip("PIL.Image")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pygame's, on import
KEYS = ["env", "steps", "episodes", "mean_return", "frames", "bytes", "out"]
NET = ("--set", "layers=[8]", "--set", "memory=6")


@pytest.fixture
def done(cli: Cli, tmp_path: Path) -> Path:
    pytest.importorskip("pygame")
    assert cli("run", "CartPole-v1", "--steps", 300, *NET, "--out", "done", "--quiet")[0] == 0
    return tmp_path / "done"


@pytest.fixture
def plain(cli: Cli, tmp_path: Path) -> Path:
    """Return a run in an environment without a picture."""
    assert cli("run", ENV_ID, "--steps", 30, *NET, "--out", "plain", "--quiet")[0] == 0
    return tmp_path / "plain"


def frames(path: Path) -> tuple[list[NDArray[np.uint8]], list[int]]:
    """Return the frames of a GIF, and how many milliseconds each lasts."""
    found, lasts = [], []
    with Image.open(path) as film:
        for index in range(film.n_frames):
            film.seek(index)
            found.append(np.array(film.convert("RGB")))
            lasts.append(film.info["duration"])
    return found, lasts


def test_a_gif_has_a_frame_for_every_second_step_and_each_differs(cli: Cli, done: Path) -> None:
    before = {entry.name: entry.read_bytes() for entry in done.iterdir()}
    code, out, err = cli("watch", done, "--gif", "a.gif", "--steps", 60, "--json")
    assert (code, err) == (0, "")
    result = json.loads(out)
    assert list(result) == KEYS
    found, lasts = frames(Path("a.gif"))
    assert result["frames"] == len(found) == 31  # the first one too
    assert result["bytes"] == Path("a.gif").stat().st_size
    assert {frame.shape for frame in found} == {(600, 960, 3)}
    assert all((one != other).any() for one, other in itertools.pairwise(found))
    assert min(lasts[1:-1]) >= 60  # at most 15 a second
    assert sum(lasts[:-1]) == pytest.approx(1000 * 59 / 30, abs=20)
    assert {entry.name: entry.read_bytes() for entry in done.iterdir()} == before
    assert not list(Path().glob(".*part*"))


def test_a_seed_and_the_most_probable_actions_decide_the_film(cli: Cli, done: Path) -> None:
    films = []
    for flags in (("--seed", 1), ("--seed", 1), ("--seed", 2), ("--seed", 1, "--deterministic")):
        assert cli("watch", done, "--gif", "a.gif", "--steps", 30, *flags)[0] == 0
        films.append(Path("a.gif").read_bytes())
    assert films[0] == films[1]
    assert len(set(films)) == 3


@pytest.mark.slow
def test_300_steps_of_the_default_network_are_below_two_megabytes(cli: Cli) -> None:
    pytest.importorskip("pygame")
    assert cli("run", "CartPole-v1", "--steps", 2000, "--out", "a", "--quiet")[0] == 0
    assert cli("watch", "a", "--gif", "a.gif")[0] == 0
    assert Path("a.gif").stat().st_size < 2_000_000
    found, lasts = frames(Path("a.gif"))
    assert len(found) >= 75
    assert sum(lasts[:-1]) == pytest.approx(1000 * 299 / 30, abs=20)


def test_frames_are_left_out_where_the_file_would_become_too_large(
    cli: Cli, plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes, counts = [], []
    for limit in (1_900_000, 120_000):
        monkeypatch.setattr("synaptick.watch.gif.BYTES", limit)
        assert cli("watch", plain, "--gif", "a.gif", "--steps", 200)[0] == 0
        found, lasts = frames(Path("a.gif"))
        assert sum(lasts[:-1]) == pytest.approx(1000 * 199 / 30, abs=20)
        sizes.append(Path("a.gif").stat().st_size)
        counts.append(len(found))
    assert counts[0] == 101 > counts[1] > 3
    assert sizes[1] < 120_000 < sizes[0]


@pytest.mark.parametrize("net", ["actor", "critic"])
def test_the_newest_column_is_what_the_network_sends(
    cli: Cli, plain: Path, net: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bright where a neuron spikes, black where it does not; read off the last frame."""
    from synaptick.watch import film

    kept: list[Any] = []

    class Kept(film.Film):
        def __init__(self, agent: Agent, *arguments: Any) -> None:
            super().__init__(agent, *arguments)
            kept.append((agent, self))

    monkeypatch.setattr(film, "Film", Kept)
    assert cli("watch", plain, "--gif", "a.gif", "--steps", 40, "--net", net)[0] == 0
    ((agent, shown),) = kept
    last = frames(Path("a.gif"))[0][-1]
    blocks = shown._painter.layout.blocks
    assert [block.name for block in blocks] == [f"{net} memory[0]", f"{net} layers[0]"]
    for index, block in enumerate(blocks):
        sent = agent.arena.views[f"{net}/{index}/z"]
        middle = block.box.top + ((np.arange(block.neurons) + 0.5) * block.box.height / block.neurons).astype(int)
        seen = last[middle, block.box.right - 2].astype(int).sum(axis=1)
        assert ((seen > 0) == (sent > 0)).all()
        order = np.argsort(sent, kind="stable")
        assert (np.diff(seen[order]) >= 0).all()


def test_an_environment_without_a_picture_is_shown_without_one(cli: Cli, plain: Path) -> None:
    code, out, err = cli("watch", plain, "--gif", "a.gif", "--steps", 20)
    assert code == 0
    assert err.count("\n") == 1
    assert "gives no picture" in err
    assert "render_mode" in err
    assert "20 steps, 2 episodes ended, mean return" in out
    assert len(frames(Path("a.gif"))[0]) == 11


def test_a_run_that_is_going_on_can_be_watched(cli: Cli, plain: Path) -> None:
    lock = FolderLock(plain)
    try:
        assert cli("watch", plain, "--gif", "a.gif", "--steps", 3)[0] == 0
    finally:
        lock.release()


def test_an_mp4_has_a_frame_for_every_step(cli: Cli, tmp_path: Path) -> None:
    """Written and read in processes of their own: imageio leaves pipes for the collector to close."""
    pytest.importorskip("imageio_ffmpeg")
    name = "synaptick/MemoryChain-v0"
    assert cli("run", name, "--steps", 30, *NET, "--out", "a", "--quiet")[0] == 0
    command = ["-m", "synaptick", "watch", "a", "--mp4", "a.mp4", "--steps", "25", "--size", "640x400", "--json"]
    read = "import imageio.v2; print([frame.shape for frame in imageio.v2.get_reader('a.mp4')])"
    done, back = (
        subprocess.run([sys.executable, *words], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=True)
        for words in (command, ["-c", read])
    )
    assert json.loads(done.stdout)["bytes"] == (tmp_path / "a.mp4").stat().st_size
    assert json.loads(done.stdout)["frames"] == 25
    assert back.stdout.count("(400, 640, 3)") == 25
    assert not list(tmp_path.glob(".*part*"))


def test_nothing_is_left_of_a_film_whose_environment_fails(cli: Cli, plain: Path) -> None:
    Trouble.at, Trouble.make = 5, staticmethod(lambda step: 1 / 0)
    code, _, err = cli("watch", plain, "--gif", "a.gif", "--steps", 20)
    assert code == 1
    assert "failed at step 5 that is watched (ZeroDivisionError" in err.splitlines()[-1]
    assert not list(Path().glob("*.gif"))
    assert not list(Path().glob(".*part*"))


BAD = [
    (("nowhere", "--gif", "a.gif"), "nowhere holds no run that can be used"),
    (("plain", "--gif", "a.png"), r"--gif a.png: allowed: a file whose name ends in .gif"),
    (("plain", "--gif", "a.gif", "--mp4", "a.mp4"), "--gif and --mp4: allowed: one of them"),
    (("plain", "--gif", "no/a.gif"), r"no/a.gif: .*; give a file in a folder that is there"),
    (("plain", "--gif", "a.gif", "--steps", 0), "--steps 0: allowed: 1 to"),
    (("plain", "--gif", "a.gif", "--fps", "nan"), "--fps nan: allowed: 0.1 to 240"),
    (("plain", "--gif", "a.gif", "--net", "both"), "--net both: allowed: actor or critic"),
    (("plain", "--gif", "a.gif", "--size", "10x10"), "--size 10x10: allowed: 480x320 to 3840x2160"),
    (("plain", "--gif", "a.gif", "--size", "big"), "--size big: allowed: WIDTHxHEIGHT"),
    (("plain", "--gif", "a.gif", "--seed", -1), "--seed -1: allowed: 0 or more"),
]


@pytest.mark.parametrize(("arguments", "said"), BAD)
def test_what_cannot_be_used_is_one_line(cli: Cli, plain: Path, arguments: tuple[Any, ...], said: str) -> None:
    code, out, err = cli("watch", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("synaptick: error: ")
    assert re.search(said, err)
    assert not list(Path().glob("*.gif"))


def test_a_window_shows_every_step_until_it_is_closed(cli: Cli, plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a driver that draws nowhere, and is taken for one that draws."""
    pygame = pytest.importorskip("pygame")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setattr(pygame.display, "get_driver", lambda: "x11")
    result = json.loads(cli("watch", plain, "--steps", 8, "--fps", 240, "--json")[1])
    assert (result["steps"], result["frames"], result["out"]) == (8, 8, "")
    events = iter([[], [], [pygame.event.Event(pygame.QUIT)]])
    monkeypatch.setattr(pygame.event, "get", lambda: next(events))
    result = json.loads(cli("watch", plain, "--steps", 8, "--fps", 240, "--json")[1])
    assert (result["steps"], result["frames"]) == (3, 2)


def test_without_a_screen_it_says_what_to_give(cli: Cli, plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pygame")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    code, out, err = cli("watch", plain)
    assert (code, out) == (2, "")
    assert err.startswith("synaptick: error: there is no screen")
    assert err.endswith("give --gif FILE or --mp4 FILE\n")


def test_a_missing_package_is_named_with_the_extra(cli: Cli, plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module.PACKAGES, "no_such_module", "pillow")
    with pytest.raises(module.ConfigError, match=r'needs the package pillow; run: pip install "synaptick\[watch\]"'):
        module._need("no_such_module")
