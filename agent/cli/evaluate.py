"""The part of the command line that acts without learning: ``synaptick eval``."""

from __future__ import annotations

import argparse
from typing import Any

from ..training.evaluation import evaluate_saved
from .options import add_command, add_env, add_json, add_saved, whole

EXAMPLES = ("synaptick eval runs/mine", "synaptick eval runs/mine --episodes 20 --deterministic --json")


def add_eval(commands: Any) -> None:
    """Add ``eval`` to the commands of the parser."""
    parser = add_command(
        commands, "eval", "act without learning, with the agent of a run", EXAMPLES, aliases=["evaluate"]
    )
    add_saved(parser)
    add_env(parser)
    parser.add_argument("--episodes", type=whole, default=100, metavar="N", help="episodes to act in (default 100)")
    parser.add_argument("--seed", type=whole, metavar="S", help="seed of the environment")
    parser.add_argument("--deterministic", action="store_true", help="take the most probable action each time")
    add_json(parser)
    parser.set_defaults(command=_eval, show=_show)


def _eval(options: argparse.Namespace) -> dict[str, Any]:
    return evaluate_saved(options.source, options.episodes, options.seed, options.deterministic, options.env)


def _show(result: dict[str, Any]) -> None:
    print(
        f"{result['env']}: return {result['mean_return']:.1f} +- {result['std_return']:.1f} "
        f"over {result['episodes']} episodes without learning"
    )
