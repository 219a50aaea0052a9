"""What both clients do with buckets and objects: the operations of the first slice."""

import base64
import email.utils
import hashlib
import time
import urllib.parse


# Every key that a client could encode wrongly, fold, or cut off.
KEYS = [
    "plain.txt",
    "folder/with space.txt",
    "plus+and%percent%41%2F",
    "question?a=b&c=d",
    "sharp#fragment",
    "double//slash///end/",
    "./leading/dot",
    "../up/../../and/./on/..",
    "中文/目录/文件.txt",
    "emoji-🦆-👩‍🚀.bin",
    "quotes'\"<>&;.xml",
    "all!*'()~-_.$,:@=|^`{}[]\\",
    "e\u0301 and \u00e9, \u3000wide",
]
DATE = "x-oss-date"
TYPES = ("read.txt", "page.html", "picture.png", "data.json", "archive.tar.gz", "noextension", "unknown.zzz")


def all_scenes(pair):
    main = pair.bucket("main")
    buckets(pair, main)
    keys(pair, main)
    headers(pair, main)
    conditions(pair, main)
    ranges(pair, main)
    lists(pair, pair.bucket("lists"))
    copies(pair, main)
    deletes(pair, main)
    multipart(pair, main)
    presigned(pair, main)
    errors(pair, main)


def buckets(pair, main):
    other, third = pair.bucket("other"), pair.bucket("third")
    pair.both("PutBucket", "new", bucket=main, ours={"bucket": other})
    # Of one's own bucket a further call overwrites the metadata ("PutBucket", usage notes).
    pair.both("PutBucket", "again, with the same settings", bucket=main)
    pair.both(
        "PutBucket",
        "acl and storage class",
        bucket=third + "-a",
        ours={"bucket": third + "-b"},
        acl="public-read",
        configuration={"StorageClass": "IA", "DataRedundancyType": "ZRS"},
    )
    for name in (main, other, third + "-a", third + "-b"):
        pair.both("GetBucketInfo", name.removeprefix(pair.prefix), bucket=name)
    pair.both("ListBuckets", "all of a prefix", prefix=pair.prefix)
    pair.both("ListBuckets", "first page", prefix=pair.prefix, max_keys=2)
    pair.both("ListBuckets", "after a marker", prefix=pair.prefix, marker=other, max_keys=1)
    pair.both("ListBuckets", "none", prefix=pair.prefix + "-zzz")
    pair.both("DeleteBucket", "empty", bucket=third + "-a", ours={"bucket": third + "-b"})
    pair.both("DeleteBucket", "gone", bucket=third + "-a", want="NoSuchBucket")
    pair.both("GetBucketInfo", "gone", bucket=third + "-a", want="NoSuchBucket")
    pair.setup("PutObject", bucket=other, key="kept", body=b"x")
    pair.both("DeleteBucket", "with an object in it", bucket=other, want="BucketNotEmpty")


def keys(pair, main):
    for key in KEYS:
        if not pair.can(trait_of(key)):
            continue
        body = f"content of {key}".encode()
        pair.both("PutObject", repr(key), bucket=main, key=key, body=body)
        pair.both("GetObject", repr(key), bucket=main, key=key, content=body)
        pair.both("HeadObject", repr(key), bucket=main, key=key)
        # One wrote and the other reads, then the other way round with other bytes.
        pair.alone("PutObject", f"{key!r}, for ours to read", bucket=main, key=key, body=b"by theirs " + body)
        ours = pair.ours.call("GetObject", bucket=main, key=key)
        pair.check("GetObject", f"{key!r}, ours of theirs", *same(ours.content, b"by theirs " + body))
        pair.setup("PutObject", bucket=main, key=key, body=b"by ours " + body)
        theirs = pair.theirs.call("GetObject", bucket=main, key=key)
        pair.check("GetObject", f"{key!r}, theirs of ours", *same(theirs.content, b"by ours " + body))


def trait_of(key):
    if any(part in (".", "..") for part in key.split("/")):
        return "dot segments"
    return "keys"


def same(one, other):
    return 1, [] if one == other else [f"{one!r} is not {other!r}"]


