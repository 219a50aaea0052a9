"""What the clients build of the operations: parallel uploads, downloads in parts, iterators, files, forms."""

import base64
import datetime
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import tempfile

import alibabacloud_oss_v2 as oss
import oss2

from client_js import AliOss
from client_oss2 import Oss2
from client_v2 import V2

BODY = b"".join(hashlib.sha256(str(number).encode()).digest() for number in range(20_000))
PART = 102_400


def all_scenes(pair):
    bucket = pair.bucket("managers")
    pair.setup("PutBucket", bucket=bucket)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "up.bin").write_bytes(BODY)
        for kind, scenes in ((V2, v2), (Oss2, oss2_scenes), (AliOss, ali_oss)):
            if type(pair.theirs) is kind:
                scenes(pair, bucket, folder)
    if type(pair.theirs) is V2:
        forms(pair, bucket)


def written(pair, name, bucket, key, body=BODY):
    """What theirs wrote is what ours reads."""
    read = pair.ours.call("GetObject", bucket=bucket, key=key)
    found = [] if read.content == body else [f"{len(body)} bytes were written, ours reads {read}"]
    pair.check(name, repr(key), 1, found)


def equal(pair, name, detail, one, other):
    pair.check(name, detail, 1, [] if one == other else [f"{one!r} is not {other!r}"])


def v2(pair, bucket, folder):
    client, up, down = pair.theirs.clients["main"], folder / "up.bin", folder / "down.bin"
    for key in ("大/upload 1+%.bin", "plain.bin"):
        request = oss.PutObjectRequest(bucket=bucket, key=key)
        client.uploader(part_size=PART, parallel_num=3).upload_file(request, str(up))
        written(pair, "Uploader", bucket, key)
        client.downloader(part_size=PART, parallel_num=3).download_file(
            oss.GetObjectRequest(bucket=bucket, key=key), str(down)
        )
        equal(pair, "Downloader", repr(key), down.read_bytes() == BODY, True)
    resumed = {"part_size": PART, "enable_checkpoint": True, "checkpoint_dir": str(folder)}
    client.uploader(**resumed).upload_file(oss.PutObjectRequest(bucket=bucket, key="checkpoint"), str(up))
    written(pair, "Uploader", bucket, "checkpoint")
    copier = client.copier(part_size=PART, multipart_copy_threshold=PART, disable_shallow_copy=True)
    copier.copy(
        oss.CopyObjectRequest(bucket=bucket, key="copied", source_bucket=bucket, source_key="plain.bin")
    )
    written(pair, "Copier", bucket, "copied")
    with client.append_file(bucket, "appended") as file:
        for part in (b"one ", b"two ", b"three"):
            file.write(part)
    written(pair, "AppendOnlyFile", bucket, "appended", b"one two three")
    with client.open_file(bucket, "plain.bin") as file:
        file.seek(1000)
        equal(pair, "ReadOnlyFile", "from the middle", file.read(5000), BODY[1000:6000])
    client.put_object_from_file(oss.PutObjectRequest(bucket=bucket, key="from file"), str(up))
    written(pair, "put_object_from_file", bucket, "from file")
    client.get_object_to_file(oss.GetObjectRequest(bucket=bucket, key="from file"), str(down))
    equal(pair, "get_object_to_file", "", down.read_bytes() == BODY, True)
    for key, is_there in (("plain.bin", True), ("nothing", False)):
        equal(pair, "is_object_exist", key, client.is_object_exist(bucket, key), is_there)
    for name, is_there in ((bucket, True), (pair.bucket("absent"), False)):
        equal(pair, "is_bucket_exist", name.removeprefix(pair.prefix), client.is_bucket_exist(name), is_there)
    pages = client.list_objects_v2_paginator(limit=2).iter_page(oss.ListObjectsV2Request(bucket=bucket))
    equal(
        pair,
        "ListObjectsV2Paginator",
        "",
        [one.key for page in pages for one in page.contents],
        keys(pair, bucket),
    )
    pages = client.list_objects_paginator(limit=2).iter_page(oss.ListObjectsRequest(bucket=bucket))
    equal(
        pair,
        "ListObjectsPaginator",
        "",
        [one.key for page in pages for one in page.contents],
        keys(pair, bucket),
    )
    pages = client.list_object_versions_paginator(limit=2).iter_page(
        oss.ListObjectVersionsRequest(bucket=bucket)
    )
    equal(
        pair,
        "ListObjectVersionsPaginator",
        "",
        [one.key for page in pages for one in page.version],
        keys(pair, bucket),
    )
    pages = client.list_buckets_paginator(limit=1).iter_page(oss.ListBucketsRequest(prefix=pair.prefix))
    mine = pair.ours.call("ListBuckets", prefix=pair.prefix, max_keys=1000).fields["buckets"][0]["bucket"]
    theirs = [one.name for page in pages for one in page.buckets]
    equal(pair, "ListBucketsPaginator", "", theirs, [one["name"][0] for one in mine])


