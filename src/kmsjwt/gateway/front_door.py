"""What a front door is: one kind of event, and the answer that its gateway wants.

A new one is a module with a subclass, and its line in `kmsjwt.gateway.doors`; or, outside of this
package, `kmsjwt.gateway.Authorizer` is handed it: ``doors=(*DOORS, MyDoor)``. What it needs to be
told it reads of `Settings`. A `TokenPlace` reads ``headers``, ``queryStringParameters``, their
``multiValue`` twins and ``cookies``: a door whose events have these elsewhere hands it a mapping
with those names, or the one value that it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsjwt.gateway.judging import by_policy

if TYPE_CHECKING:
    from typing import ClassVar

    from kmsjwt.gateway.decision import Decision
    from kmsjwt.gateway.event import Event
    from kmsjwt.gateway.judging import Judge
    from kmsjwt.gateway.places import TokenPlace
    from kmsjwt.gateway.request import AuthRequest
    from kmsjwt.gateway.settings import Settings


class FrontDoor:
    """One kind of event and the answer its gateway wants.

    Attributes:
        kind: its stable name, for logs.
        raises_unauthorized: whether its gateway turns an exception that reads ``Unauthorized``
            into a 401.
        judge: what rules may decide through its answer.
    """

    __slots__ = ("_settings",)

    kind: ClassVar[str]
    raises_unauthorized: ClassVar[bool] = False
    judge: Judge = staticmethod(by_policy)

    def __init__(self, settings: Settings) -> None:
        """Set up the door."""
        self._settings = settings

    def recognises(self, event: Event) -> bool:
        """Tell whether the event came through this door. No event is another door's too."""
        raise NotImplementedError

    def read(self, event: Event, place: TokenPlace) -> AuthRequest:
        """Return the request in the event, with what it has in the token's place.

        Raises:
            UnknownEvent: the event names no API and stage that a policy can be built from.
        """
        raise NotImplementedError

    def answer(self, request: AuthRequest, decision: Decision) -> dict[str, Any]:
        """Return what the gateway wants to be told.

        Raises:
            ConfigError: the gateway would refuse the answer.
        """
        raise NotImplementedError
