//! From a draft to a request and to a presigned URL: what is put in, what is refused.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use core::time::Duration;

use oss_proto::{
    Addressing, BucketName, CloudBoxId, CopyObject, CopySource, Credentials, DeleteMultipleObjects, Endpoint,
    GetBucketInfo, GetObject, InitiateMultipartUpload, ListBuckets, ListObjectsV2, ObjectKey, Operation,
    Payload, PutObject, Raw, Region, Replay, Scope, Service, UnixTime, compose, presign,
};

const NOW: UnixTime = UnixTime::from_secs(1_702_743_657);

fn service() -> Service {
    let region = Region::parse("cn-hangzhou").unwrap();
    Service::new(Endpoint::public(&region)).with_region(region)
}

fn credentials() -> Credentials {
    Credentials::new("ak", "sk").unwrap()
}

fn send<O: Operation>(operation: &O) -> Result<http::Request<()>, String> {
    let draft = operation.draft().map_err(|error| error.to_string())?;
    compose(&draft, &service(), &credentials(), NOW).map_err(|error| error.to_string())
}

fn header<'a>(request: &'a http::Request<()>, name: &str) -> Option<&'a str> {
    request.headers().get(name).map(|value| value.to_str().unwrap())
}

#[test]
fn known_signatures_come_out_of_the_whole_pipeline() {
    // `v4-get-object-minimal` and `v4-list-buckets-no-bucket` sign no header but the signature's own, and
    // neither does a
    // `Raw` request.
    let cases = [
        (
            Raw::new("GetObject", http::Method::GET, Scope::Object)
                .bucket("examplebucket")
                .key("exampleobject"),
            "95765e3cb0d74896d6afc8f882577366c7d6fbf006d64efddd43523257b2ee92",
        ),
        (
            Raw::new("ListBuckets", http::Method::GET, Scope::Service),
            "2a7fe0c537ae2b2319d6a44def3d754c1f9ca397946234d46ba2ecdb8f8f0a96",
        ),
        (
            Raw::new("GetBucketAcl", http::Method::GET, Scope::Bucket)
                .bucket("examplebucket")
                .query("acl", ""),
            "15bd9a084f6e86eca140ef549b225b981060721289cf1f4a91e97bf7383ef332",
        ),
        (
            Raw::new("GetObject", http::Method::GET, Scope::Object)
                .bucket("examplebucket")
                .key("目录/a b+c~d*e'(f)!.txt"),
            "145b59bb792d8072b06094d2a0c00ffc42a9acfc83e70a63a6fd2ba0dcaae8d1",
        ),
    ];
    for (operation, signature) in cases {
        let request = send(&operation).unwrap();
        let authorization = header(&request, "authorization").unwrap();
        assert!(
            authorization.ends_with(&format!(",Signature={signature}")),
            "{}: {authorization}",
            operation.name
        );
    }
}

#[test]
fn a_cloud_box_signs_with_its_id_and_its_product() {
    // `v4-header-cloudbox`.
    let put = Raw::new("PutObject", http::Method::PUT, Scope::Object)
        .bucket("bucket")
        .key("1234+-/123/1.txt")
        .query("param1", "value1")
        .query("+param1", "value3")
        .query("|param1", "value4")
        .query("+param2", "")
        .query("|param2", "")
        .query("param2", "")
        .header("x-oss-head1", "value")
        .header("abc", "value")
        .header("content-type", "text/plain");
    let endpoint = Endpoint::parse("cb-123.cn-hangzhou.oss-cloudbox.aliyuncs.com").unwrap();
    let id = CloudBoxId::parse(endpoint.cloud_box_id().unwrap()).unwrap();
    let plain = Service::new(endpoint);
    for service in [plain.clone(), plain.with_region(Region::parse("cn-hangzhou").unwrap())] {
        let service = service.with_cloud_box(id.clone());
        let request = compose(&put.draft().unwrap(), &service, &credentials(), NOW).unwrap();
        let host = "bucket.cb-123.cn-hangzhou.oss-cloudbox.aliyuncs.com";
        assert_eq!(request.uri().host(), Some(host));
        assert_eq!(
            header(&request, "authorization"),
            Some(
                "OSS4-HMAC-SHA256 Credential=ak/20231216/cb-123/oss-cloudbox/aliyun_v4_request,\
                 Signature=94ce1f12c17d148ea681030275a94449d3357f5b5b21133996eec80af3e08a43"
            )
        );
    }
}

