"""What both clients do with the rest of the basic families: lists, versions, appends, links, tags."""

import json

from pair import ANY
from scenes import KEYS, same


def all_scenes(pair):
    main = pair.bucket("more")
    pair.setup("PutBucket", bucket=main)
    service(pair)
    settings(pair, main)
    lists(pair, pair.bucket("lists"))
    acls(pair, main)
    appends(pair, main)
    links(pair, main)
    tags(pair, main)
    restores(pair, main)
    uploads(pair, main)
    if pair.can("callbacks"):
        callbacks(pair, main)
    versions(pair, pair.bucket("versions"))
    if pair.can("processing"):
        # Not emulated: what counts is that both are refused alike.
        where = {"bucket": main, "key": "acl", "want": "NotImplemented"}
        pair.both("ProcessObject", "an image", process="image/resize,w_100", **where)
        pair.both("AsyncProcessObject", "a video", process="video/convert", **where)


def service(pair):
    pair.both("DescribeRegions", "all")
    pair.both("ListCloudBoxes", "all", want=ANY)


def settings(pair, main):
    where = {"bucket": main}
    pair.both("GetBucketLocation", "", **where)
    for acl in ("public-read", "public-read-write", "private"):
        pair.both("PutBucketAcl", acl, acl=acl, **where)
        pair.both("GetBucketAcl", acl, **where)
    pair.both("PutBucketAcl", "no such acl", acl="everybody", want="InvalidArgument", **where)
    for payer in ("Requester", "BucketOwner"):
        pair.both("PutBucketRequestPayment", payer, configuration={"Payer": payer}, **where)
        pair.both("GetBucketRequestPayment", payer, **where)
    pair.setup("PutObject", key="stat", body=b"12345", **where)
    pair.setup("PutObject", key="stat-ia", body=b"123", storage_class="IA", **where)
    pair.both("GetBucketStat", "", **where)
    gone = {"bucket": pair.bucket("absent"), "want": "NoSuchBucket"}
    for operation in (
        "GetBucketLocation",
        "GetBucketAcl",
        "GetBucketStat",
        "GetBucketVersioning",
        "ListObjects",
    ):
        pair.both(operation, "no such bucket", **gone)


def lists(pair, bucket):
    where = {"bucket": bucket}
    pair.both("ListObjects", "all", **where)
    pair.both("ListObjects", "prefix and delimiter", prefix="b/", delimiter="/", **where)
    pair.both("ListObjects", "delimiter", delimiter="/", **where)
    pair.both("ListObjects", "after", marker="a/1", max_keys=3, **where)
    pair.both("ListObjects", "none", prefix="zzz", **where)
    marker, seen = None, []
    for page in range(1, 30):
        options = {} if marker is None else {"marker": marker}
        _, right = pair.both("ListObjects", f"page {page} of 4", max_keys=4, **options, **where)
        seen += [entry["key"][0] for entry in right.fields["contents"]]
        if right.fields["istruncated"] != ["true"]:
            break
        marker = right.fields["nextmarker"][0]
    if pair.has("ListObjects"):
        whole = pair.ours.call("ListObjects", max_keys=1000, **where).fields["contents"]
        pair.check(
            "ListObjects", "the pages hold every key once", *same(seen, [one["key"][0] for one in whole])
        )


def acls(pair, main):
    where = {"bucket": main, "key": "acl"}
    pair.setup("PutObject", body=b"a", **where)
    pair.both("GetObjectAcl", "default", **where)
    for acl in ("public-read", "private", "default"):
        pair.both("PutObjectAcl", acl, acl=acl, **where)
        pair.both("GetObjectAcl", acl, **where)
    pair.both("GetObjectMeta", "", **where)
    nothing = {"bucket": main, "key": "nothing", "want": "NoSuchKey"}
    pair.both("GetObjectAcl", "no such key", **nothing)
    pair.both("PutObjectAcl", "no such key", acl="private", **nothing)
    pair.both("GetObjectMeta", "no such key", **nothing)


