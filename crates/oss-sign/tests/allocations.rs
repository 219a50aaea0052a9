//! A signature into a buffer that was used before allocates nothing.

use core::time::Duration;

use oss_sign::{
    AccessKey, Request, Resource, Scope, Scratch, SigningKey, UnixTime, presign_query, sign_headers,
};

#[test]
fn signing_into_a_kept_buffer_allocates_nothing() {
    let scope = Scope { region: "cn-hangzhou", product: "oss", time: UnixTime::from_secs(1_702_743_657) };
    for token in [None, Some("CAIS+/=token")] {
        let key = AccessKey { id: "ak", secret: "sk", token };
        let signing = SigningKey::derive(&key, &scope);
        let mut scratch = Scratch::new();
        let mut both = |request: &Request<'_>| {
            let signed = sign_headers(request, &key, &signing, &scope, &mut scratch);
            assert_eq!(signed.signature().len(), 64);
            let hour = Duration::from_secs(3_600);
            let signed = presign_query(request, &key, &signing, &scope, hour, &mut scratch);
            assert!(signed.is_ok_and(|signed| signed.iter().all(|(_, value)| !value.is_empty())));
        };
        for request in [put_object(false), list_objects(false)] {
            both(&request);
        }
        for request in [put_object(true), list_objects(true), put_object(false), list_objects(false)] {
            let count = allocation_counter::measure(|| both(&request)).count_total;
            assert_eq!(count, 0, "{request:?}");
        }
    }
}

fn put_object(turned: bool) -> Request<'static> {
    let headers: &[_] = if turned { &PUT_HEADERS_TURNED } else { &PUT_HEADERS };
    let resource = Resource::Object { bucket: "examplebucket", key: "holiday photos/图片 0001.jpg" };
    Request { method: "PUT", resource, query: &[], headers, additional: &["host", "content-length"] }
}

fn list_objects(turned: bool) -> Request<'static> {
    let query: &[_] = if turned { &LIST_QUERY_TURNED } else { &LIST_QUERY };
    let resource = Resource::Bucket("examplebucket");
    Request { method: "GET", resource, query, headers: &[("host", "examplebucket")], additional: &[] }
}

const fn turned<const N: usize>(pairs: [Pair; N]) -> [Pair; N] {
    let (mut turned, mut at) = (pairs, 0);
    while at < N {
        turned[N - 1 - at] = pairs[at];
        at += 1;
    }
    turned
}

type Pair = (&'static str, &'static str);

const PUT_HEADERS: [Pair; 7] = [
    ("x-oss-storage-class", "IA"),
    ("Content-Type", "image/jpeg"),
    ("x-oss-meta-author", "alice"),
    ("Host", "examplebucket.oss-cn-hangzhou.aliyuncs.com"),
    ("Content-Length", "1048576"),
    ("x-oss-forbid-overwrite", "true"),
    ("Content-MD5", "eB5eJF1ptWaXm4bijSPyxw=="),
];
const PUT_HEADERS_TURNED: [Pair; 7] = turned(PUT_HEADERS);
const LIST_QUERY: [Pair; 6] = [
    ("prefix", "holiday photos/"),
    ("list-type", "2"),
    ("delimiter", "/"),
    ("max-keys", "1000"),
    ("encoding-type", "url"),
    ("continuation-token", "ChR1c2VyL2VyaWMvZGVtbzMuanNvbhAA"),
];
const LIST_QUERY_TURNED: [Pair; 6] = turned(LIST_QUERY);
