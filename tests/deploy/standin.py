"""What ministack is told to do as AWS does; Python runs it while it starts, as ``sitecustomize``.

* API Gateway reads an issuer's discovery document when a JWT authorizer is made, and refuses one
  whose issuer has none. ministack reads it at the first request, so that no order of a template
  would be wrong there.
* A condition may join a list, as one that asks whether it is empty does. ministack takes what is to
  be joined for a text, which is never empty.
* CloudFront fetches from S3 over TLS. ministack fetches within itself and says that it does not.
"""

from __future__ import annotations

import sys

if "ministack.app:app" in sys.orig_argv:
    import json
    from typing import Any
    from urllib.request import urlopen

    from ministack.core import iam_evaluator  # type: ignore[import-not-found]  # in an environment of its own
    from ministack.services import s3  # type: ignore[import-not-found]  # in an environment of its own
    from ministack.services.cloudformation import (  # type: ignore[import-not-found]  # in an environment of its own
        changesets,
        engine,
        handlers,
        provisioners,
        stacks,
    )

    _evaluated = engine._evaluate_conditions

    def _joined(value: Any, params: Any) -> Any:
        if isinstance(value, list):
            return [_joined(each, params) for each in value]
        if not isinstance(value, dict):
            return value
        if value.keys() == {"Fn::Join"}:
            joiner, listed = value["Fn::Join"]
            return joiner.join(params[listed["Ref"]]["Value"].split(","))
        return {name: _joined(each, params) for name, each in value.items()}

    def _conditions(template: Any, params: Any) -> Any:
        joined = _joined(template.get("Conditions", {}), params)
        return _evaluated({**template, "Conditions": joined}, params)

    for _module in (changesets, engine, handlers, stacks):
        _module._evaluate_conditions = _conditions

    _authorizer = provisioners._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Authorizer"]
    _create = _authorizer["create"]

    def _created(logical_id, props, stack_name):
        if props.get("AuthorizerType") == "JWT":
            issuer = props["JwtConfiguration"]["Issuer"]
            try:
                with urlopen(f"{issuer}/.well-known/openid-configuration", timeout=2) as answer:
                    live = json.load(answer)["issuer"] == issuer
            except (OSError, ValueError, KeyError):
                live = False
            if not live:
                raise ValueError(f"Invalid issuer: {issuer}. No discovery document is there.")
        return _create(logical_id, props, stack_name)

    _authorizer["create"] = _created

    # While a document is waited for, others are to be answered: it may be ministack that has it.
    _on_worker = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda kind: (
        kind == "AWS::ApiGatewayV2::Authorizer" or _on_worker(kind)
    )

    _allows = s3._cloudfront_origin_allows

    def _allows_over_tls(*args):
        iam_evaluator.pin_request_origin("192.0.2.1", True)
        return _allows(*args)

    s3._cloudfront_origin_allows = _allows_over_tls
