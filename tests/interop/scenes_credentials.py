"""Credentials from the services that the emulator plays, got by the package `alibabacloud-credentials`."""

import logging
import pathlib
import tempfile

import alibabacloud_oss_v2 as oss
from alibabacloud_credentials.client import Client
from alibabacloud_credentials.exceptions import CredentialException
from alibabacloud_credentials.models import Config
from Tea.core import TeaCore

METADATA = "100.100.100.200"
SESSION = "interop@1"

# The package prints every refusal with its whole traceback, also those that a scene is after.
logging.getLogger("credentials").setLevel(logging.CRITICAL)


def all_scenes(pair):
    bucket = pair.bucket("credentials")
    pair.setup("PutBucket", bucket=bucket)
    do_action = TeaCore.do_action
    TeaCore.do_action = staticmethod(to_the_emulator(pair.ours.endpoint, do_action))
    try:
        with tempfile.TemporaryDirectory() as folder:
            providers(pair, bucket, pathlib.Path(folder))
            refusals(pair, pathlib.Path(folder))
    finally:
        TeaCore.do_action = do_action


def to_the_emulator(endpoint, do_action):
    """The package knows one address of the metadata service and calls STS by https only; the emulator is on
    another address and speaks http. The rest of a request stays as the package made it."""
    address = endpoint.removeprefix("http://")

    def over_http(request, options=None):
        if request.headers["host"] in (address, METADATA):
            request.protocol, request.headers["host"] = "http", address
        return do_action(request, options)

    return over_http


def providers(pair, bucket, folder):
    told, address = pair.ours.greeting, pair.ours.endpoint.removeprefix("http://")
    path = f"{pair.ours.endpoint}{told['credentials_path']}"
    for name, config in (
        ("ram_role_arn", role(pair, "main")),
        ("oidc_role_arn", oidc(pair, folder, told["oidc"]["token"])),
        ("ecs_ram_role", Config(type="ecs_ram_role", disable_imds_v1=True)),
        ("ecs_ram_role named", Config(type="ecs_ram_role", role_name=told["ecs_role"])),
        ("credentials_uri", Config(type="credentials_uri", credentials_uri=path)),
    ):
        operation, _, detail = name.partition(" ")
        got = Client(config).get_credential()
        works(pair, operation, detail, bucket, got)
        if operation != "ecs_ram_role":
            # What was handed out may assume the role in its turn.
            chained = Config(
                type="ram_role_arn",
                access_key_id=got.access_key_id,
                access_key_secret=got.access_key_secret,
                security_token=got.security_token,
                role_arn=told["role"],
                role_session_name=SESSION,
                sts_endpoint=address,
            )
            works(pair, "ram_role_arn", f"by {operation}", bucket, Client(chained).get_credential())


def works(pair, operation, detail, bucket, got):
    """Theirs writes with the credentials, ours reads; without the token, and with another, it is refused."""
    found = []
    if not (got.access_key_id.startswith("STS.") and got.security_token):
        found.append(f"{got.access_key_id!r} is no temporary access key")
    key, content = f"{operation} {detail}", got.access_key_id.encode()
    put(pair, bucket, key, content, got.security_token, got)
    if pair.ours.call("GetObject", bucket=bucket, key=key).content != content:
        found.append("ours does not read what theirs wrote")
    for token, due in ((None, "InvalidAccessKeyId"), ("another", "InvalidSecurityToken")):
        try:
            put(pair, bucket, key, content, token, got)
            found.append(f"with the token {token!r} it was taken")
        except oss.exceptions.OperationError as error:
            if error.unwrap().code != due:
                found.append(f"{error.unwrap().code}, not {due}")
    pair.check(operation, detail, 4, found)


def put(pair, bucket, key, content, token, got):
    provider = oss.credentials.StaticCredentialsProvider(got.access_key_id, got.access_key_secret, token)
    client = oss.Client(pair.theirs._config(pair.ours, "v4", provider))
    client.put_object(oss.PutObjectRequest(bucket=bucket, key=key, body=content))


def refusals(pair, folder):
    told = pair.ours.greeting
    nobody = told["role"] + "-nobody"
    for operation, detail, config, due in (
        ("ram_role_arn", "no such role", role(pair, "main", nobody), "EntityNotExist.Role"),
        ("ram_role_arn", "wrong secret", role(pair, "wrong-secret"), "SignatureDoesNotMatch"),
        ("ram_role_arn", "unknown id", role(pair, "unknown-id"), "InvalidAccessKeyId.NotFound"),
        ("ram_role_arn", "expired", role(pair, "expired"), "InvalidSecurityToken.Expired"),
        (
            "oidc_role_arn",
            "expired",
            oidc(pair, folder, told["oidc"]["expired"]),
            "AuthenticationFail.OIDCToken.Expired",
        ),
        ("oidc_role_arn", "unknown", oidc(pair, folder, "a.b.c"), "AuthenticationFail.OIDCToken.Invalid"),
        (
            "ecs_ram_role",
            "no such role",
            Config(type="ecs_ram_role", role_name="nobody", disable_imds_v1=True),
            "HttpCode=404",
        ),
    ):
        try:
            found = [f"{Client(config).get_credential().access_key_id} was handed out"]
        except CredentialException as error:
            found = [] if due in str(error.message) else [f"{error.message} does not name {due}"]
        pair.check(operation, detail, 1, found)


def role(pair, identity, arn=None):
    key = pair.ours.identities[identity]
    return Config(
        type="ram_role_arn",
        access_key_id=key["id"],
        access_key_secret=key["secret"],
        security_token=key.get("token"),
        role_arn=arn or pair.ours.greeting["role"],
        role_session_name=SESSION,
        role_session_expiration=900,
        policy='{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:*","Resource":"*"}]}',
        sts_endpoint=pair.ours.endpoint.removeprefix("http://"),
    )


def oidc(pair, folder, token):
    file = folder / f"token-{len(list(folder.iterdir()))}"
    file.write_text(token, encoding="utf-8")
    told = pair.ours.greeting
    return Config(
        type="oidc_role_arn",
        role_arn=told["role"],
        oidc_provider_arn=told["oidc"]["provider"],
        oidc_token_file_path=str(file),
        role_session_name=SESSION,
        sts_endpoint=pair.ours.endpoint.removeprefix("http://"),
    )