#[test]
fn a_request_has_all_that_frames_and_describes_it_and_nothing_else() {
    let request = send(&PutObject::new("examplebucket", "a b.json", "{}")).unwrap();
    assert_eq!(request.uri().to_string(), "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/a%20b.json");
    let mut names: Vec<_> = request.headers().keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "authorization",
            "content-length",
            "content-type",
            "host",
            "user-agent",
            "x-oss-content-sha256",
            "x-oss-date"
        ]
    );
    assert_eq!(header(&request, "content-length"), Some("2"));
    assert_eq!(header(&request, "content-type"), Some("application/json"));
    assert_eq!(header(&request, "host"), Some("examplebucket.oss-cn-hangzhou.aliyuncs.com"));
    assert!(request.headers()["authorization"].is_sensitive());
}

#[test]
fn content_length_is_sent_when_the_length_is_known_and_the_method_has_a_body() {
    let stream = |len| Payload::Stream { len, replay: Replay::Once };
    let length = |body: Payload| {
        let request = send(&PutObject::new("bucket", "key", body)).unwrap();
        header(&request, "content-length").map(String::from)
    };
    assert_eq!(length(Payload::Empty).as_deref(), Some("0"));
    assert_eq!(length(stream(Some(7))).as_deref(), Some("7"));
    assert_eq!(length(stream(None)), None);
    let get = send(&GetObject::new("bucket", "key")).unwrap();
    assert_eq!(header(&get, "content-length"), None);
    let initiate = send(&InitiateMultipartUpload::new("bucket", "key")).unwrap();
    assert_eq!(header(&initiate, "content-length"), Some("0"));
}

#[test]
fn f30_f44_a_read_asks_for_the_bytes_as_they_are_stored() {
    let request = send(&GetObject::new("bucket", "key").range(0..10)).unwrap();
    assert_eq!(header(&request, "range"), Some("bytes=0-9"));
    assert_eq!(header(&request, "x-oss-range-behavior"), Some("standard"));
    assert_eq!(header(&request, "accept-encoding"), Some("identity"));
    let request = send(&GetObject::new("bucket", "key").accept_encoding("gzip")).unwrap();
    assert_eq!(header(&request, "accept-encoding"), Some("gzip"));
}

#[test]
fn b32_a_presigned_url_asks_its_holder_for_the_signed_headers_only() {
    let sign = |draft: &oss_proto::Draft| {
        presign(draft, &service(), &credentials(), NOW, Duration::from_secs(900)).unwrap()
    };
    let get = sign(&GetObject::new("bucket", "key").draft().unwrap());
    assert_eq!(get.headers(), []);
    let put = PutObject::new("bucket", "key.json", Payload::Empty).acl("private").cache_control("no-cache");
    let put = sign(&put.draft().unwrap());
    let headers: Vec<_> =
        put.headers().iter().map(|(name, _)| (name.as_str(), put.is_signed(name))).collect();
    assert_eq!(headers, [("cache-control", false), ("x-oss-object-acl", true)]);
    assert_eq!(put.method(), http::Method::PUT);
    assert_eq!(put.expires(), Some(NOW.saturating_add(900)));
}

#[test]
fn b33_a_presigned_url_is_never_printed_with_its_query() {
    let draft = GetObject::new("bucket", "key").version_id("CAEQ").draft().unwrap();
    let url = presign(&draft, &service(), &credentials(), NOW, Duration::from_secs(900)).unwrap();
    for text in [format!("{url}"), format!("{url:?}"), format!("{url:#?}")] {
        assert!(!text.contains("signature") && !text.contains("CAEQ"), "{text}");
    }
    assert!(url.expose_url().contains("versionId=CAEQ&"));
}