def headers(pair, main):
    everything = {
        "content_type": "text/x-interop; charset=utf-8",
        "cache_control": "max-age=60, private",
        "content_disposition": 'attachment; filename="a b.txt"',
        "content_encoding": "x-none",
        "expires": "Wed, 21 Oct 2037 07:28:00 GMT",
        "storage_class": "IA",
        "acl": "private",
        "tagging": "k1=v1&k%202=v%2B2",
        "metadata": {"author": "a b", "empty-not": "1", "x-y-z": "punctuation: ;,=\"'/"},
    }
    pair.both(
        "PutObject",
        "all headers",
        bucket=main,
        key="headers-t",
        ours={"key": "headers-o"},
        body=b"h",
        **everything,
    )
    for key in ("headers-t", "headers-o"):
        pair.both("HeadObject", key, bucket=main, key=key)
        pair.both("GetObject", key, bucket=main, key=key, content=b"h")
    theirs = pair.ours.call("HeadObject", bucket=main, key="headers-t").fields
    ours = pair.ours.call("HeadObject", bucket=main, key="headers-o").fields
    volatile = {"last-modified"}
    wrong = [
        f"{name}: {theirs[name]} or {ours[name]}"
        for name in theirs
        if name not in volatile and theirs[name] != ours[name]
    ]
    pair.check("HeadObject", "what both wrote is the same", len(theirs), wrong)
    for name in TYPES:
        pair.both(
            "PutObject", f"type of {name}", bucket=main, key=f"t/{name}", ours={"key": f"o/{name}"}, body=b"1"
        )
        pair.both("HeadObject", f"type of {name}", bucket=main, key=f"t/{name}")
    empty = {"bucket": main, "key": "empty"}
    pair.both("PutObject", "empty", body=b"", **empty)
    pair.both("GetObject", "empty", content=b"", **empty)
    large = bytes(range(256)) * 1200
    pair.both("PutObject", "300 KiB", bucket=main, key="large", body=large)
    pair.both("GetObject", "300 KiB", bucket=main, key="large", content=large)
    md5 = base64.b64encode(hashlib.md5(b"m").digest()).decode()
    pair.both("PutObject", "right MD5", bucket=main, key="md5", body=b"m", content_md5=md5)
    pair.both(
        "PutObject", "wrong MD5", bucket=main, key="md5", body=b"n", content_md5=md5, want="InvalidDigest"
    )
    pair.both(
        "PutObject",
        "forbidden to overwrite",
        bucket=main,
        key="md5",
        body=b"n",
        forbid_overwrite=True,
        want="FileAlreadyExists",
    )
    pair.both(
        "PutObject", "encrypted at rest", bucket=main, key="sse", body=b"s", server_side_encryption="AES256"
    )
    pair.both("HeadObject", "encrypted at rest", bucket=main, key="sse")


def conditions(pair, main):
    etag = pair.setup("PutObject", bucket=main, key="condition", body=b"c").fields["etag"][0]
    before = email.utils.formatdate(time.time() - 3600, usegmt=True)
    after = email.utils.formatdate(time.time() + 60, usegmt=True)
    where = {"bucket": main, "key": "condition"}
    for operation in ("GetObject", "HeadObject"):
        content = b"c" if operation == "GetObject" else None
        pair.both(operation, "if it is", if_match=etag, content=content, **where)
        pair.both(operation, "if it is another", if_match='"0"', want=412, **where)
        pair.both(operation, "unless it is", if_none_match=etag, want=304, **where)
        pair.both(operation, "unless it is another", if_none_match='"0"', content=content, **where)
        pair.both(operation, "if written since an hour", if_modified_since=before, content=content, **where)
        pair.both(operation, "if not written since an hour", if_unmodified_since=before, want=412, **where)
        pair.both(operation, "if not written after now", if_unmodified_since=after, content=content, **where)
    pair.both(
        "GetObject",
        "headers of one's own",
        response_content_type="text/plain",
        response_cache_control="no-store",
        response_content_disposition="inline",
        response_content_encoding="identity",
        response_expires="Thu, 01 Dec 2044 16:00:00 GMT",
        **where,
    )