def appends(pair, main):
    for key in ("append.log", "追加/a b+c%.log"):
        theirs, ours = {"bucket": main, "key": key}, {"key": f"o-{key}"}
        detail = repr(key)
        more = {"metadata": {"a": "1"}, "content_type": "text/x-log"}
        pair.both("AppendObject", f"begin {detail}", position=0, body=b"first ", ours=ours, **theirs, **more)
        pair.both("AppendObject", f"go on {detail}", position=6, body=b"second", ours=ours, **theirs)
        pair.both(
            "AppendObject",
            f"wrong place {detail}",
            position=6,
            body=b"x",
            want="PositionNotEqualToLength",
            **theirs,
        )
        for name in (key, ours["key"]):
            pair.both("HeadObject", f"of {name!r}, appended", bucket=main, key=name)
            pair.both("GetObject", f"of {name!r}, appended", bucket=main, key=name, content=b"first second")
    pair.setup("PutObject", bucket=main, key="normal", body=b"n")
    refused = {"bucket": main, "key": "normal", "position": 1, "body": b"x", "want": "ObjectNotAppendable"}
    pair.both("AppendObject", "to a normal object", **refused)
    where = {"bucket": main, "key": "append.log"}
    pair.both(
        "SealAppendObject",
        "",
        position=12,
        ours={"key": "o-append.log"},
        vague=("x-oss-sealed-time",),
        **where,
    )
    pair.both("HeadObject", "sealed", **where)


def links(pair, main):
    for key in KEYS:
        pair.setup("PutObject", bucket=main, key=key, body=key.encode())
        where = {"bucket": main, "key": "link"}
        pair.both("PutSymlink", f"to {key!r}", target=key, **where)
        left, right = pair.both("GetSymlink", f"to {key!r}", **where)
        found = [f"{one.fields}" for one in (left, right) if one.fields["x-oss-symlink-target"] != [key]]
        if pair.has("GetSymlink"):
            pair.check("GetSymlink", f"to {key!r}, decoded", 2, found)
        pair.both("GetObject", f"through a link to {key!r}", content=key.encode(), **where)
    pair.both("HeadObject", "through a link", bucket=main, key="link")
    pair.both("PutSymlink", "to nothing", bucket=main, key="dangling", target="nothing at all")
    pair.both(
        "GetObject", "through a link to nothing", bucket=main, key="dangling", want="SymlinkTargetNotExist"
    )
    pair.both("GetSymlink", "of a normal object", bucket=main, key="normal", want="NotSymlink")
    pair.both("GetSymlink", "no such key", bucket=main, key="nothing", want="NoSuchKey")
    again = {"bucket": main, "key": "link", "target": "acl", "forbid_overwrite": True}
    pair.both("PutSymlink", "forbidden to overwrite", want="FileAlreadyExists", **again)


def tags(pair, main):
    where = {"bucket": main, "key": "tagged"}
    pair.setup("PutObject", body=b"t", **where)
    pair.both("GetObjectTagging", "none", **where)
    last = {"empty": ""} if pair.can("empty tags") else {}
    for some in ({"k": "v"}, {"a b": "c+d", "e=f": "g:h", **last}):
        pair.both("PutObjectTagging", str(some), tagging=some, **where)
        pair.both("GetObjectTagging", str(some), **where)
        pair.both("HeadObject", f"tagged {some}", **where)
    many = {f"k{number}": "v" for number in range(11)}
    if pair.can("many tags"):
        pair.both("PutObjectTagging", "too many", tagging=many, want=400, **where)
    pair.both("DeleteObjectTagging", "", **where)
    pair.both("GetObjectTagging", "deleted", **where)
    pair.both("GetObjectTagging", "no such key", bucket=main, key="nothing", want="NoSuchKey")


def restores(pair, main):
    archive = {"bucket": main, "key": "archived"}
    pair.setup("PutObject", body=b"a", storage_class="Archive", **archive)
    pair.setup("PutObject", bucket=main, key="o-archived", body=b"a", storage_class="Archive")
    pair.both("GetObject", "archived", want="InvalidObjectState", **archive)
    pair.both("HeadObject", "archived", **archive)
    pair.both("RestoreObject", "for 3 days", restore=(3, None), ours={"key": "o-archived"}, **archive)
    pair.both("HeadObject", "being restored", **archive)
    # What a second one is answered with depends on how far the first one is.
    pair.both("RestoreObject", "again", restore=(3, None), want=ANY, ours={"key": "o-archived"}, **archive)
    pair.both("RestoreObject", "not archived", bucket=main, key="normal", restore=(1, None), want=400)
    cold = {"bucket": main, "key": "cold"}
    pair.setup("PutObject", body=b"a", storage_class="ColdArchive", **cold)
    pair.setup("PutObject", bucket=main, key="o-cold", body=b"a", storage_class="ColdArchive")
    pair.both("RestoreObject", "cold, expedited", restore=(2, "Expedited"), ours={"key": "o-cold"}, **cold)
    pair.both("HeadObject", "cold, being restored", **cold)
    pair.both("CleanRestoredObject", "", want=ANY, **archive)


