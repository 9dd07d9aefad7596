"""Whether a key of a spec can sign what a ring's settings say.

Asked before a key is made: one that does not fit is in doubt for ever, and where it is the only
one of its ring, nothing that rotates dares to make another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt.algorithms import for_key_spec
from kmsjwt.errors import ConfigError

if TYPE_CHECKING:
    from kmsjwt.rotation import RingSettings


def fitting(spec: str, settings: RingSettings) -> RingSettings:
    """Return the settings of a generation, if a key of that spec can have them.

    Args:
        spec: the KMS key spec that the generation is to have.
        settings: its settings, whose ``alg`` is None for the spec's default.

    Raises:
        ConfigError: no key of the spec signs tokens, or none signs tokens of that ``alg``.
    """
    try:
        for_key_spec(spec, settings.alg)
    except ConfigError as error:
        if error.code == "alg_mismatch":
            error.fix = "name both, key spec and algorithm, or leave the algorithm to the spec"
        raise
    return settings
