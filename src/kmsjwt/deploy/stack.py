"""The stack as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.deploy.alarms import alarms
from kmsjwt.deploy.functions import backend, functions
from kmsjwt.deploy.http_api import http_api
from kmsjwt.deploy.outputs import outputs
from kmsjwt.deploy.parameters import conditions, mappings, parameters
from kmsjwt.deploy.publishing import publishing
from kmsjwt.deploy.rest_api import rest_api
from kmsjwt.deploy.ring import ring
from kmsjwt.deploy.rules import rules
from kmsjwt.deploy.settings import StackSettings

if TYPE_CHECKING:
    from kmsjwt.deploy.intrinsics import Resources


def resources(settings: StackSettings | None = None) -> Resources:
    """Return the stack's resources by their logical ids, as plain values.

    They name the parameters, conditions and mappings of `template`.

    Args:
        settings: what is decided now; the defaults if None.
    """
    settings = settings or StackSettings()
    example = {**backend(settings), **rest_api()} if settings.examples else {}
    return {
        **publishing(),
        **functions(settings),
        **ring(),
        **http_api(examples=settings.examples),
        **example,
        **alarms(),
    }


def template(settings: StackSettings | None = None) -> dict[str, Any]:
    """Return the whole template, as plain values.

    Args:
        settings: what is decided now; the defaults if None.
    """
    settings = settings or StackSettings()
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "A token authority: tokens signed by AWS KMS, their keys, an authorizer",
        **_to_be_packaged(settings),
        "Parameters": parameters(settings),
        "Rules": rules(),
        "Mappings": mappings(settings),
        "Conditions": conditions(),
        "Resources": resources(settings),
        "Outputs": outputs(examples=settings.examples),
    }


def _to_be_packaged(settings: StackSettings) -> dict[str, Any]:
    """Return what keeps cfn-lint from warning of a path that ``sam deploy`` uploads."""
    if not isinstance(settings.code, str):
        return {}
    return {"Metadata": {"cfn-lint": {"config": {"ignore_checks": ["W3002"]}}}}
