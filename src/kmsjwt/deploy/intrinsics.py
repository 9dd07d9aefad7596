"""CloudFormation's own functions, as JSON has them."""

from __future__ import annotations

from typing import Any

Json = Any
"""What JSON can hold: a template is made of nothing else."""
Resource = dict[str, Any]
Resources = dict[str, Resource]


def ref(name: str) -> Json:
    """Return the value of a parameter, or the physical id of a resource."""
    return {"Ref": name}


def att(name: str, attribute: str) -> Json:
    """Return an attribute of a resource."""
    return {"Fn::GetAtt": [name, attribute]}


def sub(text: str, **values: Json) -> Json:
    """Return a text with each ``${Name}`` in it replaced, by one of ``values`` if it is there."""
    return {"Fn::Sub": [text, values] if values else text}


def either(condition: str, yes: Json, no: Json) -> Json:
    """Return one of two values, by a condition of the template."""
    return {"Fn::If": [condition, yes, no]}


def not_equal(one: Json, other: Json) -> Json:
    """Return a test, of a condition or a rule, that two values differ."""
    return {"Fn::Not": [{"Fn::Equals": [one, other]}]}


NOTHING = {"Ref": "AWS::NoValue"}
"""A property that is left out."""


def only_if(condition: str, value: Json) -> Json:
    """Return a property's value, or leave it out."""
    return either(condition, value, NOTHING)


def var(name: str) -> str:
    """Return what stands for a value in the text of `sub`."""
    return f"${{{name}}}"


def substituted(value: Json) -> Json:
    """Return a value in which each text with ``${Name}`` in it is a ``Fn::Sub``."""
    if isinstance(value, str):
        return sub(value) if "${" in value else value
    if isinstance(value, list):
        return [substituted(each) for each in value]
    if isinstance(value, dict):
        return {name: substituted(each) for name, each in value.items()}
    return value
