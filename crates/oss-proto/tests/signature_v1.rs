//! Signature V1 through the whole pipeline: known answers of the official SDKs and of the documents.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(feature = "v1")]

use core::time::Duration;

use oss_proto::{
    Credentials, Endpoint, GetBucketInfo, GetObject, Operation as _, Raw, Scope, Service, SignatureVersion,
    UnixTime, compose, presign,
};

/// There is no region.
fn service() -> Service {
    let endpoint = Endpoint::parse("http://oss-cn-hangzhou.aliyuncs.com").unwrap();
    Service::new(endpoint).with_signature(SignatureVersion::V1)
}

fn raw(method: http::Method, bucket: &str, key: &str) -> Raw {
    Raw::new("Test", method, Scope::Object).bucket(bucket).key(key)
}

#[test]
fn the_example_of_the_document_comes_out_of_the_whole_pipeline() {
    let put = raw(http::Method::PUT, "oss-example", "nelson")
        .header("content-md5", "ODBGOERFMDMzQTczRUY3NUE3NzA5QzdFNUYzMDQxNEM=")
        .header("content-type", "text/html")
        .header("x-oss-meta-author", "foo@bar.com")
        .header("x-oss-magic", "abracadabra");
    let credentials =
        Credentials::new("44CF9590006BF252F707", "OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV").unwrap();
    let now = UnixTime::parse_http_date("Thu, 17 Nov 2005 18:49:58 GMT").unwrap();
    let request = compose(&put.draft().unwrap(), &service(), &credentials, now).unwrap();
    assert_eq!(request.headers()["date"], "Thu, 17 Nov 2005 18:49:58 GMT");
    let authorization = "OSS 44CF9590006BF252F707:26NBxoKdsyly4EDv6inkoDft/yA=";
    assert_eq!(request.headers()["authorization"], authorization);
    assert!(request.headers()["authorization"].is_sensitive());
    for name in ["x-oss-date", "x-oss-content-sha256"] {
        assert!(!request.headers().contains_key(name), "{name}");
    }
}

#[test]
fn presigned_urls_of_other_clients_are_reproduced() {
    let query = [("versionId", "versionId")];
    let odd = [
        ("versionId", "versionId?param1=value1"),
        ("+param1", "value3"),
        ("|param1", "value4"),
        ("+param2", ""),
        ("|param2", ""),
        ("param2", ""),
        ("response-content-disposition", "attachment; filename=example.txt"),
    ];
    // Key, token, query, headers, end, and the signature as it stands in the URL.
    type Pairs<'a> = &'a [(&'static str, &'static str)];
    type Case<'a> = (&'static str, Option<&'static str>, Pairs<'a>, Pairs<'a>, i64, &'static str);
    let table: [Case<'_>; 3] = [
        ("key", None, &query, &[], 1_699_807_420, "dcLTea%2BYh9ApirQ8o8dOPqtvJXQ%3D"),
        ("key+123", Some("token"), &query, &[], 1_699_808_204, "jzKYRrM5y6Br0dRFPaTGOsbrDhY%3D"),
        (
            "key",
            Some("token"),
            &odd,
            &[
                ("x-oss-head1", "value"),
                ("abc", "value"),
                ("ZAbc", "value"),
                ("XYZ", "value"),
                ("content-type", "application/octet-stream"),
            ],
            1_699_808_204,
            "3GJoEOv5LX2ASp0HJk%2FhAk%2BqLJc%3D",
        ),
    ];
    for (key, token, query, headers, end, signature) in table {
        let mut get = raw(http::Method::GET, "bucket", key);
        get.query = query.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        get.headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let mut credentials = Credentials::new("ak", "sk").unwrap();
        if let Some(token) = token {
            credentials = credentials.with_token(token).unwrap();
        }
        // No limit of V4 counts: not that of 7 days, nor that of 12 hours with a token.
        let valid_for = Duration::from_secs(30 * 86_400);
        let now = UnixTime::from_secs(end - 30 * 86_400);
        let url = presign(&get.draft().unwrap(), &service(), &credentials, now, valid_for).unwrap();
        assert_eq!(url.expires(), Some(UnixTime::from_secs(end)));
        let text = url.expose_url();
        assert!(text.ends_with(&format!("&Signature={signature}")), "{text}");
        for part in [format!("Expires={end}&"), "OSSAccessKeyId=ak&".to_owned()] {
            assert!(text.contains(&part), "{text}");
        }
        assert_eq!(text.contains("&security-token=token&"), token.is_some(), "{text}");
        assert!(!format!("{url} {url:?}").contains("Signature"));
        let must_send: Vec<_> =
            url.headers().iter().filter(|(name, _)| url.is_signed(name)).map(|(name, _)| &**name).collect();
        assert_eq!(must_send.len(), headers.len().min(2), "{must_send:?}");
    }
}

#[test]
fn what_v1_does_not_sign_is_refused_before_anything_is_sent() {
    let credentials = Credentials::new("ak", "sk").unwrap();
    let now = UnixTime::from_secs(1_702_743_657);
    let error = |draft: &oss_proto::Draft, valid_for| {
        presign(draft, &service(), &credentials, now, valid_for).unwrap_err().to_string()
    };
    let get = GetObject::new("bucket", "key").draft().unwrap();
    assert!(error(&get, Duration::from_millis(999)).contains("valid_for"));
    assert_eq!(
        error(&GetBucketInfo::new("bucket").draft().unwrap(), Duration::from_secs(1)),
        "cannot send GetBucketInfo: signature: V1 signs no URL of a bucket or of the service; sign it with V4"
    );
    // No time is too far away to be written.
    let url = presign(&get, &service(), &credentials, now, Duration::MAX).unwrap();
    assert!(url.expires().is_some_and(|end| end > now));
}
