"""IAM evaluators not written by us, asked about policies: run by ministack's own Python.

Standard input is a JSON array of ``[policy, [resource, ...]]``; the answer is, by evaluator, an
array of one string a policy: ``A`` for each resource that it allows, ``.`` for each other.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any


def main() -> None:
    """Judge what standard input holds."""
    rest = importlib.import_module("ministack.services.apigateway_v1")._evaluate_policy
    http = importlib.import_module("ministack.services.apigateway")._evaluate_authorizer_policy
    iam = importlib.import_module("ministack.core.iam_evaluator")

    def by_iam(policy: Any, resource: str) -> str:
        context = iam.EvalContext(
            principal_arn="arn:aws:iam::123456789012:user/ala",
            principal_type="User",
            principal_account="123456789012",
            action="execute-api:Invoke",
            resource_arn=resource,
            region="eu-central-1",
        )
        return str(iam.evaluate(context, [iam.parse_policy_document(policy)]).decision)

    asked = json.load(sys.stdin)
    answers = {
        name: [
            "".join("A" if evaluate(policy, each) == "Allow" else "." for each in resources)
            for policy, resources in asked
        ]
        for name, evaluate in (("rest", rest), ("http", http), ("iam", by_iam))
    }
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