def ranges(pair, main):
    body = bytes(range(100))
    pair.setup("PutObject", bucket=main, key="range", body=body)
    for text, part in (
        ("bytes=0-9", body[:10]),
        ("bytes=90-", body[90:]),
        ("bytes=-7", body[-7:]),
        ("bytes=50-50", body[50:51]),
        ("bytes=95-200", body[95:]),
    ):
        pair.both(
            "GetObject",
            text,
            bucket=main,
            key="range",
            range=text,
            range_behavior="standard",
            content=part,
            want=206,
        )
    pair.both(
        "GetObject",
        "beyond the end",
        bucket=main,
        key="range",
        range="bytes=100-",
        range_behavior="standard",
        want="InvalidRange",
    )


def lists(pair, bucket):
    pair.alone("PutBucket", "for lists", bucket=bucket)
    names = sorted({"a", "a/1", "a/2", "b/1/x", "b/2/y", "b/2/z", *KEYS})
    for name in names:
        pair.setup("PutObject", bucket=bucket, key=name, body=name.encode())
    everything = {"bucket": bucket}
    pair.both("ListObjectsV2", "all", **everything)
    pair.both("ListObjectsV2", "with owners", fetch_owner=True, **everything)
    pair.both("ListObjectsV2", "prefix", prefix="b/", **everything)
    pair.both("ListObjectsV2", "prefix in Chinese", prefix="中文/", **everything)
    pair.both("ListObjectsV2", "prefix and delimiter", prefix="b/", delimiter="/", **everything)
    pair.both("ListObjectsV2", "delimiter", delimiter="/", **everything)
    pair.both("ListObjectsV2", "delimiter of two", delimiter="//", **everything)
    pair.both("ListObjectsV2", "after", start_after="a/1", max_keys=3, **everything)
    pair.both("ListObjectsV2", "none", prefix="zzz", **everything)
    for size, delimiter in ((5, None), (2, "/")):
        options = {"max_keys": size} if delimiter is None else {"max_keys": size, "delimiter": delimiter}
        seen, token, page = [], None, 0
        while True:
            page += 1
            if token is not None:
                options["continuation_token"] = token
            _, right = pair.both(
                "ListObjectsV2", f"page {page} of {size}, delimiter {delimiter}", **options, **everything
            )
            seen += [entry["key"][0] for entry in right.fields["contents"]]
            tokens = right.fields["nextcontinuationtoken"]
            if not tokens or page > 20:
                break
            token = tokens[0]
        whole = [name for name in sorted(names, key=str.encode) if delimiter is None or delimiter not in name]
        pair.check("ListObjectsV2", f"the pages of {size} hold every key once", *same(seen, whole))


def copies(pair, main):
    other = pair.bucket("other")
    pair.setup(
        "PutObject", bucket=main, key="source", body=b"copied", content_type="text/x-a", metadata={"a": "1"}
    )
    written = ("lastmodified",)
    pair.both("CopyObject", "same bucket", bucket=main, key="copy", source=(main, "source"), vague=written)
    pair.both("HeadObject", "of a copy", bucket=main, key="copy")
    pair.both("CopyObject", "other bucket", bucket=other, key="copy", source=(main, "source"), vague=written)
    pair.both("GetObject", "of a copy in another bucket", bucket=other, key="copy", content=b"copied")
    pair.both(
        "CopyObject",
        "replaced metadata",
        bucket=main,
        key="copy",
        source=(main, "source"),
        metadata_directive="REPLACE",
        metadata={"b": "2"},
        content_type="text/x-b",
        vague=written,
    )
    pair.both("HeadObject", "of replaced metadata", bucket=main, key="copy")
    pair.both(
        "CopyObject",
        "if it is another",
        bucket=main,
        key="copy",
        source=(main, "source"),
        if_match='"0"',
        want=412,
    )
    pair.both("CopyObject", "no source", bucket=main, key="copy", source=(main, "nothing"), want="NoSuchKey")
    for key in KEYS:
        if pair.can("copies") and pair.can(trait_of(key)):
            pair.setup("PutObject", bucket=main, key=key, body=key.encode())
            target = f"copies/{key}"
            pair.both("CopyObject", repr(key), bucket=main, key=target, source=(main, key), vague=written)
            pair.both("GetObject", f"of the copy of {key!r}", bucket=main, key=target, content=key.encode())


