"""Coverage-guided fuzzing. Each target is a module with ``one_input(data)`` and ``seeds()``."""

TARGETS = (
    "encodings",
    "signatures",
    "spki",
    "tokens",
    "articles",
    "jwks",
    "events",
    "pasted",
)
"""The modules here that hold a target, by the name they are run by."""
