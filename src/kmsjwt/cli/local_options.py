"""What ``local`` and its commands have in common: a folder of keys, a Region."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import Namespace

REGION = "eu-central-1"


def add_common(parser: Any, folder_help: str, *, default: Any) -> None:
    """Add ``--folder`` and ``--region``."""
    parser.add_argument("--folder", metavar="DIR", help=folder_help, default=default)
    parser.add_argument(
        "--region",
        metavar="REGION",
        help=f"Region (AWS_REGION, AWS_DEFAULT_REGION, else {REGION})",
        default=default,
    )


def region_of(args: Namespace) -> str:
    """Return the Region that the local KMS is to answer for."""
    environ = os.environ
    return args.region or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or REGION
