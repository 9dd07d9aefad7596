"""Will the consumers accept what this issuer publishes? Facts are read, then judged apart.

`reading` fetches or reads documents into `facts`; `judge` compares them with the one table of
`limits`; `running` asks consumers whose code is here.
"""

from kmsjwt.authority.compat.facts import Facts, TokenFacts
from kmsjwt.authority.compat.judge import Timing, judge
from kmsjwt.authority.compat.limits import CONSUMERS, LIMITS
from kmsjwt.authority.compat.reading import from_folder, from_issuer
from kmsjwt.authority.compat.verdicts import Finding, Row

__all__ = [
    "CONSUMERS",
    "LIMITS",
    "Facts",
    "Finding",
    "Row",
    "Timing",
    "TokenFacts",
    "from_folder",
    "from_issuer",
    "judge",
]
