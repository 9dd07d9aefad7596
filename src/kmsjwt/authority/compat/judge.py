"""From facts to verdicts, one consumer at a time. Nothing is fetched, run or printed here.

A rule finds where what is published strains a limit. If the limit is in the table, that is a
``no``; if the consumer is known not to mind, nothing; if nobody says, ``unknown``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kmsjwt.authority.compat import tokens
from kmsjwt.authority.compat.limits import CONSUMERS, LIMITS, UNKNOWN_CACHE
from kmsjwt.authority.compat.strain import strained
from kmsjwt.authority.compat.verdicts import Finding, Row
from kmsjwt.errors import ConfigError, shown
from kmsjwt.jwks.static import MAX_BYTES
from kmsjwt.jwks.urls import read_issuer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from kmsjwt.authority.compat.facts import Facts, PublishedKey, TokenFacts
    from kmsjwt.authority.compat.limits import Limit
    from kmsjwt.authority.compat.running import Run
    from kmsjwt.authority.compat.verdicts import Verdict

    Rule = Callable[[Facts, Any], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What a rotation counts on between publishing a key and signing with it, in seconds.

    Attributes:
        document_max_age: how long what is published may be kept on its way.
        consumer_cache: how long the slowest consumer keeps it.
    """

    document_max_age: int = 300
    consumer_cache: int = 86_400

    @property
    def wait(self) -> int:
        """How long a new key is surely published before it signs."""
        return self.document_max_age + self.consumer_cache


def judge(
    facts: Facts,
    *,
    timing: Timing,
    token: TokenFacts | None = None,
    runs: Mapping[str, Run] | None = None,
    consumers: Iterable[str] = tuple(CONSUMERS),
) -> list[Row]:
    """Judge what an issuer publishes.

    Args:
        facts: what it publishes.
        timing: what its rotation waits for.
        token: a token of it, already verified with the published keys.
        runs: what consumers said whose code was run here, by short name.
        consumers: the short names of those to judge.
    """
    ran = runs or {}
    return [_row(name, facts, timing, token, ran.get(name)) for name in consumers]


def _row(name: str, facts: Facts, timing: Timing, token: TokenFacts | None, run: Run | None) -> Row:
    findings = list(run.findings) if run is not None else _keys(name, facts, token)
    findings += _published(name, facts)
    findings += _timing(name, facts, timing)
    if token is not None and run is None:
        findings += tokens.judged(name, token)
    title = CONSUMERS[name] if run is None else f"{CONSUMERS[name]} {run.version}"
    return Row(consumer=name, title=title.strip(), findings=tuple(findings))


def _keys(name: str, facts: Facts, token: TokenFacts | None) -> list[Finding]:
    if facts.jwks is None:
        return []  # said by max_bytes
    sound = [key for key in facts.keys if key.trouble is None]
    found: list[Finding] = []
    if token is not None:
        found += _algorithm_of_token(name, token.alg)
    elif sound:
        found += _algorithms(name, sound)
    elif not facts.keys:
        source = "RFC 7515 section 5.2"
        found.append(Finding(verdict="no", what="keys", why="the JWKS has no key", source=source))
    for key in facts.keys:
        if key.trouble is not None:
            found += strained(name, "keys", f"{key.name}: {key.trouble}")
    return [*found, *_kids(name, sound)]


def _algorithms(name: str, keys: list[PublishedKey]) -> list[Finding]:
    algs = sorted({str(key.alg) for key in keys})
    limit = LIMITS.get((name, "algs"))
    if limit is None:
        return [_unconfirmed(algs)]
    good = [alg for alg in algs if alg in limit.value]
    doubted = [alg for alg in algs if alg in _in_doubt(name)]
    bad = [alg for alg in algs if alg not in (*good, *doubted)]
    found = [_taken(limit, good, len(keys))] if good else []
    if doubted:
        found.append(_unconfirmed(doubted))
    if bad:
        why = f"it refuses {', '.join(bad)}, and verifies {', '.join(limit.value)}"
        verdict: Verdict = "warn" if good or doubted else "no"
        found.append(Finding(verdict=verdict, what="algs", why=why, source=limit.source))
    return found


def _taken(limit: Limit, algs: list[str], number: int) -> Finding:
    most = LIMITS.get((limit.consumer, "max_keys"))
    count = f"{number} of {most.value} keys" if most else f"{number} key{'s' * (number != 1)}"
    why = f"{', '.join(algs)} · {count}"
    return Finding(verdict="ok", what="algs", why=why, source=limit.source)


def _algorithm_of_token(name: str, alg: str) -> list[Finding]:
    limit = LIMITS.get((name, "algs"))
    if limit is None or alg in _in_doubt(name):
        return [_unconfirmed([alg])]
    if alg in limit.value:
        return [Finding(verdict="ok", what="algs", why=f"{alg} token", source=limit.source)]
    why = f"it refuses {alg}, and verifies {', '.join(limit.value)}"
    return [Finding(verdict="no", what="algs", why=why, source=limit.source)]


def _unconfirmed(algs: list[str]) -> Finding:
    why = f"whether it verifies {', '.join(algs)} is not confirmed"
    return Finding(verdict="unknown", what="algs", why=why, source=None)


