"""The template's parameters as keyword arguments, checked as CloudFormation would check them."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any, TypedDict

from kmsjwt.deploy.deciding import broken
from kmsjwt.deploy.lengths import too_long
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
_SAID = ("Description", "ConstraintDescription")


def parameter_name(argument: str) -> str:
    """Return the template's name: ``token_lifetime`` is ``TokenLifetime``."""
    words = argument.split("_")
    return _NAMED_OTHERWISE.get(argument) or "".join(word.capitalize() for word in words)


_BY_PARAMETER = {parameter_name(argument): argument for argument in _ARGUMENTS}


def in_arguments(text: str) -> str:
    """Return a text with the arguments' names where the template's parameters are named."""
    return re.sub(r"\w+", lambda word: _BY_PARAMETER.get(word[0], word[0]), text)


def is_token_text(value: object) -> bool:
    """Tell whether this is, or has in it, the text for which the CDK puts in a value later.

    So it may be asked without the CDK, which starts Node; that knows of more kinds.
    """
    return isinstance(value, str) and "${Token[" in value


def values(
    template: Mapping[str, Any],
    given: Mapping[str, object],
    *,
    is_known_later: Callable[[object], bool] = is_token_text,
) -> dict[str, Any]:
    """Return a value for every parameter of a template.

    Args:
        template: the template.
        given: keyword arguments.
        is_known_later: tells a token of the CDK, whose value is known at deployment only.

    Raises:
        ConfigError: naming every argument that makes no sense.
    """
    declared = {
        name: {key: in_arguments(each) if key in _SAID else each for key, each in parameter.items()}
        for name, parameter in template["Parameters"].items()
    }
    strangers = [argument for argument in given if argument not in _ARGUMENTS]
    named = {parameter_name(each): given[each] for each in given if each not in strangers}
    faults = {
        name: fault
        for name, value in named.items()
        if (fault := _fault(declared[name], value, is_known_later))
    }
    for name, declaration in declared.items():
        if name not in named and "Default" not in declaration:
            faults[name] = f"is not given, expected: {_expected(declaration)}"
    filled = {
        name: _as_given(declaration, named[name]) if name in named else _default(declaration)
        for name, declaration in declared.items()
        if name not in faults
    }
    told = [_stranger(argument) for argument in strangers]
    told += [f"{_BY_PARAMETER[name]} {fault}" for name, fault in faults.items()]
    told += map(in_arguments, [*broken(template, filled), *too_long(filled)])
    if told:
        raise ConfigError("; ".join(told), code="cdk_parameters")
    return filled


def _stranger(argument: str) -> str:
    alike = difflib.get_close_matches(argument, _ARGUMENTS, n=1)
    meant = f"; is {alike[0]} meant?" if alike else ""
    return f"{argument} is no argument of TokenAuthority{meant}"


def _fault(
    declaration: Mapping[str, Any], value: object, is_known_later: Callable[[object], bool]
) -> str | None:
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