#[test]
fn b31_a_presigned_url_lives_for_a_second_to_seven_days_and_not_longer_than_what_signs_it() {
    let draft = GetObject::new("bucket", "key").draft().unwrap();
    let try_for = |credentials: &Credentials, secs| {
        presign(&draft, &service(), credentials, NOW, Duration::from_secs(secs))
            .map_err(|error| error.to_string())
    };
    for secs in [1, 900, 604_800] {
        assert!(try_for(&credentials(), secs).is_ok(), "{secs}");
    }
    for secs in [0, 604_801, u64::MAX] {
        assert!(try_for(&credentials(), secs).unwrap_err().contains("valid_for"), "{secs}");
    }
    let token = credentials().with_token("token").unwrap();
    assert!(try_for(&token, 43_200).is_ok());
    assert!(try_for(&token, 43_201).is_err());
    let ending = token.with_expiration(NOW.saturating_add(600));
    assert!(try_for(&ending, 600).is_ok());
    let error = try_for(&ending, 601).unwrap_err();
    assert!(error.contains("the credentials end at 2023-12-16T16:30:57"), "{error}");
}

#[test]
fn anonymous_requests_are_not_signed_and_need_no_region() {
    let service = Service::new(Endpoint::parse("https://oss-cn-hangzhou.aliyuncs.com").unwrap());
    let draft = GetObject::new("bucket", "key").draft().unwrap();
    let request = compose(&draft, &service, &Credentials::anonymous(), NOW).unwrap();
    assert_eq!(header(&request, "authorization"), None);
    assert_eq!(header(&request, "x-oss-date"), None);
    let url = presign(&draft, &service, &Credentials::anonymous(), NOW, Duration::from_secs(1)).unwrap();
    assert_eq!(url.expose_url(), "https://bucket.oss-cn-hangzhou.aliyuncs.com/key");
    let error = compose(&draft, &service, &credentials(), NOW).unwrap_err().to_string();
    assert_eq!(
        error,
        "cannot send GetObject: region: signature V4 needs the region of the bucket, such as `cn-hangzhou`; \
         set it"
    );
}

#[test]
fn b27_b30_what_belongs_to_the_client_is_refused_from_the_caller() {
    for name in [
        "Host",
        "authorization",
        "Date",
        "x-oss-date",
        "Content-Length",
        "transfer-encoding",
        "connection",
        "x-oss-security-token",
        "x-oss-content-sha256",
        "expect",
        "upgrade",
        "te",
        "trailer",
        "keep-alive",
    ] {
        let raw = Raw::new("Test", http::Method::GET, Scope::Service).header(name, "x");
        assert!(send(&raw).unwrap_err().contains("set by the client itself"), "{name}");
    }
    for name in ["x-oss-signature", "x-oss-credential", "Signature", "OSSAccessKeyId", "security-token", ""] {
        let raw = Raw::new("Test", http::Method::GET, Scope::Service).query(name, "x");
        assert!(send(&raw).is_err(), "{name}");
    }
    let twice = Raw::new("Test", http::Method::GET, Scope::Service).query("prefix", "a").query("prefix", "b");
    assert_eq!(
        send(&twice).unwrap_err(),
        "cannot send Test: prefix: occurs twice in the query; give it once"
    );
}

#[test]
fn b30_a_query_is_encoded_once_and_says_nothing_else() {
    for (value, encoded) in [
        ("a&b=c", "a%26b%3Dc"),
        ("a#b", "a%23b"),
        ("a+b c", "a%2Bb%20c"),
        ("%26", "%2526"),
        ("/?", "%2F%3F"),
        ("a\r\nHost: evil", "a%0D%0AHost%3A%20evil"),
        ("目", "%E7%9B%AE"),
    ] {
        for (name, value, query) in
            [("name", value, format!("name={encoded}")), (value, "v", format!("{encoded}=v"))]
        {
            let raw = Raw::new("Test", http::Method::GET, Scope::Service).query(name.to_owned(), value);
            assert_eq!(send(&raw).unwrap().uri().query(), Some(query.as_str()));
        }
    }
}

#[test]
fn b16_a_control_character_in_a_key_never_stands_bare_in_a_document_or_a_header() {
    let key = "a\u{1}b\r\nc\u{7f}<&>";
    let draft = DeleteMultipleObjects::new("bucket", [key]).draft().unwrap();
    let Payload::Bytes(document) = &draft.body else { panic!("{:?}", draft.body) };
    let document = core::str::from_utf8(document).unwrap();
    assert!(!document.contains(char::is_control), "{document:?}");
    assert!(document.contains("<Key>a&#1;b&#13;&#10;c&#127;&lt;&amp;&gt;</Key>"), "{document:?}");

    let copy = CopyObject::new("bucket", "to", CopySource::new("bucket", key));
    let request = send(&copy).unwrap();
    assert_eq!(header(&request, "x-oss-copy-source"), Some("/bucket/a%01b%0D%0Ac%7F%3C%26%3E"));
}

