"""When a ring's keys come, sign, verify and go: facts in, steps out, and nothing is called here.

``settings`` has the times, ``facts`` what is known of a ring, ``steps`` what can be done to it,
``planning`` which step is due, ``forecast`` which will be. Reading and writing KMS is the
business of ``kmsjwt.kms``, carrying a plan out that of ``kmsjwt.authority``.
"""

from kmsjwt.rotation.facts import Generation, Marks, Ring
from kmsjwt.rotation.forecast import Expected, Forecast, forecast
from kmsjwt.rotation.planning import plan
from kmsjwt.rotation.settings import RingSettings
from kmsjwt.rotation.steps import Action, Later, Plan, Step

__all__ = [
    "Action",
    "Expected",
    "Forecast",
    "Generation",
    "Later",
    "Marks",
    "Plan",
    "Ring",
    "RingSettings",
    "Step",
    "forecast",
    "plan",
]
