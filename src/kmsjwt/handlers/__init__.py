"""Ready-made Lambda functions, configured by their environment.

Handler strings: ``kmsjwt.handlers.issue.handler``, ``kmsjwt.handlers.authorizer.handler``,
``kmsjwt.handlers.jwks.handler`` and ``kmsjwt.handlers.rotate.handler``. Each module has a
``build`` for those who want a say. The functions are built when ``handler`` is first looked up,
which Lambda does while it starts: a wrong environment fails there, and importing a module for its
``build`` needs no environment.
"""