def uploads(pair, main):
    bucket = pair.bucket("uploads")
    pair.setup("PutBucket", bucket=bucket)
    everything = {"bucket": bucket}
    opened = []
    for key in ("a", "a", "b/1", "b/2", "c d+e%", "目录/文件"):
        opened.append(
            (key, pair.setup("InitiateMultipartUpload", key=key, **everything).fields["uploadid"][0])
        )
    pair.both("ListMultipartUploads", "all", **everything)
    pair.both("ListMultipartUploads", "prefix", prefix="b/", **everything)
    pair.both("ListMultipartUploads", "delimiter", delimiter="/", **everything)
    marker = {}
    for page in range(1, 10):
        _, right = pair.both(
            "ListMultipartUploads", f"page {page} of 2", max_uploads=2, **marker, **everything
        )
        if right.fields["istruncated"] != ["true"]:
            break
        marker = {
            "key_marker": right.fields["nextkeymarker"][0],
            "upload_id_marker": right.fields["nextuploadidmarker"][0],
        }
    source = bytes(range(256)) * 1024
    pair.setup("PutObject", bucket=main, key="源/a b+c%.bin", body=source)
    key, upload = opened[0]
    where = {"bucket": bucket, "key": key, "upload_id": upload, "source": (main, "源/a b+c%.bin")}
    time = ("lastmodified",)
    pair.both("UploadPartCopy", "a range", part_number=1, range="bytes=0-102399", vague=time, **where)
    pair.both("UploadPartCopy", "whole", part_number=2, vague=time, **where)
    pair.both("UploadPartCopy", "if it is another", part_number=2, if_match='"0"', want=412, **where)
    part = {"bucket": bucket, "key": key, "upload_id": upload}
    _, right = pair.both("ListParts", "copied", **part)
    parts = [(int(one["partnumber"][0]), one["etag"][0]) for one in right.fields["part"]]
    pair.setup("CompleteMultipartUpload", parts=parts, **part)
    pair.both("GetObject", "of copied parts", bucket=bucket, key=key, content=source[:102400] + source)
    nothing = {**where, "source": (main, "nothing"), "upload_id": opened[1][1]}
    pair.both("UploadPartCopy", "no source", part_number=1, want="NoSuchKey", **nothing)


def callbacks(pair, main):
    wish = {
        "callback": {
            "url": "http://application.example/told",
            "body": "key=${object}&size=${size}&mine=${x:mine}",
        },
        "callback_var": {"x:mine": "a b"},
    }
    where = {"bucket": main, "key": "called back"}
    sides = pair.both("PutObject", "with a callback", body=b"12345", vague=("callback",), **where, **wish)
    upload = pair.setup("InitiateMultipartUpload", **where).fields["uploadid"][0]
    part = {"upload_id": upload, "part_number": 1, "body": b"12345"}
    parts = [(1, pair.setup("UploadPart", **part, **where).fields["etag"][0])]
    other = pair.setup("InitiateMultipartUpload", **where).fields["uploadid"][0]
    pair.setup("UploadPart", **{**part, "upload_id": other}, **where)
    done = {"upload_id": upload, "parts": parts, "ours": {"upload_id": other}}
    sides += pair.both("CompleteMultipartUpload", "with a callback", vague=("body",), **done, **where, **wish)
    told = []
    for name, side in zip(("callback", "callback", "body", "body"), sides):
        text = side.fields[name][0]
        told.append(json.loads(text if text.startswith("{") else bytes.fromhex(text)))
    due = {"url": "http://application.example/told", "told": "key=called%20back&size=5&mine=a%20b"}
    found = [f"{one} is not {due}" for one in told if one != due]
    pair.check("PutObject", "what the application was told", len(told), found)
    wish["callback"]["url"] = "http://application.example/out-of-order"
    pair.alone("PutObject", "with a callback that fails", want=203, body=b"123", **where, **wish)
    failed = pair.ours.call("PutObject", body=b"123", **where, **wish)
    found = [] if failed.error and failed.error["status"] == 203 else [str(failed)]
    pair.check("PutObject", "with a callback that fails, ours", 1, found)
    pair.both("GetObject", "stored although the callback failed", content=b"123", **where)


