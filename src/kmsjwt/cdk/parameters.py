"""The template's parameters as keyword arguments, checked as CloudFormation would."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypedDict

from kmsjwt.errors import ConfigError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class Parameters(TypedDict, total=False):
    """What may be given to the construct; what is left out has the template's default.

    Each is described in the template, see `kmsjwt.deploy.parameters`.
    """

    issuer: str
    certificate_arn: str
    hosted_zone_id: str
    ring_name: str
    existing_key: str
    algorithm: str
    signer_roles: Sequence[str]
    token_lifetime: str
    max_token_lifetime: str
    rotation_period: str
    consumer_cache: str
    jwks_in_bundle: str
    authorizer_ttl: int
    cors_origin: str
    issue_concurrency: int
    issue_rate: int
    vpc_subnet_ids: Sequence[str]
    vpc_security_group_ids: Sequence[str]
    log_retention: int
    alarm_topic_arn: str


_NAMED_OTHERWISE = {"issuer": "IssuerUrl"}


def parameter_name(argument: str) -> str:
    """Return the template's name: ``token_lifetime`` is ``TokenLifetime``."""
    words = argument.split("_")
    return _NAMED_OTHERWISE.get(argument) or "".join(word.capitalize() for word in words)


def values(
    template: Mapping[str, Any],
    given: Mapping[str, object],
    *,
    is_known_later: Callable[[object], bool],
) -> dict[str, Any]:
    """Return a value for every parameter of a template.

    Args:
        template: the template.
        given: keyword arguments.
        is_known_later: tells a token of the CDK, whose value is known at deployment only.

    Raises:
        ConfigError: naming every argument that makes no sense.
    """
    declared = template["Parameters"]
    named = {parameter_name(argument): value for argument, value in given.items()}
    arguments = {parameter_name(argument): argument for argument in given}
    faults = [
        f"{arguments[name]} {fault}"
        for name, value in named.items()
        if (fault := _fault(declared.get(name), value, is_known_later))
    ]
    faults += [
        f"{argument} is not given, expected: {_expected(declared[name])}"
        for argument in Parameters.__annotations__
        if (name := parameter_name(argument)) not in named and "Default" not in declared[name]
    ]
    if faults:
        raise ConfigError("; ".join(faults), code="cdk_parameters")
    return {
        name: _as_given(declaration, named[name]) if name in named else _default(declaration)
        for name, declaration in declared.items()
    }


def _fault(
    declaration: Mapping[str, Any] | None, value: object, is_known_later: Callable[[object], bool]
) -> str | None:
    if declaration is None:
        return "is no argument of TokenAuthority"
    if is_known_later(value):
        return None
    if _is_list(declaration):
        texts = [value] if isinstance(value, str) else value
        good = isinstance(texts, (list, tuple)) and all(isinstance(each, str) for each in texts)
        return None if good else f"is {shown(value)}, expected a list of texts"
    return _fault_of_one(declaration, value)


def _fault_of_one(declaration: Mapping[str, Any], value: object) -> str | None:
    if declaration["Type"] == "Number":
        if not isinstance(value, int) or isinstance(value, bool):
            return f"is {shown(value)}, expected a whole number"
        least, most = declaration.get("MinValue", value), declaration.get("MaxValue", value)
        if not least <= value <= most:
            return f"is {value}, expected {least} to {most}"
    elif not isinstance(value, str):
        return f"is {shown(value)}, expected a text"
    elif not re.fullmatch(declaration.get("AllowedPattern", "(?s:.*)"), value):
        return f"is {shown(value)}, expected: {_expected(declaration)}"
    if value not in declaration.get("AllowedValues", [value]):
        return f"is {shown(value)}, expected one of {declaration['AllowedValues']}"
    return None


def _expected(declaration: Mapping[str, Any]) -> str:
    return str(declaration.get("ConstraintDescription", declaration["Description"]))


def _as_given(declaration: Mapping[str, Any], value: Any) -> Any:
    if _is_list(declaration):
        return [value] if isinstance(value, str) else list(value)
    return value


def _default(declaration: Mapping[str, Any]) -> Any:
    default = declaration["Default"]
    if _is_list(declaration):
        return default.split(",") if default else []
    return default


def _is_list(declaration: Mapping[str, Any]) -> bool:
    return bool(declaration["Type"] == "CommaDelimitedList")
