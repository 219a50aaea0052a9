//! What signing is measured with: the times of the bench, the instructions and the allocations.

use core::time::Duration;

use oss_sign::{
    AccessKey, Request, Resource, Scope, Scratch, Signed, SigningKey, UnixTime, presign_query, sign_headers,
};

/// A name, the request, and how it is signed.
pub(crate) const SIGNATURES: &[(&str, Request<'static>, Sign)] = &[
    ("put_object/headers", PUT_OBJECT, headers),
    ("put_object/query", PUT_OBJECT, query),
    ("list_objects_v2/headers", LIST_OBJECTS_V2, headers),
    ("list_objects_v2/query", LIST_OBJECTS_V2, query),
];

/// One way to sign with [`KEY`] in [`SCOPE`].
pub(crate) type Sign = for<'s> fn(&Request<'_>, &SigningKey, &'s mut Scratch) -> Signed<'s>;

fn headers<'s>(request: &Request<'_>, signing: &SigningKey, scratch: &'s mut Scratch) -> Signed<'s> {
    sign_headers(request, &KEY, signing, &SCOPE, scratch)
}

fn query<'s>(request: &Request<'_>, signing: &SigningKey, scratch: &'s mut Scratch) -> Signed<'s> {
    let hour = Duration::from_secs(3_600);
    presign_query(request, &KEY, signing, &SCOPE, hour, scratch).expect("an hour is allowed")
}

/// The key that signs them.
pub(crate) const KEY: AccessKey<'static> =
    AccessKey { id: "LTAI5tExampleExampleKey1", secret: "ExampleSecretExampleSecretAbcd", token: None };
/// The scope that they are signed for.
pub(crate) const SCOPE: Scope<'static> =
    Scope { region: "cn-hangzhou", product: "oss", time: UnixTime::from_secs(1_702_743_657) };
/// An upload: eight headers in no order, two of which are not signed.
pub(crate) const PUT_OBJECT: Request<'static> = Request {
    method: "PUT",
    resource: Resource::Object { bucket: "examplebucket", key: "holiday photos/2023/12/图片 0001.jpg" },
    query: &[],
    headers: &[
        ("x-oss-storage-class", "IA"),
        ("Content-Type", "image/jpeg"),
        ("x-oss-meta-author", "alice"),
        ("Host", "examplebucket.oss-cn-hangzhou.aliyuncs.com"),
        ("Content-Length", "1048576"),
        ("x-oss-forbid-overwrite", "true"),
        ("Content-MD5", "eB5eJF1ptWaXm4bijSPyxw=="),
        ("User-Agent", "a-user-agent/1.0"),
    ],
    additional: &[],
};
/// A page of a list: eight parameters in no order.
pub(crate) const LIST_OBJECTS_V2: Request<'static> = Request {
    method: "GET",
    resource: Resource::Bucket("examplebucket"),
    query: &[
        ("prefix", "holiday photos/2023/"),
        ("list-type", "2"),
        ("delimiter", "/"),
        ("max-keys", "1000"),
        ("encoding-type", "url"),
        ("fetch-owner", "true"),
        ("start-after", "holiday photos/2023/12/0001.jpg"),
        ("continuation-token", "ChR1c2VyL2VyaWMvZGVtbzMuanNvbhAA"),
    ],
    headers: &[
        ("Host", "examplebucket.oss-cn-hangzhou.aliyuncs.com"),
        ("User-Agent", "a-user-agent/1.0"),
        ("Accept-Encoding", "identity"),
    ],
    additional: &[],
};
