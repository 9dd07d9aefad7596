"""What each consumer of an issuer accepts: every limit once, with where it is written.

A limit that is not in the table is not known, and nothing is concluded from it: what would depend
on it is judged ``unknown``. Nothing here was tried on AWS.
"""

from __future__ import annotations

from typing import Any, NamedTuple

CONSUMERS = {
    "http-api": "HTTP API JWT",
    "rest-api": "REST API JWT",
    "alb": "ALB jwt-validation",
    "appsync": "AppSync OIDC",
    "iam-oidc": "IAM OIDC provider",
    "aws-jwt-verify": "aws-jwt-verify",
    "powertools": "Powertools JWTVerifier",
}
"""The consumers by their short names, in the order they are shown."""

_HTTP_GUIDE = "API Gateway guide, http-api-jwt-authorizer"
_HTTP_QUOTAS = "API Gateway guide, quotas of HTTP APIs"
_HEADERS = "API Gateway guide, quotas"
_REST_GUIDE = "API Gateway guide, rest-api-jwt-authorizer"
_REST_MODEL = "botocore, apigateway"
_HTTP_MODEL = "botocore, apigatewayv2"
_ALB_GUIDE = "ELB guide, listener-verify-jwt"
_ALB_MODEL = "botocore, elbv2"
_APPSYNC_MODEL = "botocore, appsync"
_IAM_MODEL = "botocore, iam"
_AWS_JWT_VERIFY = "source of aws-jwt-verify 5.2.1"
_POWERTOOLS = "source of Powertools 3.37.0"

_RSA_PKCS1 = ("RS256", "RS384", "RS512")
_RSA_PSS = ("PS256", "PS384", "PS512")
_ECDSA = ("ES256", "ES384", "ES512")


class Limit(NamedTuple):
    """One thing that is known of one consumer.

    Attributes:
        consumer: its short name.
        what: the limit's name, one of `WHATS`.
        value: a number (seconds, bytes, characters, keys), names, or whether it is demanded.
        source: where it is written.
    """

    consumer: str
    what: str
    value: Any
    source: str


WHATS = {
    "algs": "algorithms it verifies",
    "algs_in_doubt": "algorithms its documents neither name nor exclude",
    "kid": "each key, and each token, has to have a kid",
    "discovery": "it reads <issuer>/.well-known/openid-configuration",
    "issuer_named": "discovery has to name the issuer it was configured with",
    "issuer_form": "the issuer may have no query, fragment or user name",
    "https": "issuer and JWKS have to be https",
    "no_port": "the issuer should have no port number",
    "issuer_length": "most characters of the issuer",
    "jwks_uri_length": "most characters of the JWKS's URL",
    "max_keys": "most keys in the JWKS",
    "max_bytes": "most bytes of the JWKS",
    "cache": "seconds it may keep the JWKS",
    "forgets": "it drops a key that is gone from the JWKS, after its cache time",
    "asks_again": "it reads the JWKS again for a kid it does not know",
    "claims": "claims a token has to have; of a tuple, one",
    "iat": "a token has to have iat",
    "typ": "a token's typ has to be JWT",
    "header_bytes": "most bytes of a request's headers together",
}
"""The names of limits, and what each says where it is demanded."""

