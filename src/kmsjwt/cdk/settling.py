"""A template whose conditions are settled: with the CDK all parameters are known beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.deploy.deciding import is_met, text

if TYPE_CHECKING:
    from collections.abc import Mapping

_NO_VALUE = {"Ref": "AWS::NoValue"}


def settled(template: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the template without conditions, and without what they leave out.

    Args:
        template: a template.
        values: of its parameters. One that is a token of the CDK counts as given.

    Raises:
        KeyError: a condition is made of a function that is not known here.
    """
    conditions = {
        name: is_met(condition, values) for name, condition in template["Conditions"].items()
    }
    template = _looked_up(template, values)
    rest = {name: part for name, part in template.items() if name != "Conditions"}
    for section in ("Resources", "Outputs"):
        rest[section] = {
            name: _chosen(
                {key: each for key, each in entry.items() if key != "Condition"}, conditions
            )
            for name, entry in rest[section].items()
            if conditions.get(entry.get("Condition"), True)
        }
    for resource in rest["Resources"].values():
        _forget_the_missing(resource, rest["Resources"])
    return rest


def _looked_up(template: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the template without mappings, each ``Fn::FindInMap`` being what it finds.

    The CDK has something to say of every mapping that is there. They stay if a key is a token.
    """
    mappings = template["Mappings"]

    def found(value: Any) -> Any:
        if isinstance(value, list):
            return [found(each) for each in value]
        if not isinstance(value, dict):
            return value
        if value.keys() == {"Fn::FindInMap"}:
            name, key, attribute = value["Fn::FindInMap"]
            return mappings[name][text(key, values)][attribute]
        return {name: found(member) for name, member in value.items()}

    rest = {name: part for name, part in template.items() if name != "Mappings"}
    try:
        return {**rest, "Resources": found(rest["Resources"])}
    except KeyError:
        return dict(template)


def _forget_the_missing(resource: dict[str, Any], there: Mapping[str, Any]) -> None:
    wanted = resource.pop("DependsOn", [])
    needed = [name for name in ([wanted] if isinstance(wanted, str) else wanted) if name in there]
    if needed:
        resource["DependsOn"] = needed


def _chosen(value: Any, conditions: Mapping[str, bool]) -> Any:
    """Return a value in which each ``Fn::If`` is what it comes to."""
    if isinstance(value, list):
        chosen = [_chosen(each, conditions) for each in value]
        return [each for each in chosen if each != _NO_VALUE]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"Fn::If"}:
        name, yes, no = value["Fn::If"]
        return _chosen(yes if conditions[name] else no, conditions)
    members = {name: _chosen(member, conditions) for name, member in value.items()}
    return {name: member for name, member in members.items() if member != _NO_VALUE}