#[test]
fn b23_b28_a_header_value_that_injects_is_refused() {
    for value in ["a\r\nx-oss-object-acl: public-read", "a\0", "é", " a", "a "] {
        let put = || PutObject::new("bucket", "key", "");
        for put in [
            put().content_disposition(value),
            put().content_type(value),
            put().cache_control(value),
            put().content_encoding(value),
            put().content_language(value),
            put().expires(value),
        ] {
            assert!(send(&put).is_err(), "{value:?}");
        }
        assert!(send(&PutObject::new("bucket", "key", "").metadata([("name", value)])).is_err(), "{value:?}");
    }
    assert!(
        send(&Raw::new("Test", http::Method::GET, Scope::Service).header("a b", "x"))
            .unwrap_err()
            .contains("a b")
    );
}

#[test]
fn b18_a_key_stays_a_key() {
    for (key, path) in [
        ("?acl", "/%3Facl"),
        ("uploads", "/uploads"),
        ("a?x-oss-process=image/resize", "/a%3Fx-oss-process%3Dimage/resize"),
        ("..", "/.."),
        ("a/../b", "/a/../b"),
        ("./x", "/./x"),
        ("%2e%2e/x", "/%252e%252e/x"),
        ("a//b/", "/a//b/"),
        ("a\\b", "/a%5Cb"),
        ("a+b", "/a%2Bb"),
        ("a\u{1}\r\nb", "/a%01%0D%0Ab"),
        ("😀", "/%F0%9F%98%80"),
    ] {
        let request = send(&GetObject::new("bucket", key)).unwrap();
        assert_eq!(request.uri().path(), path, "{key}");
        assert_eq!(request.uri().query(), None, "{key}");
    }
    let request = send(&GetObject::new("bucket", ObjectKey::verbatim("/lead").unwrap())).unwrap();
    assert_eq!(request.uri().path(), "//lead");
}

#[test]
fn bad_names_are_refused_before_anything_is_sent() {
    let error = send(&GetObject::new("Bad_Bucket", "key")).unwrap_err();
    assert!(error.starts_with("cannot send GetObject: bucket: ") && error.contains("Bad_Bucket"), "{error}");
    let error = send(&GetObject::new("bucket", "/lead")).unwrap_err();
    assert!(error.starts_with("cannot send GetObject: key: "), "{error}");
    let error = send(&GetObject::to("key")).unwrap_err();
    assert_eq!(
        error,
        "cannot send GetObject: bucket: none is named; name one, or send the operation through a bucket"
    );
    assert!(send(&ListObjectsV2::here()).is_err());
    assert!(send(&CopyObject::new("bucket", "key", CopySource::new("Bad_Bucket", "k"))).is_err());
}

#[test]
fn a_service_may_stand_for_one_bucket() {
    let service = service().with_bucket(BucketName::parse("examplebucket").unwrap());
    let url =
        |draft: &oss_proto::Draft| compose(draft, &service, &credentials(), NOW).unwrap().uri().to_string();
    let host = "https://examplebucket.oss-cn-hangzhou.aliyuncs.com";
    assert_eq!(url(&GetObject::to("k").draft().unwrap()), format!("{host}/k"));
    assert_eq!(url(&GetBucketInfo::here().draft().unwrap()), format!("{host}/?bucketInfo"));
    // An operation that names a bucket, and one of the service, keep their place.
    assert!(url(&GetObject::new("other-bucket", "k").draft().unwrap()).starts_with("https://other-bucket."));
    assert_eq!(url(&ListBuckets::new().draft().unwrap()), "https://oss-cn-hangzhou.aliyuncs.com/");
}

#[test]
fn every_addressing_style_has_its_url() {
    let draft = GetObject::new("bucket", "k").draft().unwrap();
    let url = |endpoint: &str, style| {
        let service = Service::new(Endpoint::parse(endpoint).unwrap().with_addressing(style));
        compose(&draft, &service, &Credentials::anonymous(), NOW).unwrap().uri().to_string()
    };
    assert_eq!(url("http://oss.example.com", Addressing::VirtualHosted), "http://bucket.oss.example.com/k");
    assert_eq!(url("http://oss.example.com:8080", Addressing::Path), "http://oss.example.com:8080/bucket/k");
    assert_eq!(url("https://www.example.com", Addressing::Cname), "https://www.example.com/k");
    assert_eq!(url("http://127.0.0.1:9000", Addressing::VirtualHosted), "http://127.0.0.1:9000/bucket/k");
    assert_eq!(url("http://[::1]:9000", Addressing::VirtualHosted), "http://[::1]:9000/bucket/k");
}

