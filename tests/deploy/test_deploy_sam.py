"""``sam deploy`` itself, as a user types it, with ministack in the place of AWS."""

from __future__ import annotations

import os
import subprocess

import pytest
from tests.deploy.stacks import CODE, settled
from tests.ministack.cloud import REGION
from tests.runtime.environments import environment

from kmsjwt.deploy import StackSettings, as_yaml, template


@pytest.fixture(scope="module")
def sam() -> str:
    return str(environment(".venv-deploy") / "bin" / "sam")


def test_sam_uploads_the_bundle_and_deploys_the_stack(sam, cloud, domain, tmp_path):
    site = domain()
    name = f"sam-{site.origin.rpartition(':')[2]}"
    described = template(StackSettings(runtime="python3.11", architecture="x86_64"))
    del described["Resources"]["AuthorizerFails"]  # see test_deploy_ministack.py
    (tmp_path / "template.yaml").write_text(as_yaml(described))
    bundle = cloud.client("s3").get_object(Bucket=CODE["S3Bucket"], Key=CODE["S3Key"])
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "function.zip").write_bytes(bundle["Body"].read())

    done = subprocess.run(
        [
            *(sam, "deploy", "--template-file", "template.yaml", "--stack-name", name),
            *("--s3-bucket", CODE["S3Bucket"], "--capabilities", "CAPABILITY_IAM"),
            *("--no-confirm-changeset", "--no-progressbar", "--region", REGION),
            "--parameter-overrides",
            *("Audience=orders", "RingName=bysam", f"IssuerUrl={site.origin}"),
        ],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "SAM_CLI_TELEMETRY": "0",
            "SAM_CLI_POLL_DELAY": "1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL": f"https://127.0.0.1:{cloud.port}",
            "AWS_CA_BUNDLE": str(cloud.certificate.authority),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert settled(cloud, name)["StackStatus"] == "CREATE_COMPLETE"
    assert site.origin in done.stdout  # an output: the issuer
