"""What `alibabacloud-oss-v2` does with the configuration of a bucket, beside the documents as ours has them.

Ours reads through `Raw`: its tables have no operations for them yet.
"""

import json
import xml.etree.ElementTree as ElementTree

import alibabacloud_oss_v2 as oss

from client_v2 import fields_of, snake
from compare import Outcome, of_element
from pair import ANY, expected

# The name of the operations, the sub-resource, the document in the names of the wire.
DOCUMENTS = [
    (
        "BucketLifecycle",
        "lifecycle",
        {
            "Rule": [
                {
                    "ID": "r1",
                    "Prefix": "log/",
                    "Status": "Enabled",
                    "Expiration": {"Days": 30},
                    "Transition": [{"Days": 10, "StorageClass": "IA"}],
                    "Tag": [{"Key": "k", "Value": "v"}],
                },
                {"ID": "r2", "Prefix": "", "Status": "Disabled", "AbortMultipartUpload": {"Days": 7}},
            ]
        },
    ),
    (
        "BucketCors",
        "cors",
        {
            "CORSRule": [
                {
                    "AllowedOrigin": ["http://a.example", "http://b.example"],
                    "AllowedMethod": ["GET", "PUT"],
                    "AllowedHeader": "*",
                    "ExposeHeader": ["etag", "x-oss-test"],
                    "MaxAgeSeconds": 100,
                }
            ],
            "ResponseVary": False,
        },
    ),
    (
        "BucketWebsite",
        "website",
        {
            "IndexDocument": {"Suffix": "index.html", "SupportSubDir": True, "Type": 0},
            "ErrorDocument": {"Key": "error.html", "HttpStatus": 404},
        },
    ),
    (
        "BucketTags",
        "tagging",
        {"TagSet": {"Tag": [{"Key": "a b", "Value": "中文"}, {"Key": "k", "Value": "v"}]}},
    ),
    ("BucketEncryption", "encryption", {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}),
    (
        "BucketReferer",
        "referer",
        {
            "AllowEmptyReferer": True,
            "RefererList": {"Referer": ["http://www.example.com", "https://*.example.com"]},
        },
    ),
    ("BucketLogging", "logging", {"LoggingEnabled": {"TargetBucket": "BUCKET", "TargetPrefix": "log/"}}),
    ("BucketHttpsConfig", "httpsConfig", {"TLS": {"Enable": True, "TLSVersion": ["TLSv1.2", "TLSv1.3"]}}),
    ("BucketTransferAcceleration", "transferAcceleration", {"Enabled": True}),
    ("BucketAccessMonitor", "accessmonitor", {"Status": "Enabled"}),
    ("BucketArchiveDirectRead", "bucketArchiveDirectRead", {"Enabled": True}),
    ("BucketPublicAccessBlock", "publicAccessBlock", {"BlockPublicAccess": True}),
]
POLICY = {
    "Version": "1",
    "Statement": [
        {
            "Action": ["oss:GetObject"],
            "Effect": "Allow",
            "Principal": ["*"],
            "Resource": ["acs:oss:*:*:BUCKET/*"],
        }
    ],
}


def all_scenes(pair):
    bucket = pair.bucket("documents")
    pair.setup("PutBucket", bucket=bucket)
    for name, sub, document in DOCUMENTS:
        document = json.loads(json.dumps(document).replace("BUCKET", bucket))
        read(pair, bucket, name, sub, "at first", ANY)
        call(pair, f"Put{name}", "", bucket, document)
        read(pair, bucket, name, sub, "as it was put", None)
        pair.both("GetBucketInfo", f"with {name}", bucket=bucket)
        if hasattr(oss.Client, snake(f"Delete{name}")):
            call(pair, f"Delete{name}", "", bucket)
            read(pair, bucket, name, sub, "deleted", ANY)
    policies(pair, bucket)


def read(pair, bucket, name, sub, detail, want):
    """Theirs reads a document through its model, ours as it is."""
    operation = f"Get{name}"
    left = run(pair, operation, bucket)
    right = pair.ours.call("Raw", method="GET", bucket=bucket, query={sub: ""})
    if right.content is not None:
        root = ElementTree.fromstring(right.content.decode())
        # In their models the root of the document is a field, too.
        right.fields = {root.tag.lower(): [of_element(root)]}
    left.content = right.content
    count, found = pair.compare(left, right, ())
    more, wrong = expected(left, want, None)
    pair.check(operation, detail, count + more, found + wrong)


def call(pair, operation, detail, bucket, document=None):
    count, found = expected(run(pair, operation, bucket, document), None, None)
    pair.check(operation, detail, count, found)


def policies(pair, bucket):
    text = json.dumps(POLICY).replace("BUCKET", bucket)
    client = pair.theirs.clients["main"]
    client.put_bucket_policy(oss.PutBucketPolicyRequest(bucket=bucket, body=text))
    pair.check("PutBucketPolicy", "", 1, [])
    theirs = json.loads(client.get_bucket_policy(oss.GetBucketPolicyRequest(bucket=bucket)).body)
    ours = json.loads(pair.ours.call("Raw", method="GET", bucket=bucket, query={"policy": ""}).content)
    found = [] if theirs == ours == json.loads(text) else [f"put {text}, theirs {theirs}, ours {ours}"]
    pair.check("GetBucketPolicy", "", 2, found)
    client.delete_bucket_policy(oss.DeleteBucketPolicyRequest(bucket=bucket))
    gone = pair.ours.call("Raw", method="GET", bucket=bucket, query={"policy": ""})
    pair.check("DeleteBucketPolicy", "", *expected(gone, "NoSuchBucketPolicy", None))


def run(pair, operation, bucket, document=None):
    request = getattr(oss, f"{operation}Request")(bucket=bucket)
    if document is not None:
        for name, description in request._attribute_map.items():
            if description.get("position") == "body":
                setattr(request, name, model(getattr(oss, description["rename"])(), document))
    try:
        result = getattr(pair.theirs.clients["main"], snake(operation))(request)
    except oss.exceptions.OperationError as error:
        error = error.unwrap()
        names = ("code", "message", "request_id", "ec")
        told = {name: getattr(error, name) for name in names} | {"status": error.status_code}
        return Outcome(status=error.status_code, error=told)
    return Outcome(fields=fields_of(result), status=result.status_code, headers=dict(result.headers))


def model(instance, document):
    """Fills their model with a document."""
    for name, description in instance._attribute_map.items():
        value = document.get(description.get("rename"))
        if value is None:
            continue
        kind = description.get("type", "").split(",")[0]
        values = [
            filled(instance, kind.strip("[]"), one) for one in (value if isinstance(value, list) else [value])
        ]
        setattr(instance, name, values if kind.startswith("[") or isinstance(value, list) else values[0])
    return instance


def filled(above, kind, value):
    if not isinstance(value, dict):
        return value
    new = above._dependency_map.get(kind, {}).get("new")
    return model(new() if new else getattr(oss, kind)(), value)