_TABLE = (
    Limit("http-api", "algs", ("RS256",), _HTTP_GUIDE),
    # The guide says "RSA-based algorithms" and does not list them.
    Limit("http-api", "algs_in_doubt", ("RS384", "RS512", *_RSA_PSS), _HTTP_GUIDE),
    Limit("http-api", "kid", True, _HTTP_GUIDE),
    Limit("http-api", "discovery", True, _HTTP_QUOTAS),
    Limit("http-api", "issuer_length", 2_048, _HTTP_MODEL),
    Limit("http-api", "max_bytes", 150_000, _HTTP_QUOTAS),
    Limit("http-api", "cache", 7_200, _HTTP_GUIDE),
    Limit("http-api", "claims", ("iss", "exp", ("aud", "client_id")), _HTTP_GUIDE),
    Limit("http-api", "header_bytes", 10_240, _HEADERS),
    Limit("rest-api", "algs", (*_RSA_PKCS1, *_ECDSA), _REST_MODEL),
    Limit("rest-api", "discovery", True, _REST_GUIDE),
    Limit("rest-api", "issuer_named", True, _REST_MODEL),
    Limit("rest-api", "issuer_form", True, _REST_MODEL),
    Limit("rest-api", "https", True, _REST_MODEL),
    Limit("rest-api", "cache", 3_600, _REST_GUIDE),
    Limit("rest-api", "asks_again", True, _REST_GUIDE),
    Limit("rest-api", "claims", ("iss", "aud"), _REST_MODEL),
    Limit("rest-api", "header_bytes", 10_240, _HEADERS),
    Limit("alb", "algs", ("RS256",), _ALB_GUIDE),
    # Issuer and JWKS are both configured: discovery is not read.
    Limit("alb", "discovery", False, _ALB_MODEL),
    Limit("alb", "issuer_named", False, _ALB_MODEL),
    Limit("alb", "https", True, _ALB_MODEL),
    Limit("alb", "issuer_length", 256, _ALB_MODEL),
    Limit("alb", "jwks_uri_length", 256, _ALB_MODEL),
    Limit("alb", "max_keys", 10, _ALB_GUIDE),
    Limit("alb", "max_bytes", 150_000, _ALB_GUIDE),
    Limit("alb", "claims", ("iss", "exp"), _ALB_GUIDE),
    Limit("alb", "iat", False, _ALB_GUIDE),
    Limit("appsync", "discovery", True, _APPSYNC_MODEL),
    Limit("appsync", "issuer_named", True, _APPSYNC_MODEL),
    Limit("iam-oidc", "https", True, _IAM_MODEL),
    Limit("iam-oidc", "issuer_form", True, _IAM_MODEL),
    Limit("iam-oidc", "no_port", True, _IAM_MODEL),
    Limit("iam-oidc", "issuer_length", 255, _IAM_MODEL),
    Limit("aws-jwt-verify", "algs", (*_RSA_PKCS1, *_ECDSA, "EdDSA"), _AWS_JWT_VERIFY),
    Limit("aws-jwt-verify", "kid", True, _AWS_JWT_VERIFY),
    Limit("aws-jwt-verify", "discovery", False, _AWS_JWT_VERIFY),
    Limit("aws-jwt-verify", "issuer_named", False, _AWS_JWT_VERIFY),
    Limit("aws-jwt-verify", "issuer_form", False, _AWS_JWT_VERIFY),
    Limit("aws-jwt-verify", "https", True, _AWS_JWT_VERIFY),
    # Once it has a key it never reads the JWKS for it again.
    Limit("aws-jwt-verify", "forgets", False, _AWS_JWT_VERIFY),
    Limit("aws-jwt-verify", "asks_again", True, _AWS_JWT_VERIFY),
    # It demands an audience unless it was told null.
    Limit("aws-jwt-verify", "claims", ("iss", "aud"), _AWS_JWT_VERIFY),
    Limit("aws-jwt-verify", "iat", False, _AWS_JWT_VERIFY),
    Limit("aws-jwt-verify", "typ", False, _AWS_JWT_VERIFY),
    Limit("powertools", "algs", (*_RSA_PKCS1, *_RSA_PSS, *_ECDSA, "ES256K", "EdDSA"), _POWERTOOLS),
    Limit("powertools", "kid", True, _POWERTOOLS),
    Limit("powertools", "discovery", True, _POWERTOOLS),
    Limit("powertools", "issuer_named", True, _POWERTOOLS),
    Limit("powertools", "issuer_form", True, _POWERTOOLS),
    Limit("powertools", "https", True, _POWERTOOLS),
    Limit("powertools", "cache", 300, _POWERTOOLS),
    Limit("powertools", "asks_again", True, _POWERTOOLS),
    Limit("powertools", "claims", ("iss", "exp", "aud"), _POWERTOOLS),
    Limit("powertools", "iat", False, _POWERTOOLS),
    Limit("powertools", "typ", False, _POWERTOOLS),
)

LIMITS = {(limit.consumer, limit.what): limit for limit in _TABLE}
"""Every limit by consumer and name."""

UNKNOWN_CACHE = 86_400
"""Seconds that a consumer is taken to keep a JWKS if it does not say."""