def versions(pair, bucket):
    where = {"bucket": bucket}
    version = ("x-oss-version-id",)
    pair.setup("PutBucket", **where)
    pair.both("GetBucketVersioning", "never on", **where)
    pair.both("PutBucketVersioning", "on", configuration={"Status": "Enabled"}, **where)
    pair.both("GetBucketVersioning", "on", **where)
    if pair.can("wrong words"):
        pair.both("PutBucketVersioning", "wrong", configuration={"Status": "Off"}, want=400, **where)
    key = {"bucket": bucket, "key": "版本/v.txt"}
    ids = []
    for number in (1, 2):
        body = f"version {number}".encode()
        left, right = pair.both("PutObject", f"version {number}", body=body, vague=version, **key)
        ids += [one.fields["x-oss-version-id"][0] for one in (left, right)]
    for index, id in enumerate(ids):
        content = f"version {index // 2 + 1}".encode()
        pair.both("GetObject", f"version {index}", version_id=id, content=content, **key)
        pair.both("HeadObject", f"version {index}", version_id=id, **key)
    pair.both("GetObjectMeta", "of a version", version_id=ids[0], **key)
    pair.both("PutObjectAcl", "of a version", version_id=ids[0], acl="private", **key)
    pair.both("GetObjectAcl", "of a version", version_id=ids[0], **key)
    pair.both("PutObjectTagging", "of a version", version_id=ids[0], tagging={"v": "1"}, **key)
    pair.both("GetObjectTagging", "of a version", version_id=ids[0], **key)
    pair.both("DeleteObjectTagging", "of a version", version_id=ids[0], **key)
    pair.both("PutSymlink", "a version", bucket=bucket, key="link", target="版本/v.txt", vague=version)
    source = (bucket, "版本/v.txt", ids[0])
    vague = (*version, "lastmodified")
    pair.both("CopyObject", "of a version", bucket=bucket, key="copy", source=source, vague=vague)
    pair.both("GetObject", "of the copy of a version", bucket=bucket, key="copy", content=b"version 1")
    pair.both("DeleteObject", "makes a marker", vague=version, **key)
    pair.both("GetObject", "marked", want="NoSuchKey", **key)
    pair.both("HeadObject", "marked", want=404, **key)
    pair.both("ListObjectVersions", "all", **where)
    pair.both("ListObjectVersions", "prefix", prefix="版本/", **where)
    pair.both("ListObjectVersions", "delimiter", delimiter="/", **where)
    marker, seen = {}, 0
    for page in range(1, 20):
        _, right = pair.both("ListObjectVersions", f"page {page} of 3", max_keys=3, **marker, **where)
        seen += len(right.fields["version"]) + len(right.fields["deletemarker"])
        if right.fields["istruncated"] != ["true"]:
            break
        marker = {
            "key_marker": right.fields["nextkeymarker"][0],
            "version_id_marker": right.fields["nextversionidmarker"][0],
        }
    all_of_them = pair.ours.call("ListObjectVersions", max_keys=1000, **where).fields
    due = len(all_of_them["version"]) + len(all_of_them["deletemarker"])
    if pair.has("ListObjectVersions"):
        pair.check("ListObjectVersions", "the pages hold every version once", *same(seen, due))
    marker, other = [one["versionid"][0] for one in all_of_them["deletemarker"]]
    pair.both("GetObject", "a marker by its version", version_id=marker, want="MethodNotAllowed", **key)
    pair.both("GetObject", "no such version", version_id="CAEQNhiBgICAgICAgIAiIDAwMDAwMDAw", want=404, **key)
    pair.both(
        "DeleteObject", "versions", version_id=ids[0], ours={"version_id": ids[1]}, vague=version, **key
    )
    pair.both("DeleteObject", "a marker", version_id=marker, ours={"version_id": other}, vague=version, **key)
    pair.both("GetObject", "without its marker", content=b"version 2", **key)
    chosen = [("版本/v.txt", ids[2]), ("版本/v.txt", ids[3])]
    pair.both("DeleteMultipleObjects", "versions", delete=(chosen, False), **where)
    marks = ("deletemarkerversionid",)
    pair.both("DeleteMultipleObjects", "makes a marker", delete=(["copy"], False), vague=marks, **where)
    pair.both("ListObjectVersions", "after deletions", **where)
    pair.both("PutBucketVersioning", "suspended", configuration={"Status": "Suspended"}, **where)
    pair.both("GetBucketVersioning", "suspended", **where)
    pair.both("PutObject", "the null version", body=b"null", **key)
    pair.both("GetObject", "the null version", version_id="null", content=b"null", **key)
    pair.both("DeleteObject", "of the null version", **key)
    pair.both("ListObjectVersions", "suspended", **where)
    pair.both("GetBucketInfo", "suspended", **where)
    pair.both("GetBucketStat", "with versions", **where)
