"""Where public keys are published: a private bucket, and CloudFront before it.

Documents outlive a fault of KMS, of a function and of this package; nothing of ours runs when
somebody reads them. CloudFront gives an https address to who has no domain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt.deploy import names
from kmsjwt.deploy.intrinsics import att, either, only_if, ref, sub, var

if TYPE_CHECKING:
    from kmsjwt.deploy.intrinsics import Json, Resource, Resources

# AWS's managed policies have the same id in every account (CloudFront developer guide, "Use
# managed cache policies", "Use managed response headers policies").
_CACHED_AS_ORIGIN_SAYS = "658327ea-f89d-4fab-a63d-7e88639e58f6"  # CachingOptimized
_ANY_PAGE_MAY_READ = "60669652-455b-4ae9-85a4-c4c02393f86c"  # SimpleCORS
# The hosted zone of every distribution (Route 53, AliasTarget).
_ZONE_OF_CLOUDFRONT = "Z2FDTNDATAQYW2"
_ORIGIN = "documents"


def publishing() -> Resources:
    """Return the bucket, the distribution, and the issuer's DNS records."""
    return {
        names.BUCKET: _bucket(),
        "DocumentsPolicy": _bucket_policy(),
        "OriginAccess": _origin_access(),
        names.DISTRIBUTION: _distribution(),
        "IssuerRecord": _record("A"),
        "IssuerRecordV6": _record("AAAA"),
    }


def _bucket() -> Resource:
    return {
        "Type": "AWS::S3::Bucket",
        # S3 deletes no bucket that holds something, and live tokens may want the JWKS yet.
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
                ]
            },
            # What was published when: three small documents, so all versions are kept.
            "VersioningConfiguration": {"Status": "Enabled"},
        },
    }


def _bucket_policy() -> Resource:
    return {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {
            "Bucket": ref(names.BUCKET),
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "CloudFrontReads",
                        "Effect": "Allow",
                        "Principal": {"Service": "cloudfront.amazonaws.com"},
                        "Action": "s3:GetObject",
                        "Resource": [_within_bucket("*.well-known/*")],
                        "Condition": {"StringEquals": {"aws:SourceArn": _distribution_arn()}},
                    },
                    {
                        "Sid": "TlsAlone",
                        "Effect": "Deny",
                        "Principal": "*",
                        "Action": "s3:*",
                        "Resource": [att(names.BUCKET, "Arn"), _within_bucket("*")],
                        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                    },
                ],
            },
        },
    }


def _within_bucket(path: str) -> Json:
    return sub(f"{var(f'{names.BUCKET}.Arn')}/{path}")


def _distribution_arn() -> Json:
    of_account = "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/"
    return sub(of_account + var(names.DISTRIBUTION))


def _origin_access() -> Resource:
    return {
        "Type": "AWS::CloudFront::OriginAccessControl",
        "Properties": {
            "OriginAccessControlConfig": {
                # 64 characters at most, which a stack's name may have alone.
                "Name": {"Fn::Select": [2, {"Fn::Split": ["/", ref("AWS::StackId")]}]},
                "OriginAccessControlOriginType": "s3",
                "SigningBehavior": "always",
                "SigningProtocol": "sigv4",
            }
        },
    }


def _distribution() -> Resource:
    return {
        "Type": "AWS::CloudFront::Distribution",
        "Properties": {
            "DistributionConfig": {
                "Comment": sub("Public keys of ${AWS::StackName}"),
                "Enabled": True,
                "HttpVersion": "http2and3",
                "IPV6Enabled": True,
                "PriceClass": "PriceClass_All",
                "Aliases": only_if(names.HAS_CERTIFICATE, [names.host()]),
                "ViewerCertificate": _certificate(),
                "Origins": [
                    {
                        "Id": _ORIGIN,
                        "DomainName": att(names.BUCKET, "RegionalDomainName"),
                        "OriginAccessControlId": att("OriginAccess", "Id"),
                        "S3OriginConfig": {"OriginAccessIdentity": ""},
                    }
                ],
                "DefaultCacheBehavior": {
                    "TargetOriginId": _ORIGIN,
                    "ViewerProtocolPolicy": "https-only",
                    "AllowedMethods": ["GET", "HEAD"],
                    "CachedMethods": ["GET", "HEAD"],
                    "Compress": True,
                    "CachePolicyId": _CACHED_AS_ORIGIN_SAYS,
                    "ResponseHeadersPolicyId": _ANY_PAGE_MAY_READ,
                },
                # Whoever asks for a document just before it is there is not to keep it away.
                "CustomErrorResponses": [
                    {"ErrorCode": status, "ErrorCachingMinTTL": 0} for status in (403, 404)
                ],
            }
        },
    }


def _certificate() -> Json:
    return either(
        names.HAS_CERTIFICATE,
        {
            "AcmCertificateArn": ref("CertificateArn"),
            "MinimumProtocolVersion": "TLSv1.2_2021",
            "SslSupportMethod": "sni-only",
        },
        {"CloudFrontDefaultCertificate": True},
    )


def _record(kind: str) -> Resource:
    return {
        "Type": "AWS::Route53::RecordSet",
        "Condition": names.HAS_ZONE,
        "Properties": {
            "HostedZoneId": ref("HostedZoneId"),
            "Name": names.host(),
            "Type": kind,
            "AliasTarget": {
                "DNSName": att(names.DISTRIBUTION, "DomainName"),
                "HostedZoneId": _ZONE_OF_CLOUDFRONT,
            },
        },
    }
