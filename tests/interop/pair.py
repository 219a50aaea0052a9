"""A client of theirs beside ours, and what a scene does with the two."""

import http.client
import re
import urllib.parse

from compare import differences, substance

# An answer or an error: whichever it is.
ANY = object()

# What no answer of OSS is without: two clients that both miss it do not differ.
OBJECT = (
    "content-length",
    "content-type",
    "etag",
    "last-modified",
    "x-oss-hash-crc64ecma",
    "x-oss-object-type",
)
LIST = ("name", "maxkeys", "istruncated")
DUE = {
    "AppendObject": ("x-oss-next-append-position", "x-oss-hash-crc64ecma"),
    "CompleteMultipartUpload": ("etag", "bucket", "key", "location", "x-oss-hash-crc64ecma"),
    "CopyObject": ("etag", "lastmodified", "x-oss-hash-crc64ecma"),
    "GetBucketAcl": ("owner", "accesscontrollist"),
    "GetBucketInfo": ("bucket",),
    "GetBucketLocation": ("locationconstraint",),
    "GetBucketStat": (
        "storage",
        "objectcount",
        "multipartuploadcount",
        "standardstorage",
        "lastmodifiedtime",
    ),
    "GetObject": (*OBJECT, "x-oss-storage-class"),
    "GetObjectAcl": ("owner", "accesscontrollist"),
    "GetObjectMeta": ("content-length", "etag", "last-modified"),
    "GetSymlink": ("x-oss-symlink-target",),
    "HeadObject": (*OBJECT, "x-oss-storage-class"),
    "InitiateMultipartUpload": ("bucket", "key", "uploadid"),
    "ListBuckets": ("owner",),
    "ListMultipartUploads": ("bucket", "maxuploads", "istruncated"),
    "ListObjectVersions": LIST,
    "ListObjects": LIST,
    "ListObjectsV2": (*LIST, "keycount"),
    "ListParts": ("bucket", "key", "uploadid", "maxparts", "istruncated", "storageclass"),
    "PutObject": ("etag", "content-md5", "x-oss-hash-crc64ecma"),
    "UploadPart": ("etag", "content-md5", "x-oss-hash-crc64ecma"),
    "UploadPartCopy": ("etag", "lastmodified"),
}


class Pair:
    def __init__(self, ours, theirs, report):
        self.ours = ours
        self.theirs = theirs
        self.report = report
        self.prefix = f"interop-{theirs.name.replace('.', '-').replace('_', '-')}"

    def bucket(self, name):
        return f"{self.prefix}-{name}"

    def can(self, trait):
        return trait not in self.theirs.cannot

    def has(self, operation):
        return self.theirs.has(operation)

    def both(
        self, operation, detail="", vague=(), ours=None, identity="main", want=None, content=None, **arguments
    ):
        """Makes a call with theirs, then with ours, and compares what came of them.

        `ours` are arguments that ours has otherwise: a key of its own for a call that writes. `want` is the
        error code or the status that both must get, `content` what both must read.
        """
        if not self.has(operation):
            # What later calls build on is done by ours alone, and is not counted.
            only = self.ours.call(operation, identity=identity, **arguments)
            return only, (
                self.ours.call(operation, identity=identity, **{**arguments, **ours}) if ours else only
            )
        left = self.theirs.call(operation, identity=identity, **arguments)
        right = self.ours.call(operation, identity=identity, **{**arguments, **(ours or {})})
        count, found = self.compare(left, right, vague)
        if right.error is None and right.failure is None and "callback" not in arguments:
            due = DUE.get(operation, ())
            count += len(due)
            found += [f"{name} is missing" for name in due if not substance(right.fields.get(name, []))]
        for name, one in (("theirs", left), ("ours", right)):
            more, wrong = expected(one, want, content)
            count += more
            found += [f"{name}: {problem}" for problem in wrong]
        self.report.line(self.theirs.name, operation, detail, count, found)
        return left, right

    def alone(self, operation, detail="", want=None, identity="main", **arguments):
        """Makes a call with theirs; a call with ours shows later what came of it."""
        left = self.theirs.call(operation, identity=identity, **arguments)
        count, found = expected(left, want, None)
        self.report.line(self.theirs.name, operation, detail, count, found)
        return left

    def setup(self, operation, **arguments):
        """Makes a call with ours that must succeed, and is not counted."""
        right = self.ours.call(operation, **arguments)
        if right.status is None or right.error is not None:
            raise RuntimeError(f"{operation} {arguments}: {right}")
        return right

    def fetch(self, method, url):
        """Follows a URL without any client of OSS: the status and the content."""
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=20)
        try:
            connection.request(method, url[url.index("/", len("http://")) :])
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def check(self, operation, detail, count, found):
        self.report.line(self.theirs.name, operation, detail, count, found)

    def compare(self, left, right, vague):
        if left.failure is not None or right.failure is not None:
            return 1, [f"theirs {left}, ours {right}"]
        if (left.error is None) != (right.error is None):
            return 1, [f"theirs {left}, ours {right}"]
        if left.error is not None:
            return compare_errors(left.error, right.error)
        count, found = differences(left.fields, right.fields, vague)
        # Callers of theirs see these through raw headers, whatever their models have a place for.
        for name in ("x-oss-request-id", "x-oss-server-time", "date", "server"):
            sides = [name in {key.lower() for key in side.headers} for side in (left, right)]
            count += 1
            if sides[0] != sides[1]:
                found.append(f"header {name}: theirs {sides[0]}, ours {sides[1]}")
        if left.status != right.status:
            found.append(f"status: theirs {left.status}, ours {right.status}")
        if left.content != right.content:
            found.append(f"content: theirs {brief(left.content)}, ours {brief(right.content)}")
        return count + 2, found


def compare_errors(left, right):
    count, found = 0, []
    # A 304 has no body: code and message are each client's own words.
    names = [name for name in left if right["status"] != 304 or name in ("status", "request_id")]
    for name in names:
        count += 1
        one, other = left[name] or None, right[name] or None
        if name == "request_id":
            for who, id in (("theirs", one), ("ours", other)):
                if id is None or not re.fullmatch("[0-9A-F]{24}", id):
                    found.append(f"request id of {who}: {id!r}")
        elif one != other:
            found.append(f"error {name}: theirs {one!r}, ours {other!r}")
    return count, found


def expected(outcome, want, content):
    count, found = 0, []
    if want is ANY:
        return count, found
    if want is None and (outcome.error is not None or outcome.failure is not None):
        return 1, [f"an answer was expected, not {outcome}"]
    error = outcome.error or {}
    if isinstance(want, str) and error and "code" not in error:
        return count, found
    if want is not None:
        count += 1
        if want not in (outcome.status, error.get("status"), error.get("code")):
            found.append(f"{want} was expected, not {outcome}")
    if content is not None:
        count += 1
        if outcome.content != content:
            found.append(f"content {brief(content)} was expected, not {brief(outcome.content)}")
    return count, found


def brief(content):
    return (
        repr(content) if content is None or len(content) < 40 else f"{len(content)} bytes {content[:20]!r}…"
    )
