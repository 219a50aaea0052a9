"""Our client: the program `interop`, which also runs the emulator server."""

import json
import subprocess
import urllib.parse
import xml.sax.saxutils

from compare import Outcome, nested, of_xml


class Ours:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.greeting = self._read()
        self.endpoint = self.greeting["endpoint"]
        self.region = self.greeting["region"]
        self.identities = self.greeting["identities"]

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)

    def call(self, operation, identity="main", presign=None, query=None, **arguments):
        """Makes a call. Arguments are the operation's fields; bytes are its body."""
        request = {"op": operation, "as": identity, "args": {}}
        if query is not None:
            request["query"] = query
        if presign is not None:
            request["presign"] = presign
        for name, value in arguments.items():
            request["args"][name] = argument(name, value)
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = self._read()
        if "url" in answer:
            return answer["url"]
        return outcome(answer)

    def _read(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the program interop ended; its last words are above")
        return json.loads(line)


def argument(name, value):
    """A field of ours in the form of the wire."""
    if name == "source":
        bucket, key, *version = value
        source = f"/{bucket}/{urllib.parse.quote(key, safe='/')}"
        return f"{source}?versionId={version[0]}" if version else source
    if name == "delete":
        keys, quiet = value
        pairs = [(key, None) if isinstance(key, str) else key for key in keys]
        objects = [[("Key", key), ("VersionId", version)] for key, version in pairs]
        return document([("Quiet", quiet)] + [("Object", fields) for fields in objects])
    if name == "parts":
        return document([("Part", [("PartNumber", number), ("ETag", etag)]) for number, etag in value])
    if name == "configuration":
        return document(list(value.items()))
    if name == "restore":
        days, tier = value
        return document([("Days", days), ("JobParameters", tier and [("Tier", tier)])])
    if name == "target":
        return urllib.parse.quote(value, safe="/")
    if name == "tagging" and isinstance(value, dict):
        tags = [("Tag", [("Key", key), ("Value", text)]) for key, text in value.items()]
        return document([("TagSet", tags)])
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return value
    return plain(value)


def document(fields):
    return element("v", fields)


def element(name, value):
    if value is None:
        return ""
    if isinstance(value, list):
        inner = "".join(element(*field) for field in value)
    else:
        inner = xml.sax.saxutils.escape(plain(value))
    return f"<{name}>{inner}</{name}>"


def plain(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def outcome(answer):
    if "failure" in answer:
        return Outcome(failure=answer["failure"])
    if "error" in answer:
        return Outcome(error=answer["error"], status=answer["error"]["status"])
    fields = {}
    for name, value in answer["fields"].items():
        if isinstance(value, dict):
            fields[name.lower()] = [{key.lower(): [one] for key, one in value.items()}]
        elif isinstance(value, str):
            fields[name.lower()] = [value] if value else []
        else:
            # Versions and delete markers stand in one list, each under its own name.
            for wire in name.split("|"):
                chosen = [one for one in value if "|" not in name or one.startswith(f"<{wire}>")]
                path, occurrences = nested(wire, [of_xml(one) for one in chosen])
                fields[path] = occurrences
    content = answer.get("content")
    return Outcome(
        fields=fields,
        content=None if content is None else bytes.fromhex(content),
        status=answer["status"],
        headers=answer["headers"],
    )
