"""The local KMS stays out of Lambda: its keys are no secret there, and no KMS either."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["refuse_in_lambda"]


def refuse_in_lambda(environ: Mapping[str, str]) -> None:
    """Refuse to run inside AWS Lambda.

    Lambda sets ``AWS_LAMBDA_RUNTIME_API`` for every function, container images and custom
    runtimes included, since no runtime works without it; its own runtimes set
    ``AWS_EXECUTION_ENV`` to ``AWS_Lambda_…`` as well. ``AWS_LAMBDA_FUNCTION_NAME`` counts only
    together with ``LAMBDA_TASK_ROOT``: tests set the name alone to look like a function.

    Raises:
        ConfigError: code ``local_kms_in_lambda``.
    """
    signs = {
        "AWS_LAMBDA_RUNTIME_API": "AWS_LAMBDA_RUNTIME_API" in environ,
        "AWS_EXECUTION_ENV": environ.get("AWS_EXECUTION_ENV", "").startswith("AWS_Lambda_"),
        "AWS_LAMBDA_FUNCTION_NAME": "AWS_LAMBDA_FUNCTION_NAME" in environ
        and "LAMBDA_TASK_ROOT" in environ,
    }
    sign = next((name for name, present in signs.items() if present), None)
    if sign is not None:
        raise ConfigError(
            f"the local KMS is for development, and {sign} says that this is AWS Lambda",
            code="local_kms_in_lambda",
            fix="use AWS KMS here: leave AWS_ENDPOINT_URL_KMS unset",
        )
