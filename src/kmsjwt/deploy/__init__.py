"""The stack: an authority in an AWS account, described once, as plain CloudFormation.

`template` returns what SAM, CloudFormation and the CDK construct deploy. No KMS key and no alias
is in it: the rotate function makes those, so that no stack can drift from them or delete them.
"""

from kmsjwt.deploy.settings import StackSettings
from kmsjwt.deploy.stack import resources, template
from kmsjwt.deploy.text import as_json, as_yaml

__all__ = ["StackSettings", "as_json", "as_yaml", "resources", "template"]
