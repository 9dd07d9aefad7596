"""Consumers whose code is here are run on what is published, rather than read about.

Without a token, each key is probed with one whose signature is all zeros: whoever complains of
the signature has found the key, loaded it, and accepted its algorithm.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from kmsjwt._encoding import b64url_encode, plain
from kmsjwt.authority.compat.verdicts import Finding
from kmsjwt.errors import shown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from kmsjwt.authority.compat.facts import Facts, TokenFacts
    from kmsjwt.authority.compat.verdicts import Verdict

_HERE = "ran it here"
_PROBED = "https://probe.example"
_NODE_LIMIT = 30  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a consumer's own code made of the published keys.

    Attributes:
        version: its version.
        findings: what it accepted and refused.
    """

    version: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One token that is shown to a consumer.

    Attributes:
        name: what it stands for: a key, or the token.
        alg: its algorithm.
        token: the token.
        aud: its audience, which the consumer is told to expect.
        probe: whether a bad signature is what is hoped for.
    """

    name: str
    alg: str
    token: str
    aud: tuple[str, ...]
    probe: bool


def trials(facts: Facts, token: TokenFacts | None, *, now: int) -> list[Trial]:
    """Return what is shown to a consumer: the token, or else a probe of each key."""
    if token is not None:
        aud = token.claims.get("aud", ())
        audience = (aud,) if isinstance(aud, str) else tuple(aud)
        return [Trial(name="the token", alg=token.alg, token=token.text, aud=audience, probe=False)]
    return [
        Trial(
            name=key.name,
            alg=key.alg or "none",
            token=_probe(facts, key.kid, key.alg, now),
            aud=(_PROBED,),
            probe=True,
        )
        for key in facts.keys
    ]


def powertools(facts: Facts, shown_to_it: Iterable[Trial]) -> Run | None:
    """Run Powertools' JWTVerifier. None if it, or PyJWT, is not installed.

    Args:
        facts: what is published.
        shown_to_it: see `trials`.
    """
    try:
        jwt = import_module("aws_lambda_powertools.utilities.auth_alpha.jwt")
        exceptions = import_module("aws_lambda_powertools.utilities.auth_alpha.jwt.exceptions")
        version = str(import_module("aws_lambda_powertools").__version__)
        verifier: Any = jwt.JWTVerifier
    except (ImportError, AttributeError):
        return None
    if facts.jwks is None or facts.issuer is None:
        return None
    jwks = json.loads(facts.jwks)

    def refusal(trial: Trial) -> str | None:
        try:
            made = verifier(
                issuer=facts.issuer,
                audience=list(trial.aud or (_PROBED,)),
                algorithms=[trial.alg],
                jwks=jwks,
            )
        except ValueError as error:
            return str(error)
        try:
            made.verify(trial.token)
        except exceptions.InvalidSignatureError as error:
            return None if trial.probe else str(error)
        except exceptions.AuthError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001  a fault of theirs, on what is published, counts
            return type(error).__name__
        return None

    return Run(version=version, findings=_told((each, refusal(each)) for each in shown_to_it))


def aws_jwt_verify(
    facts: Facts, shown_to_it: Iterable[Trial], *, node: str, modules: Path
) -> Run | None:
    """Run aws-jwt-verify under Node. None if it would not run.

    Args:
        facts: what is published.
        shown_to_it: see `trials`.
        node: the command that is Node.
        modules: the ``node_modules`` that has the package. Its code is run.
    """
    if facts.jwks is None or facts.issuer is None:
        return None
    listed = list(shown_to_it)
    told = {
        "modules": str(modules.resolve()),
        "issuer": facts.issuer,
        "jwksUri": facts.discovery.jwks_uri if facts.discovery else None,
        "jwks": facts.jwks.decode("utf-8"),
        "trials": [{"token": each.token, "aud": list(each.aud)} for each in listed],
    }
    answer = _node(node, json.dumps(told))
    if answer is None:
        return None
    refusals = [_refusal(*each) for each in zip(listed, answer["refusals"], strict=True)]
    return Run(version=str(answer["version"]), findings=_told(zip(listed, refusals, strict=True)))


def _refusal(trial: Trial, told: dict[str, str] | None) -> str | None:
    if told is None or (trial.probe and told["name"] == "JwtInvalidSignatureError"):
        return None
    return f"{told['name']}: {told['message']}"


def _node(node: str, told: str) -> Any:
    import os
    import subprocess
    from pathlib import Path

    script = Path(__file__).with_name("probe.cjs")
    try:
        done = subprocess.run(  # noqa: S603  both were named by whoever called
            [node, str(script)],
            input=told,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_NODE_LIMIT,
            check=True,
            env={"PATH": os.environ.get("PATH", "")},
        )
        return json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def _told(outcomes: Iterable[tuple[Trial, str | None]]) -> tuple[Finding, ...]:
    every = list(outcomes)
    good = [trial for trial, refusal in every if refusal is None]
    found = []
    if good:
        algs = ", ".join(sorted({trial.alg for trial in good}))
        count = f"{len(good)} key{'s' * (len(good) != 1)}"
        why = f"{algs} · {count}" if good[0].probe else f"{algs} token"
        found.append(Finding(verdict="ok", what="run", why=why, source=_HERE))
    verdict: Verdict = "warn" if good else "no"
    found += [
        Finding(
            verdict=verdict,
            what="run",
            why=f"it refuses {trial.name} ({trial.alg}): {shown(refusal)}",
            source=_HERE,
        )
        for trial, refusal in every
        if refusal is not None
    ]
    if not every:
        found.append(Finding(verdict="no", what="run", why="the JWKS has no key", source=_HERE))
    return tuple(found)


def _probe(facts: Facts, kid: str | None, alg: str | None, now: int) -> str:
    header = {"alg": alg or "none", "typ": "JWT", **({} if kid is None else {"kid": kid})}
    claims = {"iss": facts.issuer, "aud": _PROBED, "sub": "probe", "iat": now, "exp": now + 300}
    key = facts.key_set.find(kid) if facts.key_set is not None and kid is not None else None
    zeros = bytes(key.signature_length if key else 64)
    parts = (json.dumps(plain(header)).encode(), json.dumps(claims).encode(), zeros)
    return ".".join(map(b64url_encode, parts))