def deletes(pair, main):
    pair.setup("PutObject", bucket=main, key="delete-t", body=b"d")
    pair.setup("PutObject", bucket=main, key="delete-o", body=b"d")
    pair.both("DeleteObject", "there", bucket=main, key="delete-t", ours={"key": "delete-o"})
    pair.both("DeleteObject", "not there", bucket=main, key="delete-t")
    pair.both("HeadObject", "deleted", bucket=main, key="delete-t", want="NoSuchKey")
    chosen = [f"many/{key}" for key in KEYS] + ["many/never there"]
    for quiet in (False, True) if pair.can("quiet") else (False,):
        for key in chosen[:-1]:
            pair.setup("PutObject", bucket=main, key=key, body=b"d")
        pair.both("DeleteMultipleObjects", f"quiet {quiet}", bucket=main, delete=(chosen, quiet))
        pair.both("ListObjectsV2", f"after the deletion, quiet {quiet}", bucket=main, prefix="many/")


def multipart(pair, main):
    big, small = b"p" * 102_400, b"last"
    ids = ("uploadid",)
    for key in ("multipart.txt", "多部分/a b+c%.bin"):
        names = {"t": key, "o": f"o-{key}"}
        left, right = pair.both(
            "InitiateMultipartUpload",
            repr(key),
            bucket=main,
            key=names["t"],
            ours={"key": names["o"]},
            vague=(*ids, "key"),
        )
        upload = {"t": left.fields["uploadid"][0], "o": right.fields["uploadid"][0]}
        where = {"bucket": main, "key": names["t"], "upload_id": upload["t"]}
        other = {"key": names["o"], "upload_id": upload["o"]}
        parts = []
        for number, body in ((1, big), (2, big[::-1]), (3, small)):
            left, _ = pair.both(
                "UploadPart", f"{number} of {key!r}", part_number=number, body=body, ours=other, **where
            )
            parts.append((number, left.fields["etag"][0]))
        pair.both("UploadPart", f"2 of {key!r} again", part_number=2, body=big, ours=other, **where)
        parts[1] = (2, parts[0][1])
        pair.both("ListParts", f"all of {key!r}", **where)
        pair.both("ListParts", f"all of ours of {key!r}", bucket=main, **other)
        pair.both("ListParts", f"first page of {key!r}", max_parts=2, **where)
        pair.both("ListParts", f"second page of {key!r}", max_parts=2, part_number_marker=2, **where)
        wrong = [(1, '"00000000000000000000000000000000"'), *parts[1:]]
        pair.both(
            "CompleteMultipartUpload", f"a wrong part of {key!r}", parts=wrong, want="InvalidPart", **where
        )
        if pair.can("turned parts"):
            turned = {"parts": [parts[1], parts[0]], "want": "InvalidPartOrder"}
            pair.both("CompleteMultipartUpload", f"turned order of {key!r}", **turned, **where)
        done = ("key", "location")
        pair.both("CompleteMultipartUpload", repr(key), parts=parts, ours=other, vague=done, **where)
        for name in names.values():
            pair.both("HeadObject", f"of {name!r}, made of parts", bucket=main, key=name)
            pair.both(
                "GetObject", f"of {name!r}, made of parts", bucket=main, key=name, content=big + big + small
            )
        pair.both("ListParts", f"completed {key!r}", want="NoSuchUpload", **where)
    where = {"bucket": main, "key": "small-parts"}
    upload = pair.setup("InitiateMultipartUpload", **where).fields["uploadid"][0]
    etags = [
        pair.setup("UploadPart", upload_id=upload, part_number=number, body=b"tiny", **where).fields["etag"][
            0
        ]
        for number in (1, 2)
    ]
    parts = list(enumerate(etags, 1))
    pair.both(
        "CompleteMultipartUpload",
        "parts too small",
        upload_id=upload,
        parts=parts,
        want="EntityTooSmall",
        **where,
    )
    ours = pair.setup("InitiateMultipartUpload", **where).fields["uploadid"][0]
    pair.both("AbortMultipartUpload", "open", upload_id=upload, ours={"upload_id": ours}, **where)
    pair.both("AbortMultipartUpload", "gone", upload_id=upload, want="NoSuchUpload", **where)
    pair.both("UploadPart", "gone", upload_id=upload, part_number=1, body=b"x", want="NoSuchUpload", **where)


