"""From `kmsjwt init` in an empty folder to AWS and back, by the commands of the project's README.

The SAM CLI and the CDK's command line are those that users have. AWS is ministack, told to refuse a
native authorizer without live discovery. Left out is what it does not know: the alarms of an
expression, see test_deploy_ministack.py. Where there is no terminal the CDK asks nothing and gives
up, so its questions are answered beforehand.
"""

from __future__ import annotations

import contextlib
import json
import re
import ssl
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from tests.deploy import newcomer, stacks
from tests.ministack.cloud import ACCOUNT, REGION
from tests.runtime.environments import environment

if TYPE_CHECKING:
    from tests.deploy.newcomer import Newcomer
    from tests.deploy.stacks import Stack
    from tests.ministack.cloud import Cloud

TILL = f"arn:aws:sts::{ACCOUNT}:assumed-role/till"
"""What the issue function calls whoever took on the role of that name."""
_WITHOUT_ALARMS = f"""
resources = stack.node.find_child("Authority").node.find_child("Stack").node
assert all(resources.try_remove_child(name) for name in {sorted(stacks.NOT_KNOWN)})
"""


def test_a_project_for_sam(cloud, domain, tmp_path):
    site = domain()
    me = newcomer.with_programs(tmp_path, cloud, sam=newcomer.sam(environment(".venv-deploy")))
    project = me.begins(name_for(site))
    project.edits("samconfig.toml", '"Audience=orders"', '"Audience=tills"')
    project.edits("samconfig.toml", 'IssuerUrl=""', f'IssuerUrl="{site.origin}"')
    project.edits("samconfig.toml", f'"RingName={name_for(site)}"', '"RingName=by-sam"')
    alarms = {name: resource_of(project, name) for name in stacks.NOT_KNOWN}

    project.types(project.how_to("test"))
    # With what ministack does not take the first deployment fails, and is not in the next's way.
    failed = project.types(f"if {project.how_to('deploy')}; then exit 1; fi", "y")
    assert "metric math" in failed
    with pytest.raises(ClientError, match="does not exist"):
        stacks.there(cloud, project.folder.name)
    for alarm in alarms.values():
        project.edits("template.yaml", alarm, "")
    told = project.types(project.how_to("deploy"), "y")

    stack = stacks.there(cloud, project.folder.name)
    assert set(re.findall(r"^Key +(\w+)", told, re.MULTILINE)) == set(stack.outputs)
    lives(project, stack, "\n".join(project.shown("Use it")))
    project.types(project.how_to("remove"), "y", "y")
    leaves_its_keys(project, stack, "by-sam")


def test_a_project_for_the_cdk(cloud, domain, tmp_path):
    site, home = domain(), environment(".venv-cdk")
    programs = {"cdk": newcomer.cdk(home), "python": newcomer.python_with_cdk(home)}
    me = newcomer.with_programs(tmp_path, cloud, **programs)
    project = me.begins(name_for(site), "--with cdk")
    project.edits("settings.py", '["orders"]', '["tills", "bills"]')
    project.edits(
        "settings.py",
        f'"ring_name": "{name_for(site)}",',
        f'"ring_name": "by-cdk", "issuer": "{site.origin}",',
    )
    project.edits("app.py", "app.synth()", f"{_WITHOUT_ALARMS}\napp.synth()")

    [line] = re.findall(r"`(cdk bootstrap \S+)`", project.readme())
    me.types(line.replace("ACCOUNT", ACCOUNT).replace("REGION", REGION))
    project.types(project.how_to("test"))
    told = project.types(project.how_to("deploy"))

    stack = stacks.there(cloud, project.folder.name)
    assert set(re.findall(rf"^{stack.name}\.(\w+) = ", told, re.MULTILINE)) == set(stack.outputs)
    # Of two audiences it is to be said which.
    [asking] = re.findall(r"`(-d '.*')`", project.readme())
    typed = "\n".join(project.shown("Use it"))
    asking = asking.replace("orders", "bills")
    lives(project, stack, typed.replace("-X POST", f"-X POST {asking}"))
    project.types(f"{project.how_to('remove')} --force")
    leaves_its_keys(project, stack, "by-cdk")


def name_for(site: Any) -> str:
    """Return a name for a stack by which its domain finds it."""
    return f"my-auth-{site.origin.rpartition(':')[2]}"


