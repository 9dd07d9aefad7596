"""What is decided while a template is rendered; what is decided at each deployment is a parameter.

A template's parameters cannot change which actions a role has, which resources there are, or what
Python a function runs on, without making it hard to read. So these are settled here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from kmsjwt.algorithms import for_key_spec
from kmsjwt.errors import ConfigError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

ARCHITECTURES = ("arm64", "x86_64")
_RUNTIME = r"python3\.[0-9]{1,2}"
_HANDLER = r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)+"
# What is a file's name as well, see `kmsjwt.publish.documents`: no part of it begins with a dot.
_ISSUER_PATH = r"(?:/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)*"
_ALGORITHMS = MappingProxyType({"RS256": "RSA_2048", "ES256": "ECC_NIST_P256"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSettings:
    """What a template is rendered with.

    Attributes:
        code: the functions' bundle: a path beside the template, which ``sam deploy`` uploads, or
            ``{"S3Bucket": …, "S3Key": …}``.
        runtime: Lambda's name of the Python that the bundle is made for.
        architecture: the processor that it is made for, ``arm64`` or ``x86_64``.
        algorithms: each JOSE algorithm that a generation may have, and its KMS key spec. The
            first is the default of the parameter ``Algorithm``. The issue function may sign with
            each of them, so name only what you mean to use.
        examples: whether the example's APIs are there: a REST API and two routes of the HTTP API.
            Without them the HTTP API has the token route alone.
        issuer_path: the path of ``IssuerUrl``, such as ``/auth``; empty for none. The names of the
            documents, which the rotate function may write, follow from it.
        backend: the function behind the examples, as ``module.handler`` in the bundle; one that
            answers who was let in, written into the template, if None.

    Raises:
        ConfigError: naming everything that is wrong.
    """

    code: str | Mapping[str, str] = "dist/function.zip"
    runtime: str = "python3.13"
    architecture: str = "arm64"
    algorithms: Mapping[str, str] = field(default_factory=lambda: _ALGORITHMS)
    examples: bool = True
    backend: str | None = None
    issuer_path: str = ""

    def __post_init__(self) -> None:
        """Refuse what no deployment could use."""
        faults = []
        if not re.fullmatch(_RUNTIME, self.runtime):
            faults.append(f"runtime is {shown(self.runtime)}, expected such as python3.13")
        if self.architecture not in ARCHITECTURES:
            expected = " or ".join(ARCHITECTURES)
            faults.append(f"architecture is {shown(self.architecture)}, expected {expected}")
        if self.backend is not None and not re.fullmatch(_HANDLER, self.backend):
            faults.append(f"backend is {shown(self.backend)}, expected such as orders.handler")
        if not re.fullmatch(_ISSUER_PATH, self.issuer_path):
            faults.append(f"issuer_path is {shown(self.issuer_path)}, expected such as /auth")
        faults += self._faults_of_algorithms()
        if faults:
            raise ConfigError("; ".join(faults), code="stack_settings")

    def _faults_of_algorithms(self) -> list[str]:
        if not self.algorithms:
            return ["no algorithm is named, expected such as {'RS256': 'RSA_2048'}"]
        faults = []
        for alg, spec in self.algorithms.items():
            try:
                for_key_spec(spec, alg)
            except ConfigError as error:
                faults.append(error.message)
        return faults
