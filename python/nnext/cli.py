"""The command line: ``python -m nnext <command>``. Each command imports what it needs when it runs."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Sequence

import nnext as nn
from nnext._streams import Stream


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    argv : sequence of str, optional
        Its name and arguments; those of the process when absent.

    Returns
    -------
    int
        The exit code: 0 when all went well, 1 when the command failed or its output was lost, 2 for wrong arguments,
        130 after Ctrl-C.

    Examples
    --------
    >>> main(["info"])  # doctest: +ELLIPSIS
    nnext ...
    0
    """
    with contextlib.redirect_stdout(Stream(sys.stdout)) as out, contextlib.redirect_stderr(Stream(sys.stderr)):
        code = _run(argv)
        out.flush()
        if out.error is None:
            return code
        if not isinstance(out.error, BrokenPipeError):  # who closes a pipe knows why
            print(f"[nnext] the output is lost: {out.error}", file=sys.stderr)
        return code or 1


def _run(argv: Sequence[str] | None) -> int:
    parser = _parser()
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as ended:  # argparse ends the process after --help and wrong arguments
        return ended.code if isinstance(ended.code, int) else 1
    if arguments.command is None:
        parser.print_help()
        return 2
    try:
        code: int = arguments.run(arguments)
        return code
    except KeyboardInterrupt:
        print(f"[{arguments.command}] stopped", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m nnext", description="Small neural networks.")
    parser.add_argument("--version", action="version", version=f"nnext {nn.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command")

    demo = commands.add_parser("demo", help="learn to read handwritten digits, and show how well and how fast")
    demo.add_argument("--epochs", type=_count, default=30, help="how often to go through the digits (default: 30)")
    demo.add_argument(
        "--out", default="demo_curves.png", metavar="FILE", help="picture of the learning curves (default: %(default)s)"
    )
    demo.add_argument("--no-plot", action="store_true", help="draw no picture")
    demo.set_defaults(run=_demo)

    info = commands.add_parser("info", help="versions, CPU and threads; or what a model file holds")
    info.add_argument("model", nargs="?", help="file that model.save() wrote")
    info.set_defaults(run=_info)
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return int(text)


def _demo(arguments: argparse.Namespace) -> int:
    from nnext import _demo

    return _demo.run(arguments.epochs, None if arguments.no_plot else arguments.out)


def _info(arguments: argparse.Namespace) -> int:
    if arguments.model is None:
        nn.runtime.show_config()
        return 0
    try:
        model = nn.load(arguments.model)
    except (OSError, nn.ModelFormatError) as error:
        print(f"[info] {error}", file=sys.stderr)
        return 1
    model.summary()
    print(f"\n{model.dtype.name}, seed {model.seed}")
    compiled = model.compiled
    print(f"{compiled.loss}, {compiled.optimizer}" if compiled else "not compiled")
    return 0
