"""A KMS client that asks a policy before each call, as KMS asks IAM.

What a call has to be allowed is written down from the KMS guide (key access, alias access,
tag permissions) and the service authorization reference: alias operations on the alias and on each
key, CreateKey with tags also TagResource on the new key, listing on no resource.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.authority.evaluator import Request, deciding

from kmsjwt.local import LocalKmsError

if TYPE_CHECKING:
    from kmsjwt.local import LocalKms

NEW_KEY = "00000000-0000-0000-0000-000000000000"


class Enforcing:
    """Lets through what the statements allow, and remembers what they were asked."""

    def __init__(self, kms: LocalKms, statements: list[dict[str, Any]]) -> None:
        self._kms = kms
        self._statements = statements
        self.meta = kms.meta
        self.asked: list[Request] = []
        self.denied: list[Request] = []
        self.used: set[tuple[str, str]] = set()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._kms, name)
        action = "kms:" + "".join(word.capitalize() for word in name.split("_"))

        def call(**request: Any) -> Any:
            for each in self._authorizations(action, request):
                self._authorize(each, action)
            return method(**request)

        return call

    def _authorize(self, request: Request, action: str) -> None:
        self.asked.append(request)
        statement = deciding(self._statements, request)
        if statement is not None and statement["Effect"] == "Allow":
            self.used.add((statement["Sid"], request.action))
            return
        self.denied.append(request)
        error = {"Code": "AccessDeniedException", "Message": f"no policy allows {request}"}
        raise LocalKmsError({"Error": error, "ResponseMetadata": {}}, action)

    def _authorizations(self, action: str, request: dict[str, Any]) -> list[Request]:
        if action in ("kms:ListKeys", "kms:ListAliases"):
            return [Request(action, "*")]
        if action == "kms:CreateKey":
            return self._of_creation(request)
        if action in ("kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias"):
            return self._of_alias(action, request)
        key = self._key(request["KeyId"])
        if key is None:
            return []  # there is nothing to be allowed on: KMS says NotFound
        context = self._of_key(key)
        if "MessageType" in request:
            context["kms:MessageType"] = request["MessageType"]
            context["kms:SigningAlgorithm"] = request["SigningAlgorithm"]
        if action == "kms:TagResource":
            context |= tagging(request["Tags"])
        if request["KeyId"].startswith("alias/"):
            context["kms:RequestAlias"] = request["KeyId"]
        return [Request(action, key, context)]

    def _of_creation(self, request: dict[str, Any]) -> list[Request]:
        tags = tagging(request.get("Tags", []))
        spec = {"kms:KeySpec": request["KeySpec"], "kms:KeyUsage": request["KeyUsage"]}
        new = self._arn(f"key/{NEW_KEY}")
        return [
            Request("kms:CreateKey", "*", {**tags, **spec}),
            Request("kms:TagResource", new, {**tags, **spec}),
        ]

    def _of_alias(self, action: str, request: dict[str, Any]) -> list[Request]:
        name = request["AliasName"]
        keys = {self._key(name), self._key(request.get("TargetKeyId", name))} - {None}
        if action == "kms:CreateAlias":
            keys = {self._key(request["TargetKeyId"])}
        on_keys = [
            Request(action, str(key), self._of_key(str(key))) for key in sorted(map(str, keys))
        ]
        return [Request(action, self._arn(name)), *on_keys]

    def _key(self, name: str) -> str | None:
        try:
            return str(self._kms.describe_key(KeyId=name)["KeyMetadata"]["Arn"])
        except LocalKmsError:
            return None

    def _of_key(self, arn: str) -> dict[str, Any]:
        about = self._kms.describe_key(KeyId=arn)["KeyMetadata"]
        aliases = self._kms.list_aliases(KeyId=arn)["Aliases"]
        tags = self._kms.list_resource_tags(KeyId=arn)["Tags"]
        return {
            "kms:ResourceAliases": [alias["AliasName"] for alias in aliases],
            "kms:KeySpec": about["KeySpec"],
            "kms:KeyUsage": about["KeyUsage"],
            **{f"aws:ResourceTag/{tag['TagKey']}": tag["TagValue"] for tag in tags},
        }

    def _arn(self, resource: str) -> str:
        place = f"{self.meta.region_name}:{self._kms.account_id}"
        return f"arn:{self.meta.partition}:kms:{place}:{resource}"


def tagging(tags: list[dict[str, str]]) -> dict[str, Any]:
    """Return what a request that sets these tags tells IAM."""
    if not tags:
        return {}
    return {
        "aws:TagKeys": [tag["TagKey"] for tag in tags],
        **{f"aws:RequestTag/{tag['TagKey']}": tag["TagValue"] for tag in tags},
    }


def granted(statements: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Return what statements allow, each action by its statement."""
    return {(one["Sid"], action) for one in statements for action in one["Action"]}
