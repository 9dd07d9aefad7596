"""``kmsjwt bundle``: what is deployed to Lambda, made on any machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kmsjwt.cli import terminal
from kmsjwt.cli.options import add_command

if TYPE_CHECKING:
    from argparse import Namespace

    from kmsjwt.bundling import Bundle
    from kmsjwt.bundling.coldstart import ColdStart

_MILLION = 1_000_000
_OUT = {False: "dist/function.zip", True: "dist/layer.zip"}


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "bundle",
        _bundle,
        help="make the zip that is deployed to Lambda: kmsjwt, what it needs and your own files",
        example="kmsjwt bundle --arch arm64 --python 3.13\n"
        "kmsjwt bundle --python 3.12 --with app.py rules.toml --requirements requirements.txt\n"
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
    parser.add_argument(
        "--measure", action="store_true", help="start its authorizer a few times and tell the cost"
    )
    parser.add_argument("--json", action="store_true", help="print what was made as JSON")


def _bundle(args: Namespace) -> int:
    from kmsjwt.bundling import Target, build
    from kmsjwt.cli.bundle_seed import Seed

    seed = Seed.of(args.jwks) if args.jwks else None
    bundle = build(
        Target(arch=args.arch or "arm64", python=args.python or "3.13"),
        Path(args.out or _OUT[args.layer]),
        layer=args.layer,
        files=[Path(name) for name in getattr(args, "with") or ()],
        requirements=Path(args.requirements) if args.requirements else None,
        seed=seed.to_bytes() if seed else None,
    )
    _tell(bundle)
    for line in seed.told(layer=args.layer) if seed else ():
        terminal.say(line)
    cold_start = _measure(bundle) if args.measure else None
    if args.json:
        terminal.answer_json(
            {**_as_json(bundle, cold_start), "seed": seed.to_dict() if seed else None}
        )
    else:
        terminal.answer(terminal.printable(str(bundle.path)))
    return terminal.GOOD


def _tell(bundle: Bundle) -> None:
    what = "a layer" if bundle.layer else "a function"
    terminal.say(
        f"{what} for {bundle.target} ({bundle.target.system}):"
        f" {bundle.size / _MILLION:.1f} MB, unpacked {bundle.unpacked / _MILLION:.1f} MB"
    )
    terminal.say("holds " + ", ".join(f"{name} {each}" for name, each in bundle.versions.items()))
    if "boto3" in bundle.versions:
        terminal.warn("it holds boto3, which Lambda has already; leave it out of the requirements")
    if not bundle.compiled:
        terminal.warn(
            f"it has no .pyc files, so every cold start compiles: no Python {bundle.target.python}"
            " was found here; run kmsjwt with it, or put it on the PATH"
        )
    terminal.say(f"sha256 {bundle.sha256}")


def _measure(bundle: Bundle) -> ColdStart:
    import tempfile

    from kmsjwt.bundling import coldstart
    from kmsjwt.testing import Tokens, events

    with tempfile.TemporaryDirectory(prefix="kmsjwt-keys-") as scratch:
        tokens = Tokens(alg="RS256")
        settings = {
            "KMSJWT_ISSUER": tokens.issuer,
            "KMSJWT_AUDIENCE": "orders",
            "KMSJWT_JWKS": str(tokens.write_jwks(Path(scratch) / "jwks.json")),
        }
        event = events.rest_token(authorization=f"Bearer {tokens.good(aud='orders')}")
        measured = coldstart.measure(bundle, settings=settings, event=event)
    without = measured.without_compiled
    terminal.say(
        f"cold start of the authorizer: {measured.as_built:.1f} ms of CPU here"
        + (f", without .pyc files {without:.0f} ms" if without is not None else "")
        + f", of which Python itself {measured.python_alone:.0f} ms"
    )
    return measured


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
