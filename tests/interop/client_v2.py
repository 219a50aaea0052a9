"""The official package `alibabacloud-oss-v2`, synchronous and asynchronous."""

import asyncio
import base64
import datetime
import json
import re
import urllib.parse
from collections.abc import Mapping

import alibabacloud_oss_v2 as oss
import alibabacloud_oss_v2.aio as oss_aio
from alibabacloud_oss_v2 import serde

from compare import Outcome, nested, text


class V2:
    """The synchronous client."""

    # What their clients cannot express, by the name of a trait; a scene that needs it is left out.
    cannot = frozenset()

    def __init__(self, name, ours, signature="v4"):
        self.name = name
        self.clients = {}
        if signature != "v4":
            # It sends a token as `security-token`, which OSS takes in a URL only, and does not sign the
            # parameters `x-oss-…` (signer/v1.py).
            self.cannot = self.cannot | {"presigned as ours", "token", "processing"}
        for identity, key in ours.identities.items():
            provider = oss.credentials.StaticCredentialsProvider(key["id"], key["secret"], key.get("token"))
            self.clients[identity] = self._client(self._config(ours, signature, provider))
        provider = oss.credentials.AnonymousCredentialsProvider()
        self.clients["anonymous"] = self._client(self._config(ours, signature, provider))

    def _config(self, ours, signature, provider):
        return oss.config.Config(
            region=ours.region,
            endpoint=ours.endpoint,
            use_path_style=True,
            signature_version=signature,
            credentials_provider=provider,
            retry_max_attempts=1,
        )

    def _client(self, config):
        return oss.Client(config)

    def close(self):
        pass

    def has(self, operation):
        return hasattr(self.clients["main"], snake(operation))

    def _run(self, client, method, request):
        result = getattr(client, method)(request)
        content = None
        if isinstance(result, oss.GetObjectResult):
            with result.body as body:
                content = body.read()
        return result, content

    def call(self, operation, identity="main", **arguments):
        request = request_of(operation, arguments)
        try:
            result, content = self._run(self.clients[identity], snake(operation), request)
        except oss.exceptions.OperationError as error:
            return failed(error.unwrap())
        except oss.exceptions.BaseError as error:
            return failed(error)
        return Outcome(
            fields=shown(operation, fields_of(result), result),
            content=content,
            status=result.status_code,
            headers=dict(result.headers),
        )

    def presign(self, operation, seconds, **arguments):
        expires = datetime.timedelta(seconds=seconds)
        return self.clients["main"].presign(request_of(operation, arguments), expires=expires).url


class AsyncV2(V2):
    """The asynchronous client, on a loop of its own."""

    # aiohttp folds `a/../b` into `b` after the request was signed.
    cannot = frozenset({"dot segments"})

    def __init__(self, name, ours, signature="v4"):
        self.loop = asyncio.new_event_loop()
        super().__init__(name, ours, signature)

    def _client(self, config):
        return oss_aio.AsyncClient(config)

    def close(self):
        for client in self.clients.values():
            self.loop.run_until_complete(client.close())
        self.loop.close()

    def _run(self, client, method, request):
        async def run():
            result = await getattr(client, method)(request)
            content = None
            if isinstance(result, oss.GetObjectResult):
                if result.content_length == 0:
                    # Theirs takes an empty body for one that was read already.
                    return result, b""
                async with result.body as body:
                    content = await body.read()
            return result, content

        return self.loop.run_until_complete(run())

    def presign(self, operation, seconds, **arguments):
        expires = datetime.timedelta(seconds=seconds)
        request = request_of(operation, arguments)
        return self.loop.run_until_complete(self.clients["main"].presign(request, expires=expires)).url


CONFIGURATIONS = {
    "PutBucket": ("create_bucket_configuration", oss.CreateBucketConfiguration),
    "PutBucketVersioning": ("versioning_configuration", oss.VersioningConfiguration),
    "PutBucketRequestPayment": ("request_payment_configuration", oss.RequestPaymentConfiguration),
}


def snake(operation):
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", operation).lower()
    return words.replace("v2", "_v2").replace("__", "_")


