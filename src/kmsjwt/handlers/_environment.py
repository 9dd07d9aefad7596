"""The environment, read strictly: empty means unset, and all faults are told together."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from kmsjwt.errors import ConfigError, shown
from kmsjwt.handlers._durations import seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Made = TypeVar("Made")

PREFIX = "KMSJWT_"
KNOWN = frozenset(
    {
        "KMSJWT_ACCOUNT",
        "KMSJWT_ALG",
        "KMSJWT_AUDIENCE",
        "KMSJWT_AUDIENCES_ALLOWED",
        "KMSJWT_BUNDLE",
        "KMSJWT_CACHE_TTL",
        "KMSJWT_CALLERS",
        "KMSJWT_CDN",
        "KMSJWT_CONSUMER_CACHE",
        "KMSJWT_CONTEXT",
        "KMSJWT_DOCUMENT_MAX_AGE",
        "KMSJWT_ISSUER",
        "KMSJWT_JWKS",
        "KMSJWT_JWKS_SEED",
        "KMSJWT_KEY",
        "KMSJWT_KEY_POLICY",
        "KMSJWT_KEYS",
        "KMSJWT_KID",
        "KMSJWT_LIFETIME",
        "KMSJWT_MAX_LIFETIME",
        "KMSJWT_MAY_SIGN",
        "KMSJWT_METRICS",
        "KMSJWT_ON_INVALID",
        "KMSJWT_PERIOD",
        "KMSJWT_PRINCIPAL_CLAIM",
        "KMSJWT_PROFILE",
        "KMSJWT_PUBLIC",
        "KMSJWT_RECIPE_OPEN",
        "KMSJWT_RECIPE_UNTIL",
        "KMSJWT_REGION",
        "KMSJWT_RESPONSE",
        "KMSJWT_RING",
        "KMSJWT_RULES",
        "KMSJWT_SIGNER_REFRESH",
        "KMSJWT_SPEC",
        "KMSJWT_TO",
        "KMSJWT_TOKEN_FROM",
        "KMSJWT_TYP",
        "KMSJWT_USAGE_CLAIM",
        "KMSJWT_VERIFY",
    }
)
"""Every setting of a function. One that is in neither list is taken for a misspelling."""
COMMAND_LINE = frozenset(
    {
        "KMSJWT_ACCOUNT",
        "KMSJWT_ALL",
        "KMSJWT_ARCH",
        "KMSJWT_AUTHORIZER",
        "KMSJWT_CLAIM",
        "KMSJWT_CLIENT_ID",
        "KMSJWT_CONSUMER",
        "KMSJWT_DEBUG",
        "KMSJWT_DRY_RUN",
        "KMSJWT_FOLDER",
        "KMSJWT_FUNCTION",
        "KMSJWT_JSON",
        "KMSJWT_KEYS_FROM",
        "KMSJWT_KIND",
        "KMSJWT_LAYER",
        "KMSJWT_LEEWAY",
        "KMSJWT_MAY_CHANGE",
        "KMSJWT_MAY_SIGN",
        "KMSJWT_MEASURE",
        "KMSJWT_MESSAGE_TYPE",
        "KMSJWT_MULTI_REGION",
        "KMSJWT_NODE_MODULES",
        "KMSJWT_ORPHANS",
        "KMSJWT_OUT",
        "KMSJWT_PORT",
        "KMSJWT_PYTHON",
        "KMSJWT_REQUIREMENTS",
        "KMSJWT_RETIRED_FOR",
        "KMSJWT_SPEC",
        "KMSJWT_SUBJECT",
        "KMSJWT_TOKEN",
        "KMSJWT_WINDOW",
    }
)
"""The command line's own, which may be set in a shell that builds a function too."""

_ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KMS")
_SUCH_AS = {
    "KMSJWT_AUDIENCE": "orders",
    "KMSJWT_ISSUER": "https://id.example",
    "KMSJWT_KEY": "alias/auth",
    "KMSJWT_KEYS": "ring:auth",
    "KMSJWT_RING": "auth",
}


