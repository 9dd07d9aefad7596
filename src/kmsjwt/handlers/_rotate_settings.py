"""What the rotate function is told by its environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt._encoding import to_json
from kmsjwt._immutable import Immutable
from kmsjwt.algorithms import ALGORITHMS, for_key_spec
from kmsjwt.errors import ConfigError

if TYPE_CHECKING:
    from kmsjwt.handlers._environment import Environment

_TIMES = ("period", "max_lifetime", "signer_refresh", "document_max_age", "consumer_cache")


class RotateSettings(Immutable):
    """The settings of the rotate function.

    Attributes:
        ring: the ring's name; empty if it is missing.
        issuer: the ``iss`` of the tokens.
        to: where documents are written.
        public: whether the issuer's URL is read back too.
        cdn: the CloudFront distribution before it.
        region: the Region.
        spec: the KMS key spec of the next key.
        policy: the key policy of the next key, as JSON; None for KMS's own default.
        changes: the settings of the next key that are named.
    """

    __slots__ = ("cdn", "changes", "issuer", "policy", "public", "region", "ring", "spec", "to")

    ring: str
    issuer: str | None
    to: str | None
    public: bool
    cdn: str | None
    region: str | None
    spec: str | None
    policy: str | None
    changes: dict[str, Any]

    def __init__(self, env: Environment) -> None:
        """Read the environment, which remembers every fault."""
        changes: dict[str, Any] = {}
        for name in _TIMES:
            least = 0 if name == "consumer_cache" else 1
            length = env.seconds(f"KMSJWT_{name.upper()}", least=least)
            if length is not None:
                changes[name] = length
        bundle = env.choice("KMSJWT_BUNDLE", "yes", "no")
        if bundle is not None:
            changes["bundle"] = bundle == "yes"
        alg = env.choice("KMSJWT_ALG", *ALGORITHMS)
        if alg is not None:
            changes["alg"] = alg
        self._fill(
            ring=env.required("KMSJWT_RING", "the name of the ring to rotate"),
            issuer=env.text("KMSJWT_ISSUER"),
            to=env.text("KMSJWT_TO"),
            public=env.choice("KMSJWT_PUBLIC", "yes", "no") == "yes",
            cdn=env.text("KMSJWT_CDN"),
            region=env.text("KMSJWT_REGION"),
            spec=env.text("KMSJWT_SPEC"),
            policy=_policy(env, env.text("KMSJWT_SPEC"), alg),
            changes=changes,
        )


def _policy(env: Environment, spec: str | None, alg: str | None) -> str | None:
    """Return the key policy that keeps administration apart from use, if it is wanted."""
    wanted = env.choice("KMSJWT_KEY_POLICY", "default", "split")
    account, may_sign = env.text("KMSJWT_ACCOUNT"), env.words("KMSJWT_MAY_SIGN")
    region = env.region()
    if wanted != "split":
        if may_sign:
            env.faults.append("KMSJWT_MAY_SIGN is set, which takes KMSJWT_KEY_POLICY=split")
        return None
    missing = {
        "KMSJWT_SPEC": spec,
        "KMSJWT_ACCOUNT": account,
        "KMSJWT_REGION (or AWS_REGION)": region,
    }
    if not (spec and account and region):
        unset = " and ".join(name for name, value in missing.items() if not value)
        env.faults.append(f"KMSJWT_KEY_POLICY is split, and unset: {unset}")
        return None
    return env.attempt(lambda: _rendered(region, account, spec, alg, may_sign))


def _rendered(
    region: str, account: str, spec: str, alg: str | None, may_sign: tuple[str, ...]
) -> str:
    from kmsjwt.authority.iam import policy
    from kmsjwt.authority.iam_guard import key_policy
    from kmsjwt.authority.iam_names import Place

    try:
        chosen = for_key_spec(spec, alg).name
    except ConfigError as error:
        raise ConfigError(f"KMSJWT_KEY_POLICY: {error.message}", code=error.code) from None
    statements = key_policy(Place(region, account), algs=[chosen], may_sign=may_sign)
    return to_json(policy(statements)).decode("utf-8")
