"""The template's parameters as keyword arguments, checked as CloudFormation would check them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypedDict

from kmsjwt.deploy.deciding import broken
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
_ARGUMENTS = ("audience", *Parameters.__annotations__)


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
    arguments = {parameter_name(argument): argument for argument in [*_ARGUMENTS, *given]}
    named = {parameter_name(argument): value for argument, value in given.items()}
    faults = {
        name: fault
        for name, value in named.items()
        if (fault := _fault(declared.get(name), value, is_known_later))
    }
    for name, declaration in declared.items():
        if name not in named and "Default" not in declaration:
            faults[name] = f"is not given, expected: {_expected(declaration)}"
    filled = {
        name: _as_given(declaration, named[name]) if name in named else _default(declaration)
        for name, declaration in declared.items()
        if name not in faults
    }
    told = [f"{arguments[name]} {fault}" for name, fault in faults.items()]
    told += [_in_arguments(fault, arguments) for fault in broken(template, filled)]
    if told:
        raise ConfigError("; ".join(told), code="cdk_parameters")
    return filled


def _in_arguments(fault: str, arguments: Mapping[str, str]) -> str:
    return re.sub(r"\w+", lambda word: arguments.get(word[0], word[0]), fault)


def _fault(
    declaration: Mapping[str, Any] | None, value: object, is_known_later: Callable[[object], bool]
) -> str | None:
    if declaration is None:
        return "is no argument of TokenAuthority"
    if is_known_later(value):
        return None
    if _is_list(declaration):
        return _fault_of_list(declaration, value, is_known_later)
    return _fault_of_one(declaration, value)


def _fault_of_list(
    declaration: Mapping[str, Any], value: object, is_known_later: Callable[[object], bool]
) -> str | None:
    texts = _texts(value)
    if not isinstance(texts, (list, tuple)) or not all(isinstance(each, str) for each in texts):
        return f"is {shown(value)}, expected a list of texts"
    if not texts and "Default" not in declaration:
        return f"is empty, expected: {declaration['Description']}"
    for each in texts:
        if is_known_later(each):
            continue
        if not re.fullmatch(r"[^\s,]+", each):
            return (
                f"has {shown(each)}, expected each in a text of its own without commas and"
                ' spaces, such as ["a", "b"]'
            )
        if fault := _fault_of_one(declaration, each):
            return fault
    return None


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
    return list(_texts(value)) if _is_list(declaration) else value


def _texts(value: Any) -> Any:
    """Return a list that may be given as the one text that is in it."""
    if isinstance(value, str):
        return [value] if value else []
    return value


def _default(declaration: Mapping[str, Any]) -> Any:
    default = declaration["Default"]
    if _is_list(declaration):
        return default.split(",") if default else []
    return default


def _is_list(declaration: Mapping[str, Any]) -> bool:
    return bool(declaration["Type"] == "CommaDelimitedList")