class Environment:
    """Reads one setting after the other and remembers what is wrong with any of them."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        """Take a snapshot of the variables; those that are empty or blank do not count."""
        self._values = {
            name: value.strip() for name, value in variables.items() if value and value.strip()
        }
        self._blank = frozenset(variables) - frozenset(self._values)
        self.faults: list[str] = []
        self._steps: dict[str, str | None] = {}  # what to do about a fault that says it itself
        self._look_for_misspellings()
        self._look_for_plain_endpoints()

    def is_blank(self, name: str) -> bool:
        """Tell whether the variable is there and says nothing."""
        return name in self._blank

    def text(self, name: str) -> str | None:
        """Return the setting, or None if it is unset."""
        return self._values.get(name)

    def region(self) -> str | None:
        """Return the Region of the setting, else AWS's own, which Lambda sets; None if unset."""
        theirs = self._values.get("AWS_REGION") or self._values.get("AWS_DEFAULT_REGION")
        return self.text("KMSJWT_REGION") or theirs

    def required(self, name: str, expected: str) -> str:
        """Return the setting; unset is a fault."""
        value = self._values.get(name, "")
        if not value:
            self.faults.append(f"{name} is unset, expected {expected}")
        return value

    def words(self, name: str) -> tuple[str, ...]:
        """Return the setting's words, each once; none if it is unset.

        Spaces part them, and commas as well: no audience, type or KMS key of ours has one.
        """
        return tuple(dict.fromkeys(self._values.get(name, "").replace(",", " ").split()))

    def choice(self, name: str, *choices: str) -> str | None:
        """Return the setting, which must be one of the choices, or None if it is unset."""
        value = self._values.get(name)
        if value is None or value in choices:
            return value
        self.faults.append(f"{name} is {shown(value)}, expected {' or '.join(choices)}")
        return None

    def seconds(self, name: str, *, least: int = 1) -> int | None:
        """Return the length of time in seconds, or None if it is unset."""
        value = self._values.get(name)
        if value is None:
            return None
        length = seconds(value)
        if length is None or length < least:
            self.faults.append(f"{name} is {shown(value)}, expected such as 15m, PT15M or 900")
            return None
        return length

    def attempt(self, make: Callable[[], Made], *, about: str = "") -> Made | None:
        """Return what ``make`` makes; a ConfigError is one more fault.

        Args:
            make: makes it.
            about: the variable whose value it is made of, which the error's text does not name.
        """
        try:
            return make()
        except ConfigError as error:
            for fault in error.faults:
                told = f"{about}: {fault}" if about else fault
                self.faults.append(told)
                self._steps[told] = error.fix
            return None

    def refuse_faults(self) -> None:
        """Raise one ConfigError that names every fault, if there is any."""
        if not self.faults:
            return
        message, fix = (
            "; ".join(self.faults),
            "mend each of them: the function does not start before",
        )
        if len(self.faults) == 1:
            fix = self._steps.get(message) or _step(message)
            message = message.removesuffix(f"; {fix}")
        raise ConfigError(message, code="environment", faults=self.faults, fix=fix)

    def _look_for_misspellings(self) -> None:
        for name in sorted(self._values):
            if name.startswith(PREFIX) and name not in KNOWN | COMMAND_LINE:
                self.faults.append(f"{shown(name)} is no setting of kmsjwt{_nearest(name)}")

    def _look_for_plain_endpoints(self) -> None:
        # Inside Lambda a plain endpoint is a test's left-over: whoever answers there would be
        # believed as KMS.
        if not inside_lambda(self._values):
            return
        for name in _ENDPOINTS:
            if not self._values.get(name, "https://").lower().startswith("https://"):
                self.faults.append(f"{name} is no https URL, and inside Lambda none other is used")
        if self._values.get("KMSJWT_JWKS", "").lower().startswith("http://"):
            self.faults.append("KMSJWT_JWKS is an http URL, and inside Lambda only https is used")


def inside_lambda(variables: Mapping[str, str]) -> bool:
    """Tell whether this is a Lambda function (Lambda guide, defined runtime variables)."""
    return bool(
        variables.get("AWS_LAMBDA_FUNCTION_NAME")
        or variables.get("AWS_EXECUTION_ENV", "").startswith("AWS_Lambda_")
    )


def _step(fault: str) -> str:
    """Return what to do about a fault that is alone, by the first variable it names."""
    import re  # as below

    found = re.search(r"(?:AWS|KMS|KMSJWT)_[A-Z_]+", fault)
    if found is None:
        return "change it: the function does not start before"
    name = found[0]
    if f"{name} is unset" not in fault:
        return f"change {name}: the function does not start before"
    return f"set {name}, such as {_SUCH_AS[name]}" if name in _SUCH_AS else f"set {name}"


def _nearest(name: str) -> str:
    from difflib import get_close_matches  # only a wrong environment pays for this import

    # Without the prefix, which would make every pair of names look alike.
    plain = {known.removeprefix(PREFIX): known for known in KNOWN}
    near = get_close_matches(name.removeprefix(PREFIX), sorted(plain), n=1, cutoff=0.5)
    return f", was {plain[near[0]]} meant?" if near else ""
