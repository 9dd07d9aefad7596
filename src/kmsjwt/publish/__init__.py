"""Publishing: the JWKS and the discovery documents, brought up to date where consumers read them.

A key leaves the JWKS for one reason alone: that it was named as retired. Whatever else happens,
a read that is stale or denied, a writer in between, a crash, what was published stays published.
"""

from kmsjwt.publish.cdn import Cdn, CloudFront
from kmsjwt.publish.documents import Documents
from kmsjwt.publish.folder import Folder
from kmsjwt.publish.merge import Merged, merge
from kmsjwt.publish.named import place
from kmsjwt.publish.places import Conflict, Place, Stored
from kmsjwt.publish.publisher import Published, Publisher
from kmsjwt.publish.s3 import S3

__all__ = [
    "S3",
    "Cdn",
    "CloudFront",
    "Conflict",
    "Documents",
    "Folder",
    "Merged",
    "Place",
    "Published",
    "Publisher",
    "Stored",
    "merge",
    "place",
]