def request_of(operation, arguments):
    """Their request of our arguments: the same names, but for these."""
    arguments = dict(arguments)
    if "source" in arguments:
        bucket, key, *version = arguments.pop("source")
        arguments |= {"source_bucket": bucket, "source_key": key}
        if version:
            arguments["source_version_id"] = version[0]
    if "range" in arguments and operation == "GetObject":
        arguments["range_header"] = arguments.pop("range")
    if "delete" in arguments:
        keys, quiet = arguments.pop("delete")
        arguments["objects"] = [
            (
                oss.DeleteObject(key=key)
                if isinstance(key, str)
                else oss.DeleteObject(key=key[0], version_id=key[1])
            )
            for key in keys
        ]
        arguments["quiet"] = quiet
    if "parts" in arguments:
        parts = [oss.UploadPart(part_number=number, etag=etag) for number, etag in arguments.pop("parts")]
        arguments["complete_multipart_upload"] = oss.CompleteMultipartUpload(parts=parts)
    if "range" in arguments and operation == "UploadPartCopy":
        arguments["source_range"] = arguments.pop("range")
    if operation == "PutBucket" and "tagging" in arguments:
        arguments["bucket_tagging"] = arguments.pop("tagging")
    if "configuration" in arguments:
        name, kind = CONFIGURATIONS[operation]
        words = {snake(word): text for word, text in arguments.pop("configuration").items()}
        arguments[name] = kind(**words)
    if "restore" in arguments:
        days, tier = arguments.pop("restore")
        arguments["restore_request"] = oss.RestoreRequest(days=days, tier=tier)
    if isinstance(arguments.get("tagging"), dict):
        tags = [oss.Tag(key=key, value=value) for key, value in arguments["tagging"].items()]
        arguments["tagging"] = oss.Tagging(tag_set=oss.TagSet(tags=tags))
    for name, words in (("callback", {"url": "callbackUrl", "body": "callbackBody"}), ("callback_var", {})):
        if name in arguments:
            told = {words.get(word, word): text for word, text in arguments[name].items()}
            arguments[name] = base64.b64encode(json.dumps(told).encode()).decode()
    if "target" in arguments:
        # It leaves the encoding to its caller.
        arguments["target"] = urllib.parse.quote(arguments["target"], safe="/")
    request = getattr(oss, f"{operation}Request")
    unknown = set(arguments) - set(request._attribute_map)
    if unknown:
        raise TypeError(f"{operation} of alibabacloud-oss-v2 has no {unknown}")
    return request(**arguments)


def fields_of(model):
    """Every field that their model has a place for, absent ones included."""
    fields = {}
    for name, description in model._attribute_map.items():
        wire = description.get("rename")
        if wire is None or description.get("position") == "body" and description.get("type") == "dict,json":
            continue
        field, occurrences = nested(wire, occurrences_of(getattr(model, name)))
        if field in fields and fields[field] and occurrences:
            fields[field][0].update(occurrences[0])
        else:
            fields[field] = fields.get(field) or occurrences
    return fields


def shown(operation, fields, result):
    """The names of our tables where theirs has others."""
    if getattr(result, "callback_result", None) is not None:
        name = "callback" if operation == "PutObject" else "body"
        return {**fields, name: [result.callback_result]}
    if operation == "GetBucketLocation":
        return {"locationconstraint": fields["."]}
    if operation == "GetBucketRequestPayment":
        return fields["requestpaymentconfiguration"][0]
    if operation == "GetSymlink":
        # It leaves the decoding to its caller, too.
        target = [urllib.parse.unquote(one) for one in fields["x-oss-symlink-target"]]
        return {**fields, "x-oss-symlink-target": target}
    return fields


def occurrences_of(value):
    if value is None:
        return []
    if isinstance(value, (list, tuple)):
        return [one for item in value for one in occurrences_of(item)]
    if isinstance(value, serde.Model):
        return [fields_of(value)]
    if isinstance(value, Mapping):
        return [{key.lower(): [text(one)] for key, one in value.items()}]
    return [text(value)]


def failed(error):
    if not isinstance(error, oss.exceptions.ServiceError):
        return Outcome(failure=f"{type(error).__name__}: {error}")
    return Outcome(
        status=error.status_code,
        error={
            "status": error.status_code,
            "code": error.code,
            "message": error.message,
            "request_id": error.request_id,
            "ec": error.ec,
        },
    )
