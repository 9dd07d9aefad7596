"""``kmsjwt bundle``: what is deployed to Lambda, made on any machine."""

from __future__ import annotations

import contextlib
import os
import platform
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kmsjwt.cli import terminal
from kmsjwt.cli.options import add_command
from kmsjwt.errors import ConfigError, shown

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from kmsjwt.bundling import Bundle
    from kmsjwt.bundling.coldstart import ColdStart

_MILLION = 1_000_000
_MUST, _MUST_NOT = "yes", "no"
_OUT = {False: "dist/function.zip", True: "dist/layer.zip"}


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "bundle",
        _bundle,
        help="make the zip that is deployed to Lambda: kmsjwt, what it needs and your own files",
        example="kmsjwt bundle --arch arm64 --python 3.13\n"
        "kmsjwt bundle --python 3.12 --with app.py rules.toml --requirements bundle.txt\n"
        "kmsjwt bundle --jwks https://id.example/.well-known/jwks.json",
    )
    parser.add_argument("--arch", metavar="ARCH", help="arm64 or x86_64 (arm64)")
    parser.add_argument("--python", metavar="X.Y", help="the runtime's Python, from 3.11 on (3.13)")
    parser.add_argument("--layer", action="store_true", help="make a layer instead of a function")
    parser.add_argument("--out", metavar="FILE", help=f"the zip ({_OUT[False]}, {_OUT[True]})")
    parser.add_argument(
        "--with",
        action="extend",
        nargs="+",
        metavar="FILE",
        help="your own files and folders, which go to the root of the zip; may be repeated",
    )
    parser.add_argument(
        "--jwks",
        metavar="FILE|URL",
        help="the published keys, with which a new process of the authorizer begins",
    )
    parser.add_argument(
        "--requirements",
        metavar="FILE",
        help="install this, locked with hashes (what kmsjwt needs, as installed here)",
    )
    # Of one name, so of one variable: KMSJWT_MEASURE=1 is the first, =0 the second.
    measuring = parser.add_mutually_exclusive_group()
    measuring.add_argument(
        "--measure",
        action="store_const",
        const=_MUST,
        help="fail where its cold start cannot be measured, rather than say so",
    )
    measuring.add_argument(
        "--no-measure",
        action="store_const",
        const=_MUST_NOT,
        dest="measure",
        help="don't start its authorizer to measure that",
    )
    parser.add_argument("--json", action="store_true", help="print what was made as JSON")


def _bundle(args: Namespace) -> int:
    from kmsjwt.bundling import Target, build
    from kmsjwt.cli.bundle_seed import Seed

    files = [Path(name) for name in getattr(args, "with") or ()]
    out = _named(args.out or _OUT[args.layer])
    seed = Seed.of(args.jwks) if args.jwks else None
    bundle = build(
        Target(arch=args.arch or "arm64", python=args.python or "3.13"),
        out,
        layer=args.layer,
        files=files,
        requirements=Path(args.requirements) if args.requirements else None,
        seed=seed.to_bytes() if seed else None,
    )
    _tell(bundle)
    for line in seed.told(layer=args.layer) if seed else ():
        terminal.say(line)
    cold_start = _measured(bundle, {_MUST: True, _MUST_NOT: False}.get(args.measure, args.measure))
    if files and not bundle.compiled:
        terminal.warn(
            "your own files were not compiled either, so nobody looked for errors of syntax in them"
        )
    terminal.say(f"sha256 {bundle.sha256}")
    if args.json:
        terminal.answer_json(
            {**_as_json(bundle, cold_start), "seed": seed.to_dict() if seed else None}
        )
    else:
        terminal.answer(terminal.printable(str(bundle.path)))
    return terminal.GOOD


def _named(out: str) -> Path:
    """Return the zip's name; a folder's is seen as it was typed, which a path does not keep."""
    what = "standard output" if out == "-" else "a folder" if out[-1] in ("/", os.sep) else None
    if what:
        raise ConfigError(
            f"--out is {shown(out)}, which is {what}, expected the name of a zip",
            code="bundle_out",
            fix="name a file: kmsjwt bundle --out FILE",
        )
    return Path(out)


