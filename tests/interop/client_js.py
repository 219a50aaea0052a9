"""The official package `ali-oss` for JavaScript, as a program that answers line by line."""

import json
import pathlib
import subprocess

from client_oss2 import places
from compare import Outcome

PROGRAM = pathlib.Path(__file__).with_name("ali-oss.js")


class AliOss:
    # It sorts parts before it completes an upload and has no anonymous client. Its HTTP client folds `a/../b`
    # into `b` after the request was signed. On an IP address its URLs name no bucket.
    # It refuses empty values of tags, more than ten tags, and unknown words, itself.
    cannot = frozenset(
        {
            "turned parts",
            "anonymous",
            "dot segments",
            "presigned addresses",
            "empty tags",
            "many tags",
            "callbacks",
            "wrong words",
        }
    )

    def __init__(self, name, ours, modules, signature="v4"):
        self.name = name
        if signature != "v4":
            self.cannot = self.cannot | {"presigned as ours"}
        settings = {
            "modules": modules,
            "endpoint": ours.endpoint,
            "region": f"oss-{ours.region}",
            "identities": ours.identities,
            "v4": signature == "v4",
        }
        self.operations = json.loads(
            subprocess.check_output(["node", PROGRAM, json.dumps(settings), "--list"])
        )
        self.process = subprocess.Popen(
            ["node", PROGRAM, json.dumps(settings)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)

    def has(self, operation):
        return operation in self.operations

    def call(self, operation, identity="main", **arguments):
        request = {"op": operation, "as": identity}
        for name in (
            "bucket",
            "key",
            "body",
            "restore",
            "target",
            "upload_id",
            "part_number",
            "parts",
            "source",
            "delete",
            "configuration",
        ):
            if name in arguments:
                value = arguments.pop(name)
                request[name] = value.hex() if isinstance(value, bytes) else value
        if isinstance(arguments.get("tagging"), dict):
            request["tags"] = arguments.pop("tagging")
        request["headers"], request["params"] = places(operation, arguments)
        answer = self._ask(request)
        if "failure" in answer:
            return Outcome(failure=answer["failure"])
        if "error" in answer:
            return Outcome(status=answer["error"]["status"], error=answer["error"])
        content = answer.get("content")
        return Outcome(
            fields=answer["fields"],
            content=None if content is None else bytes.fromhex(content),
            status=answer["status"],
            headers=answer["headers"],
        )

    def presign(self, operation, seconds, bucket, key, **arguments):
        method = {"GetObject": "GET", "PutObject": "PUT", "HeadObject": "HEAD"}[operation]
        headers, params = places(operation, arguments)
        request = {"presign": method, "as": "main", "seconds": seconds, "bucket": bucket, "key": key}
        return self._ask({**request, "headers": headers, "params": params})["url"]

    def ask(self, method, bucket, *arguments):
        """Calls a method of the package by its own name."""
        answer = self._ask({"method": method, "as": "main", "bucket": bucket, "arguments": arguments})
        if "status" not in answer:
            raise RuntimeError(f"{method} {arguments}: {answer}")

    def _ask(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("ali-oss.js ended; its last words are above")
        return json.loads(line)
