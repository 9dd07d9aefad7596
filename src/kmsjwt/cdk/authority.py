"""The construct."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kmsjwt.bundling.marker import read_target, require_module
from kmsjwt.cdk.parameters import Parameters, values
from kmsjwt.cdk.settling import settled
from kmsjwt.deploy import StackSettings, template
from kmsjwt.errors import ConfigError, shown

try:
    from aws_cdk import Stack, Token
    from aws_cdk.aws_s3_assets import Asset
    from aws_cdk.cloudformation_include import CfnInclude
    from constructs import Construct
except ModuleNotFoundError as error:
    raise ConfigError(
        f"{error.name} is not installed, which kmsjwt.cdk is made of",
        code="extra_missing",
        fix="pip install 'kmsjwt[cdk]'",
    ) from error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Unpack

    from aws_cdk import CfnResource

_REMEMBERED = "kmsjwt.TokenAuthority"
_CODE = {"S3Bucket": {"Ref": "BundleBucket"}, "S3Key": {"Ref": "BundleKey"}}


class TokenAuthority(Construct):
    """The whole authority, resource by resource what the SAM template has.

    The resources' logical ids are the template's, so a stack holds one authority. Their Python
    and processor are those that the bundle was made for.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        audience: str | Sequence[str],
        bundle: str = "dist/function.zip",
        algorithms: Mapping[str, str] | None = None,
        examples: bool = True,
        backend: str | None = None,
        issuer_path: str = "",
        **parameters: Unpack[Parameters],
    ) -> None:
        """Put the resources into a stack.

        Args:
            scope: the stack.
            construct_id: its name within the scope.
            audience: whom tokens are for.
            bundle: the zip of ``kmsjwt bundle``, which is uploaded as an asset.
            algorithms: see `kmsjwt.deploy.StackSettings`.
            examples: whether the example's APIs are there.
            backend: the function behind them, as ``module.handler`` in the bundle, which must be
                made with that module.
            issuer_path: the path of ``issuer``, such as ``/auth``, if it has one.
            **parameters: the template's parameters, see `Parameters`.

        Raises:
            ConfigError: an argument makes no sense, the stack has an authority already, or the
                bundle is missing, none of ours, or without the module of ``backend``.
        """
        stack = Stack.of(scope)
        _require_the_only_one(stack)
        super().__init__(scope, construct_id)
        target = read_target(Path(bundle))
        if examples and backend:
            require_module(Path(bundle), backend)
        settings: dict[str, Any] = {"algorithms": algorithms} if algorithms else {}
        described = template(
            StackSettings(
                code=bundle,
                runtime=f"python{target.python}",
                architecture=target.arch,
                examples=examples,
                backend=backend,
                issuer_path=issuer_path,
                **settings,
            )
        )
        given = {"audience": audience, **parameters}
        filled = values(described, given, is_known_later=_is_token)
        asset = Asset(self, "Bundle", path=bundle)
        self._included = _include(
            self,
            _with_code_of_an_asset(settled(described, filled), bundle),
            {**filled, "BundleBucket": asset.s3_bucket_name, "BundleKey": asset.s3_object_key},
        )
        # A construct without resources: of the first authority Python may have no object by then.
        Construct(stack, _REMEMBERED)

    def resource(self, name: str) -> CfnResource:
        """Return a resource by its logical id in the template, such as ``HttpApi``."""
        return self._included.get_resource(name)

    def output(self, name: str) -> str:
        """Return an output by its name in the template, such as ``Issuer`` or ``TokenUrl``."""
        value: str = self._included.get_output(name).value
        return value


def _is_token(value: object) -> bool:
    """Tell whether a value is known at deployment only; the CDK stops at types it does not know."""
    asked = isinstance(value, (str, int, float)) or hasattr(type(value), "__jsii_type__")
    if isinstance(value, list):
        asked = all(isinstance(each, str) for each in value)
    return asked and Token.is_unresolved(value)


def _require_the_only_one(stack: Stack) -> None:
    if stack.node.try_find_child(_REMEMBERED) is not None:
        raise ConfigError(
            f"the stack {shown(stack.node.path)} has a TokenAuthority already, expected one a"
            " stack: the logical ids are the template's",
            code="cdk_stack",
            fix="put the second into a stack of its own, with another ring_name",
        )


def _with_code_of_an_asset(described: dict[str, Any], bundle: str) -> dict[str, Any]:
    for resource in described["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            properties = resource["Properties"]
            if properties["Code"] == bundle:
                properties["Code"] = _CODE
    for name in ("BundleBucket", "BundleKey"):
        described["Parameters"][name] = {"Type": "String"}
    # `values` has checked them; what is left of the parameters is nothing to make rules of.
    described.pop("Rules", None)
    return described


def _include(scope: Construct, described: dict[str, Any], filled: dict[str, Any]) -> CfnInclude:
    with tempfile.TemporaryDirectory(prefix="kmsjwt-cdk-") as scratch:
        file = Path(scratch) / "template.json"
        file.write_text(json.dumps(described), "utf-8")
        return CfnInclude(scope, "Stack", template_file=str(file), parameters=filled)