def _in_doubt(name: str) -> tuple[str, ...]:
    limit = LIMITS.get((name, "algs_in_doubt"))
    return limit.value if limit else ()


def _kids(name: str, keys: list[PublishedKey]) -> list[Finding]:
    without = [key.name for key in keys if key.kid is None]
    if not without:
        return []
    found = strained(name, "kid", f"without kid: {', '.join(without[:3])}")
    if len(without) == len(keys):
        return found
    # The others serve all the same.
    return [replace(each, verdict="warn") if each.verdict == "no" else each for each in found]


def _published(name: str, facts: Facts) -> list[Finding]:
    if facts.issuer is None:
        why = "nothing names the issuer"
        found = [Finding(verdict="unknown", what="issuer", why=why, source=None)]
    else:
        found = []
    for what, rule in _RULES.items():
        limit = LIMITS.get((name, what))
        strain = rule(facts, limit.value if limit else None)
        if strain:
            found += strained(name, what, strain)
    return found


def _no_discovery(facts: Facts, _demanded: object) -> str | None:
    return f"no discovery: {facts.no_discovery}" if facts.discovery is None else None


def _other_issuer(facts: Facts, _demanded: object) -> str | None:
    if facts.discovery is None or facts.discovery.issuer == facts.issuer:
        return None
    return (
        f"discovery names the issuer {shown(facts.discovery.issuer)}, "
        f"expected {shown(facts.issuer)} to the byte"
    )


def _form(facts: Facts, _demanded: object) -> str | None:
    if facts.issuer is None or not facts.issuer.lower().startswith("https://"):
        return None  # said by https
    try:
        read_issuer(facts.issuer)
    except ConfigError as error:
        return error.message
    return None


def _https(facts: Facts, _demanded: object) -> str | None:
    urls = {"issuer": facts.issuer, "jwks_uri": _jwks_uri(facts)}
    plain = [
        f"{name} is {shown(url)}, expected https"
        for name, url in urls.items()
        if url is not None and not url.lower().startswith("https://")
    ]
    return "; ".join(plain) or None


def _port(facts: Facts, demanded: object) -> str | None:
    if not demanded or facts.issuer is None:
        return None
    authority = facts.issuer.partition("://")[2].partition("/")[0]
    has_port = authority.rpartition("]")[2].count(":") > 0
    return "the issuer has a port number, which it should not have" if has_port else None


def _issuer_length(facts: Facts, most: int | None) -> str | None:
    return _too_long("the issuer", facts.issuer, most)


def _jwks_uri_length(facts: Facts, most: int | None) -> str | None:
    return _too_long("jwks_uri", _jwks_uri(facts), most)


def _jwks_uri(facts: Facts) -> str | None:
    return facts.discovery.jwks_uri if facts.discovery else None


def _too_long(what: str, text: str | None, most: int | None) -> str | None:
    if most is None or text is None or len(text) <= most:
        return None
    return f"{what} has {len(text)} characters, expected at most {most}"


def _too_many(facts: Facts, most: int | None) -> str | None:
    if most is None or len(facts.keys) <= most:
        return None
    return f"the JWKS has {len(facts.keys)} keys, expected at most {most}"


def _too_large(facts: Facts, _most: int | None) -> str | None:
    # Both limits that are known are the most that is read here.
    return f"the JWKS is larger than {MAX_BYTES} bytes" if facts.jwks is None else None


_RULES: dict[str, Rule] = {
    "discovery": _no_discovery,
    "issuer_named": _other_issuer,
    "issuer_form": _form,
    "https": _https,
    "no_port": _port,
    "issuer_length": _issuer_length,
    "jwks_uri_length": _jwks_uri_length,
    "max_keys": _too_many,
    "max_bytes": _too_large,
}


def _timing(name: str, facts: Facts, timing: Timing) -> list[Finding]:
    seconds, why, source = kept(name)
    needed = seconds + max(facts.max_age or 0, timing.document_max_age)
    verdict: Verdict = "ok"
    if (name, "cache") in LIMITS:
        why += f": publish {spoken(needed)} before signing"
    if needed > timing.wait:
        verdict = "warn"
        why += f"; the rotation counts on {spoken(timing.wait)}, expected {spoken(needed)}"
    return [Finding(verdict=verdict, what="cache", why=why, source=source)]


def kept(name: str) -> tuple[int, str, str | None]:
    """Return for how many seconds a consumer keeps the JWKS, that in words, and who says so.

    For none, if all that is known is that it reads the JWKS again for a kid it does not know.
    """
    limit, again = LIMITS.get((name, "cache")), LIMITS.get((name, "asks_again"))
    if limit is not None:
        known = ", less for a new kid" if again is not None else ""
        return limit.value, f"caches {spoken(limit.value)}{known}", limit.source
    if again is not None:
        return 0, "reads the JWKS again for a new kid", again.source
    why = f"how long it keeps the JWKS is not confirmed, {spoken(UNKNOWN_CACHE)} are assumed"
    return UNKNOWN_CACHE, why, None


def spoken(seconds: int) -> str:
    """Return a length of time as people say it: ``2 h 5 min``."""
    units = (("h", 3_600), ("min", 60), ("s", 1))
    parts = []
    for unit, length in units:
        number, seconds = divmod(seconds, length)
        if number:
            parts.append(f"{number} {unit}")
    return " ".join(parts) or "0 s"