def oss2_scenes(pair, bucket, folder):
    client, up, down = pair.theirs._bucket(bucket, "main"), folder / "up.bin", folder / "down.bin"
    service = pair.theirs._service("main")
    store = {"store": oss2.ResumableStore(root=str(folder))}
    for key in ("大/upload 1+%.bin", "plain.bin"):
        oss2.resumable_upload(
            client, key, str(up), multipart_threshold=PART, part_size=PART, num_threads=2, **store
        )
        written(pair, "resumable_upload", bucket, key)
        down.unlink(missing_ok=True)
        store_down = oss2.ResumableDownloadStore(root=str(folder))
        options = {"multiget_threshold": PART, "part_size": PART, "num_threads": 2, "store": store_down}
        oss2.resumable_download(client, key, str(down), **options)
        equal(pair, "resumable_download", repr(key), down.read_bytes() == BODY, True)
    client.put_object_from_file("from file", str(up))
    written(pair, "put_object_from_file", bucket, "from file")
    client.get_object_to_file("from file", str(down))
    equal(pair, "get_object_to_file", "", down.read_bytes() == BODY, True)
    first = client.append_object("appended", 0, b"one ", init_crc=0)
    client.append_object("appended", first.next_position, b"two", init_crc=first.crc)
    written(pair, "append_object", bucket, "appended", b"one two")
    client.put_object("chunked", iter([b"part ", b"by ", b"part"]))
    written(pair, "put_object", bucket, "chunked", b"part by part")
    for key, is_there in (("plain.bin", True), ("nothing", False)):
        equal(pair, "object_exists", key, client.object_exists(key), is_there)
    client.update_object_meta("from file", {"x-oss-meta-new": "1"})
    head = pair.ours.call("HeadObject", bucket=bucket, key="from file").fields
    equal(pair, "update_object_meta", "", head["x-oss-meta-"], [{"new": ["1"]}])
    listed = [one.key for one in oss2.ObjectIteratorV2(client, max_keys=2)]
    equal(pair, "ObjectIteratorV2", "", listed, keys(pair, bucket))
    listed = [one.key for one in oss2.ObjectIterator(client, max_keys=2)]
    equal(pair, "ObjectIterator", "", listed, keys(pair, bucket))
    mine = pair.ours.call("ListBuckets", prefix=pair.prefix, max_keys=1000).fields["buckets"][0]["bucket"]
    listed = [one.name for one in oss2.BucketIterator(service, prefix=pair.prefix, max_keys=1)]
    equal(pair, "BucketIterator", "", listed, [one["name"][0] for one in mine])
    url = client.sign_url("PUT", "by url", 60, slash_safe=True)
    client.put_object_with_url(url, b"by url")
    written(pair, "put_object_with_url", bucket, "by url", b"by url")


def ali_oss(pair, bucket, folder):
    up = str(folder / "up.bin")
    for key in ("大/upload 1+%.bin", "plain.bin"):
        pair.theirs.ask("multipartUpload", bucket, key, up, {"partSize": PART, "parallel": 2})
        written(pair, "multipartUpload", bucket, key)
    pair.theirs.ask("put", bucket, "from file", up)
    written(pair, "put", bucket, "from file")
    source = {"sourceKey": "plain.bin", "sourceBucketName": bucket}
    pair.theirs.ask("multipartUploadCopy", bucket, "copied", source, {"partSize": PART})
    written(pair, "multipartUploadCopy", bucket, "copied")
    pair.theirs.ask("putMeta", bucket, "from file", {"new": "1"})
    head = pair.ours.call("HeadObject", bucket=bucket, key="from file").fields
    equal(pair, "putMeta", "", head["x-oss-meta-"], [{"new": ["1"]}])
    down = folder / "down.bin"
    pair.theirs.ask("get", bucket, "plain.bin", str(down))
    equal(pair, "get", "", down.read_bytes() == BODY, True)


def keys(pair, bucket):
    listed = pair.ours.call("ListObjectsV2", bucket=bucket, max_keys=1000).fields["contents"]
    return [one["key"][0] for one in listed]


def forms(pair, bucket):
    """A form of a browser, signed as the vendor's sample for Python signs it (V4)."""
    key = pair.ours.identities["main"]
    now = datetime.datetime.now(datetime.timezone.utc)
    day, moment = now.strftime("%Y%m%d"), now.strftime("%Y%m%dT%H%M%SZ")
    credential = f"{key['id']}/{day}/{pair.ours.region}/oss/aliyun_v4_request"
    fields = {
        "x-oss-signature-version": "OSS4-HMAC-SHA256",
        "x-oss-credential": credential,
        "x-oss-date": moment,
    }
    conditions = [{"bucket": bucket}, *({name: value} for name, value in fields.items())]
    conditions.append(["content-length-range", 1, 1000])
    expiration = (now + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    policy = base64.b64encode(
        json.dumps({"expiration": expiration, "conditions": conditions}).encode()
    ).decode()
    secret = f"aliyun_v4{key['secret']}".encode()
    for part in (day, pair.ours.region, "oss", "aliyun_v4_request"):
        secret = hmac.new(secret, part.encode(), hashlib.sha256).digest()
    fields |= {"policy": policy, "key": "form/中文 a+b.txt"}
    fields["x-oss-signature"] = hmac.new(secret, policy.encode(), hashlib.sha256).hexdigest()
    for detail, content, due in (("accepted", b"of a form", 204), ("too long", b"x" * 1001, 400)):
        equal(pair, "PostObject", detail, post(pair, bucket, fields, content), due)
    written(pair, "PostObject", bucket, fields["key"], b"of a form")
    broken = {**fields, "x-oss-signature": "0" * 64}
    equal(pair, "PostObject", "wrong signature", post(pair, bucket, broken, b"x"), 403)


def post(pair, bucket, fields, content):
    edge = os.urandom(12).hex()
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n'
    head += "Content-Type: text/plain\r\n\r\n"
    body = "".join(parts).encode() + head.encode() + content + f"\r\n--{edge}--\r\n".encode()
    connection = http.client.HTTPConnection(pair.ours.endpoint.removeprefix("http://"), timeout=20)
    try:
        headers = {"Content-Type": f"multipart/form-data; boundary={edge}"}
        connection.request("POST", f"/{bucket}/", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()