def resource_of(project: Newcomer, name: str) -> str:
    """Return a resource as it is in the template."""
    text = (project.folder / "template.yaml").read_text("utf-8")
    [found] = re.findall(rf"^  {name}:\n(?:    .*\n)*", text, re.MULTILINE)
    return str(found)


def lives(project: Newcomer, stack: Stack, typed: str) -> None:
    """See that a deployed project does what its README says, and lets nobody else in."""
    caller = somebody(stack.cloud)
    token = token_by(typed, project, stack, caller)
    header, payload, signature = token.split(".")
    forged = f"{header}.{payload}.{signature[:-8]}{'A' * 8}"
    assert answers(stack, token) == [(200, {"hello": TILL})] * 3
    assert [status for status, _ in answers(stack, forged)] == [403, 401, 401]
    assert [status for status, _ in answers(stack, None)] == [401, 401, 401]
    url = stack.outputs["TokenUrl"]
    assert stack.call("POST", url)[0] == 403
    assert stack.call("POST", url, body={"aud": "strangers"}, credentials=caller)[0] == 400

    run = stack.invoke("RotateFunction", {"start": True})

    signing, announced = [each["kid"] for each in run["generations"]]
    assert signing == stack.outputs["SigningKid"]
    assert {jwk["kid"] for jwk in published(stack)} == {signing, announced}
    later = token_by(typed, project, stack, caller)
    assert later != token
    assert [status for each in (token, later) for status, _ in answers(stack, each)] == [200] * 6


def leaves_its_keys(project: Newcomer, stack: Stack, ring: str) -> None:
    """See that a removed stack is gone, and what its README says is not."""
    with pytest.raises(ClientError, match="does not exist"):
        stacks.there(stack.cloud, stack.name)
    assert stack.call("GET", stack.outputs["HelloUrl"])[0] == 404
    listing, *_ = project.shown("After it is removed")
    listed = project.types(listing.replace(stack.name, ring))
    stages = re.findall(r"^alias/\S+ +(\w+) +Enabled ", listed, re.MULTILINE)
    assert sorted(stages) == ["published", "signing"]
    s3 = stack.cloud.client("s3")
    kept = s3.get_object(Bucket=stack.outputs["DocumentsBucket"], Key=".well-known/jwks.json")
    assert len(json.load(kept["Body"])["keys"]) == 2


def somebody(cloud: Cloud) -> Credentials:
    """Return the credentials of somebody in a role."""
    anyone = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [anyone]})
    iam, sts = cloud.client("iam"), cloud.client("sts")
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName="till", AssumeRolePolicyDocument=trust)
    arn = iam.get_role(RoleName="till")["Role"]["Arn"]
    taken = sts.assume_role(RoleArn=arn, RoleSessionName="monday")["Credentials"]
    return Credentials(taken["AccessKeyId"], taken["SecretAccessKey"], taken["SessionToken"])


def token_by(typed: str, project: Newcomer, stack: Stack, caller: Credentials) -> str:
    """Have a token and use it, as the README says; return it."""
    said = project.types(
        f"{typed}\necho; echo $token",
        AWS_ACCESS_KEY_ID=caller.access_key,
        AWS_SECRET_ACCESS_KEY=caller.secret_key,
        AWS_SESSION_TOKEN=str(caller.token),
        TOKEN_URL=stack.outputs["TokenUrl"],
        HELLO_URL=stack.outputs["HelloUrl"],
    )
    answer, token = said.splitlines()
    assert json.loads(answer) == {"hello": TILL}
    return token


def answers(stack: Stack, token: str | None) -> list[tuple[int, Any]]:
    """Return what each door answers: ours, API Gateway's own, ours before the REST API."""
    doors = stack.outputs["HelloUrl"], stack.outputs["NativeHelloUrl"], stack.rest_url()
    headers: dict[str, Any] = {} if token is None else {"Authorization": f"Bearer {token}"}
    return [stack.call("GET", door, **headers)[:2] for door in doors]


def published(stack: Stack) -> Any:
    """Return the keys that are read where they are published."""
    trust = ssl.create_default_context(cafile=stack.cloud.certificate.authority)
    with urlopen(stack.outputs["JwksUrl"], context=trust, timeout=10) as answer:
        return json.load(answer)["keys"]