def _tell(bundle: Bundle) -> None:
    what = "a layer" if bundle.layer else "a function"
    terminal.say(
        f"{what} for {bundle.target} ({bundle.target.system}):"
        f" {bundle.size / _MILLION:.1f} MB, unpacked {bundle.unpacked / _MILLION:.1f} MB"
    )
    terminal.say("holds " + ", ".join(f"{name} {each}" for name, each in bundle.versions.items()))
    if "boto3" in bundle.versions:
        terminal.warn("it holds boto3, which Lambda has already; leave it out of the requirements")


def _measured(bundle: Bundle, wanted: bool | None) -> ColdStart | None:  # noqa: FBT001  as typed
    """Tell what a cold start costs; where nobody said whether to, if it can be known here."""
    from kmsjwt.bundling.coldstart import runs_here

    cold_start = None
    if wanted:
        cold_start = _of_bundle(bundle)
    elif wanted is None and runs_here(bundle.target):
        try:
            cold_start = _of_bundle(bundle)
        except ConfigError as error:  # such as of a Linux here that is older than Lambda's
            terminal.warn(f"its cold start was not measured: {error.message}")
    elif wanted is None:
        terminal.say(f"its cold start was not measured: {bundle.target} does not run here")
    if not bundle.compiled:
        terminal.warn(
            f"it has no .pyc files, so every cold start compiles: no Python {bundle.target.python}"
            f" was found here; run kmsjwt with it, or put it on the PATH. {_cost(wanted)}"
        )
    return cold_start


def _cost(wanted: bool | None) -> str:  # noqa: FBT001  as typed
    """Return what a start without compiled files costs more, measured by the Python here."""
    if wanted is not False:
        with contextlib.suppress(ConfigError, OSError):
            from kmsjwt.bundling.coldstart import measure_installed

            here = _start(measure_installed)
            if here.without_compiled is not None:
                return (
                    f"What that costs, measured with Python {platform.python_version()} and what is"
                    f" installed here: {here.without_compiled:.0f} ms of CPU for the authorizer's"
                    f" start, and {here.as_built:.0f} ms with them"
                )
    return "What that costs was not measured here; docs/reference/benchmarks.md has a measurement"


def _of_bundle(bundle: Bundle) -> ColdStart:
    from kmsjwt.bundling.coldstart import measure

    measured = _start(partial(measure, bundle))
    without = measured.without_compiled
    terminal.say(
        f"cold start of the authorizer: {measured.as_built:.1f} ms of CPU here"
        + (f", without .pyc files {without:.0f} ms" if without is not None else "")
        + f", of which Python itself {measured.python_alone:.0f} ms"
    )
    return measured


def _start(measure: Callable[..., ColdStart]) -> ColdStart:
    """Measure an authorizer that lets one token in, by a JWKS in a file."""
    import tempfile

    from kmsjwt.testing import Tokens, events

    with tempfile.TemporaryDirectory(prefix="kmsjwt-keys-") as scratch:
        tokens = Tokens(alg="RS256")
        settings = {
            "KMSJWT_ISSUER": tokens.issuer,
            "KMSJWT_AUDIENCE": "orders",
            "KMSJWT_JWKS": str(tokens.write_jwks(Path(scratch) / "jwks.json")),
        }
        event = events.rest_token(authorization=f"Bearer {tokens.good(aud='orders')}")
        return measure(settings=settings, event=event)


def _as_json(bundle: Bundle, cold_start: ColdStart | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "path": str(bundle.path),
        "arch": bundle.target.arch,
        "python": bundle.target.python,
        "layer": bundle.layer,
        "bytes": bundle.size,
        "unpacked_bytes": bundle.unpacked,
        "sha256": bundle.sha256,
        "compiled": bundle.compiled,
        "versions": dict(bundle.versions),
    }
    if cold_start is not None:
        told["cold_start_cpu_ms"] = {
            "as_built": round(cold_start.as_built, 1),
            "without_compiled": None
            if cold_start.without_compiled is None
            else round(cold_start.without_compiled, 1),
            "python_alone": round(cold_start.python_alone, 1),
        }
    return told
