"""The ring: made by the rotate function when the stack is, and rotated by it every hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kmsjwt.deploy import names
from kmsjwt.deploy.functions import ROTATE_TIMEOUT, may_invoke
from kmsjwt.deploy.intrinsics import att, only_if, ref

if TYPE_CHECKING:
    from kmsjwt.deploy.intrinsics import Resources

TYPE = "Custom::KmsJwtRing"


def ring() -> Resources:
    """Return the custom resource that begins the ring, and the schedule that carries it on.

    The custom resource owns nothing: deleting it leaves keys, aliases and documents as they are.
    """
    rotate = att(names.function(names.ROTATE), "Arn")
    return {
        names.RING: {
            "Type": TYPE,
            # The issuer's URL is read back, which takes the policy; and a run is counted.
            "DependsOn": ["DocumentsPolicy", "RotationRuns"],
            "Properties": {
                "ServiceToken": rotate,
                "ServiceTimeout": ROTATE_TIMEOUT + 60,
                "Records": only_if(names.HAS_ZONE, [ref("IssuerRecord"), ref("IssuerRecordV6")]),
                "ExistingKey": only_if(names.HAS_EXISTING_KEY, ref("ExistingKey")),
                # The function has these from its environment. Here they say when to ask again.
                "RingName": ref("RingName"),
                "Issuer": names.issuer(),
                "Algorithm": ref("Algorithm"),
            },
        },
        "Hourly": {
            "Type": "AWS::Events::Rule",
            "DependsOn": [names.RING],
            "Properties": {
                "Description": "Has the rotate function take whatever step is due",
                "ScheduleExpression": "rate(1 hour)",
                "Targets": [{"Id": "rotate", "Arn": rotate}],
            },
        },
        "HourlyMayInvoke": may_invoke(names.ROTATE, att("Hourly", "Arn"), "events.amazonaws.com"),
    }