#[test]
fn an_xml_body_has_its_md5_and_escapes() {
    let delete = DeleteMultipleObjects::new("bucket", ["a&b", "<\r\u{1}>"]);
    let draft = delete.draft().unwrap();
    let Payload::Bytes(body) = &draft.body else { panic!("no body") };
    assert_eq!(
        core::str::from_utf8(body).unwrap(),
        "<Delete><Object><Key>a&amp;b</Key></Object><Object><Key>&lt;&#13;&#1;&gt;</Key></Object></Delete>"
    );
    assert_eq!(draft.header("content-md5"), Some(oss_proto::content_md5(body).as_str()));
    assert_eq!(draft.header("content-type"), Some("application/xml"));
    let request = send(&delete).unwrap();
    assert_eq!(request.uri().query(), Some("delete&encoding-type=url"));
}

#[test]
fn the_signature_covers_what_a_caller_adds_to_a_draft() {
    let mut draft = GetObject::new("bucket", "key").draft().unwrap();
    let before = compose(&draft, &service(), &credentials(), NOW).unwrap();
    draft.query.push(("x-oss-new".into(), "1".into()));
    let after = compose(&draft, &service(), &credentials(), NOW).unwrap();
    assert_eq!(after.uri().query(), Some("x-oss-new=1"));
    assert_ne!(header(&before, "authorization"), header(&after, "authorization"));
}

#[test]
fn a_request_never_reaches_something_wider_than_what_was_meant() {
    let send =
        |draft: &oss_proto::Draft| compose(draft, &service(), &credentials(), NOW).map_err(|e| e.to_string());
    let mut draft = GetObject::new("bucket", "key").draft().unwrap();
    draft.key = None;
    assert_eq!(
        send(&draft).unwrap_err(),
        "cannot send GetObject: key: none is named, but the operation addresses an object"
    );
    let mut draft = GetBucketInfo::new("bucket").draft().unwrap();
    draft.key = Some(ObjectKey::parse("key").unwrap());
    assert!(send(&draft).unwrap_err().contains("does not address an object"));
    let raw = Raw::new("Test", http::Method::PUT, Scope::Service).bucket("bucket");
    assert!(send(&raw.draft().unwrap()).unwrap_err().contains("addresses the service"));
}

#[test]
fn b27_a_header_of_any_case_is_the_same_header() {
    let mut draft = GetObject::new("bucket", "key").draft().unwrap();
    draft.headers.push(("Host".into(), "evil.example".into()));
    assert!(compose(&draft, &service(), &credentials(), NOW).is_err());
    draft.headers.pop();
    draft.headers.push(("Range".into(), "bytes=0-1".into()));
    draft.headers.push(("range".into(), "bytes=0-2".into()));
    let error = compose(&draft, &service(), &credentials(), NOW).unwrap_err().to_string();
    assert!(error.contains("occurs twice"), "{error}");
    draft.headers.pop();
    draft.headers.push(("Accept-Encoding".into(), "gzip".into()));
    let request = compose(&draft, &service(), &credentials(), NOW).unwrap();
    assert_eq!(request.headers().get_all("accept-encoding").iter().count(), 1);
}

#[test]
fn a_domain_of_one_bucket_serves_that_bucket_and_nothing_else() {
    let endpoint = Endpoint::parse("https://static.example.com").unwrap().with_addressing(Addressing::Cname);
    let region = Region::parse("cn-hangzhou").unwrap();
    let service = Service::new(endpoint).with_region(region);
    let send = |draft| compose(&draft, &service, &credentials(), NOW);
    let request = send(GetObject::new("bucket", "key").draft().unwrap()).unwrap();
    assert_eq!(request.uri(), "https://static.example.com/key");
    let error = send(ListBuckets::new().draft().unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot send ListBuckets: endpoint: is a domain bound to one bucket (`use_cname`), and this \
         operation is not about a bucket; send it to the endpoint of a region"
    );
}