def presigned(pair, main):
    """URLs of the same request, made in the same second, are the same URL; and the server takes them."""
    for key in KEYS:
        for operation, method in (("GetObject", "GET"), ("PutObject", "PUT"), ("HeadObject", "HEAD")):
            where = {"bucket": main, "key": key}
            if operation == "GetObject" and key == KEYS[0]:
                where |= {"response_content_type": "text/x-a b", "response_cache_control": "no-cache"}
            urls = [pair.theirs.presign(operation, 900, **where)]
            if pair.can("presigned as ours"):
                urls = same_second(pair, operation, where)
                left, right = [parts_of(url, pair.can("presigned addresses")) for url in urls]
                names = sorted({*left, *right})
                found = [f"{name}: theirs {left.get(name)}, ours {right.get(name)}" for name in names]
                found = [one for one, name in zip(found, names) if left.get(name) != right.get(name)]
                pair.check(operation, f"presigned {key!r}", len(names), found)
            if method == "PUT" or not pair.can("presigned addresses"):
                continue
            pair.setup("PutObject", bucket=main, key=key, body=key.encode())
            due = (200, key.encode() if method == "GET" else b"")
            answers = [pair.fetch(method, url) for url in urls]
            found = [str(answer) for answer in answers if answer != due]
            pair.check(operation, f"presigned {key!r}, fetched", 2 * len(answers), found)


def same_second(pair, operation, where):
    for _ in range(5):
        theirs = pair.theirs.presign(operation, 900, **where)
        body = {"body": b""} if operation == "PutObject" else {}
        # Theirs may count the seconds from the next one.
        seconds = int(parts_of(theirs)["x-oss-expires"][0])
        ours = pair.ours.call(operation, presign=seconds, **where, **body)
        if parts_of(theirs).get(DATE) == parts_of(ours).get(DATE):
            break
    return theirs, ours


def parts_of(url, with_address=True):
    split = urllib.parse.urlsplit(url)
    query = urllib.parse.parse_qs(split.query, keep_blank_values=True)
    if not with_address:
        return query
    return {"authority": split.netloc, "path": urllib.parse.unquote(split.path), **query}


def errors(pair, main):
    where = {"bucket": main, "key": "nothing"}
    pair.both("GetObject", "no such key", want="NoSuchKey", **where)
    pair.both("HeadObject", "no such key", want="NoSuchKey", **where)
    absent = pair.bucket("absent")
    pair.both("GetObject", "no such bucket", bucket=absent, key="k", want="NoSuchBucket")
    pair.both("HeadObject", "no such bucket", bucket=absent, key="k", want="NoSuchBucket")
    pair.both("PutObject", "no such bucket", bucket=absent, key="k", body=b"x", want="NoSuchBucket")
    pair.both("ListObjectsV2", "no such bucket", bucket=absent, want="NoSuchBucket")
    pair.both(
        "DeleteMultipleObjects", "no such bucket", bucket=absent, delete=(["k"], False), want="NoSuchBucket"
    )
    who = {"bucket": main, "prefix": "headers"}
    if pair.can("token"):
        pair.both("ListObjectsV2", "with a temporary key", identity="token", **who)
        pair.both(
            "ListObjectsV2",
            "with a temporary key that is over",
            identity="expired",
            want="SecurityTokenExpired",
            **who,
        )
    pair.both("ListObjectsV2", "wrong secret", identity="wrong-secret", want="SignatureDoesNotMatch", **who)
    pair.both("ListObjectsV2", "unknown key id", identity="unknown-id", want="InvalidAccessKeyId", **who)
    pair.both(
        "HeadObject",
        "wrong secret",
        identity="wrong-secret",
        bucket=main,
        key="large",
        want="SignatureDoesNotMatch",
    )
    if pair.can("anonymous"):
        pair.both(
            "GetObject", "anonymous", identity="anonymous", bucket=main, key="large", want="AccessDenied"
        )
        public = pair.bucket("public")
        pair.setup("PutBucket", bucket=public, acl="public-read")
        pair.setup("PutObject", bucket=public, key="free for all", body=b"free")
        pair.both(
            "GetObject",
            "anonymous, public",
            identity="anonymous",
            bucket=public,
            key="free for all",
            content=b"free",
        )
        pair.both(
            "PutObject",
            "anonymous, public to read",
            identity="anonymous",
            bucket=public,
            key="k",
            body=b"x",
            want="AccessDenied",
        )
    pair.both(
        "ListObjectsV2", "page size beyond the limit", bucket=main, max_keys=1001, want="InvalidArgument"
    )
