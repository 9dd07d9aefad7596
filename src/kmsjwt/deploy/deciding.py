"""What the conditions and rules of a template come to once its parameters' values are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def broken(template: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[str]:
    """Yield what each rule that is broken says; one of a parameter without a value is left out.

    Args:
        template: a template.
        values: of its parameters. One that is a token of the CDK counts as given.

    Raises:
        KeyError: a rule is made of a function that is not known here.
    """
    for rule in template.get("Rules", {}).values():
        if not _named(rule) <= values.keys():
            continue
        if "RuleCondition" in rule and not is_met(rule["RuleCondition"], values):
            continue
        for assertion in rule["Assertions"]:
            if not is_met(assertion["Assert"], values):
                yield assertion["AssertDescription"]


def is_met(condition: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Tell whether a condition holds (CloudFormation, condition and rule functions).

    Args:
        condition: one function and its arguments.
        values: of the parameters. One that is a token of the CDK counts as given.

    Raises:
        KeyError: a function that is not known here, or a parameter without a value.
    """
    [(function, arguments)] = condition.items()
    if function == "Fn::Not":
        return not is_met(arguments[0], values)
    if function in ("Fn::And", "Fn::Or"):
        met = [is_met(each, values) for each in arguments]
        return all(met) if function == "Fn::And" else any(met)
    if function == "Fn::Equals":
        one, other = (text(each, values) for each in arguments)
        return one == other
    if function == "Fn::EachMemberEquals":
        members, wanted = arguments
        return all(each == text(wanted, values) for each in values[members["Ref"]])
    raise KeyError(function)


def text(value: Any, values: Mapping[str, Any]) -> str:
    """Return what a text, a ``Ref`` or an ``Fn::Join`` comes to.

    Raises:
        KeyError: a function that is not known here, or a parameter without a value.
    """
    if not isinstance(value, dict):
        return str(value)
    [(function, argument)] = value.items()
    if function == "Ref":
        return str(values[argument])
    if function == "Fn::Join":
        joiner, parts = argument
        texts = values[parts["Ref"]] if isinstance(parts, dict) else parts
        return str(joiner).join(map(str, texts))
    raise KeyError(function)


def _named(value: Any) -> set[str]:
    """Return the parameters of which a rule speaks."""
    if isinstance(value, list):
        return set().union(*map(_named, value))
    if not isinstance(value, dict):
        return set()
    if value.keys() == {"Ref"}:
        return {value["Ref"]}
    return _named(list(value.values()))
