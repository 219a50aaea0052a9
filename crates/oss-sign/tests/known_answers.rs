//! Signatures that others computed: the unit tests of the official SDKs (`v4-…` up to
//! `…-cloudbox-additional-2`), the worked examples of the OSS documents (`doc-…`), and values on which the
//! official Go and Python signers agree.

use core::time::Duration;

use oss_sign::{
    AccessKey, Request, Resource, Scope, Scratch, SigningKey, UnixTime, presign_query, sign_headers,
};

#[test]
fn the_known_signatures_are_reproduced() {
    // One buffer for all: what an earlier request left in it must not show.
    let mut scratch = Scratch::new();
    for case in &CASES {
        let key = AccessKey { id: case.id, secret: case.secret, token: case.token };
        let time = UnixTime::from_secs(case.time);
        let scope = Scope { region: case.region, product: case.product, time };
        let signing = SigningKey::derive(&key, &scope);
        let signed = match case.valid_for.map(Duration::from_secs) {
            None => sign_headers(&case.request, &key, &signing, &scope, &mut scratch),
            Some(valid_for) => presign_query(&case.request, &key, &signing, &scope, valid_for, &mut scratch)
                .expect("the lifetimes here are allowed"),
        };
        let text = signed.canonical_request();
        assert_eq!(signed.signature(), case.signature, "{}, canonical request:\n{text}", case.name);
        let (_, last) = signed.iter().last().expect("the signature is added last");
        assert!(last.ends_with(case.signature), "{}", case.name);
    }
}

#[test]
fn the_example_of_the_document_is_the_same_to_the_byte() {
    let case = CASES.iter().find(|case| case.name == "doc-v4-header-2023").expect("it is in the table");
    let key = AccessKey { id: case.id, secret: case.secret, token: case.token };
    let scope = Scope { region: case.region, product: case.product, time: UnixTime::from_secs(case.time) };
    let mut scratch = Scratch::new();
    let signed = sign_headers(&case.request, &key, &SigningKey::derive(&key, &scope), &scope, &mut scratch);
    let canonical = [
        "PUT",
        "/examplebucket/exampleobject",
        "",
        "content-md5:eB5eJF1ptWaXm4bijSPyxw",
        "content-type:text/html",
        "host:examplebucket.oss-cn-hangzhou.aliyuncs.com",
        "x-oss-content-sha256:UNSIGNED-PAYLOAD",
        "x-oss-date:20231203T121212Z",
        "x-oss-meta-author:alice",
        "x-oss-meta-magic:abracadabra",
        "",
        "host",
        "UNSIGNED-PAYLOAD",
    ];
    assert_eq!(signed.canonical_request(), canonical.join("\n"));
    let to_sign = [
        "OSS4-HMAC-SHA256",
        "20231203T121212Z",
        "20231203/cn-hangzhou/oss/aliyun_v4_request",
        "129b14df88496f434606e999e35dee010ea1cecfd3ddc378e5ed4989609c1db3",
    ];
    assert_eq!(signed.string_to_sign(), to_sign.join("\n"));
    let authorization = [
        "OSS4-HMAC-SHA256 Credential=accesskeyid/20231203/cn-hangzhou/oss/aliyun_v4_request",
        "AdditionalHeaders=host",
        "Signature=4b663e424d2db9967401ff6ce1c86f8c83cabd77d9908475239d9110642c63fa",
    ];
    assert_eq!(signed.iter().last(), Some(("authorization", authorization.join(",").as_str())));
}

/// One signature, and what it was computed from.
struct Case {
    name: &'static str,
    id: &'static str,
    secret: &'static str,
    token: Option<&'static str>,
    region: &'static str,
    product: &'static str,
    time: i64,
    /// Seconds; a presigned URL when set.
    valid_for: Option<u64>,
    request: Request<'static>,
    signature: &'static str,
}

const EMPTY: Request<'static> =
    Request { method: "", resource: Resource::Service, query: &[], headers: &[], additional: &[] };

const PLAIN: Case = Case {
    name: "",
    id: "ak",
    secret: "sk",
    token: None,
    region: "cn-hangzhou",
    product: "oss",
    time: 0,
    valid_for: None,
    request: EMPTY,
    signature: "",
};

const SPEC_TIME: i64 = 1_702_743_657;

const SDK_QUERY: &[(&str, &str)] = &[
    ("param1", "value1"),
    ("+param1", "value3"),
    ("|param1", "value4"),
    ("+param2", ""),
    ("|param2", ""),
    ("param2", ""),
];

const SDK_HEADERS: &[(&str, &str)] = &[
    ("x-oss-head1", "value"),
    ("abc", "value"),
    ("ZAbc", "value"),
    ("XYZ", "value"),
    ("content-type", "text/plain"),
    ("x-oss-content-sha256", "UNSIGNED-PAYLOAD"),
];

const SDK_PRESIGN_HEADERS: &[(&str, &str)] = &[
    ("x-oss-head1", "value"),
    ("abc", "value"),
    ("ZAbc", "value"),
    ("XYZ", "value"),
    ("content-type", "application/octet-stream"),
];

const CASES: [Case; 26] = [
    Case {
        name: "v4-header-basic",
        time: SPEC_TIME,
        request: Request {
            method: "PUT",
            resource: Resource::Object { bucket: "bucket", key: "1234+-/123/1.txt" },
            query: SDK_QUERY,
            headers: SDK_HEADERS,
            ..EMPTY
        },
        signature: "e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe",
        ..PLAIN
    },
    Case {
        name: "v4-header-token",
        token: Some("token"),
        time: 1702784856,
        request: Request {
            method: "PUT",
            resource: Resource::Object { bucket: "bucket", key: "1234+-/123/1.txt" },
            query: SDK_QUERY,
            headers: SDK_HEADERS,
            ..EMPTY
        },
        signature: "b94a3f999cf85bcdc00d332fbd3734ba03e48382c36fa4d5af5df817395bd9ea",
        ..PLAIN
    },
    Case {
        name: "v4-header-additional",
        time: 1702747512,
        request: Request {
            method: "PUT",
            resource: Resource::Object { bucket: "bucket", key: "1234+-/123/1.txt" },
            query: SDK_QUERY,
            headers: SDK_HEADERS,
            additional: &["ZAbc", "abc"],
        },
        signature: "4a4183c187c07c8947db7620deb0a6b38d9fbdd34187b6dbaccb316fa251212f",
        ..PLAIN
    },
    Case {
        name: "v4-header-additional-ignores-default-and-missing",
        time: 1702747512,
        request: Request {
            method: "PUT",
            resource: Resource::Object { bucket: "bucket", key: "1234+-/123/1.txt" },
            query: SDK_QUERY,
            headers: SDK_HEADERS,
            additional: &["x-oss-no-exist", "ZAbc", "x-oss-head1", "abc"],
        },
        signature: "4a4183c187c07c8947db7620deb0a6b38d9fbdd34187b6dbaccb316fa251212f",
        ..PLAIN
    },
    Case {
        name: "v4-header-cloudbox",
        region: "cb-123",
        product: "oss-cloudbox",
        time: SPEC_TIME,
        request: Request {
            method: "PUT",
            resource: Resource::Object { bucket: "bucket", key: "1234+-/123/1.txt" },
            query: SDK_QUERY,
            headers: SDK_HEADERS,
            ..EMPTY
        },
        signature: "94ce1f12c17d148ea681030275a94449d3357f5b5b21133996eec80af3e08a43",
        ..PLAIN
    },
    Case {
        name: "v4-presign-basic",
        time: 1702781677,
        valid_for: Some(599),
        request: Request {
            method: "PUT",
            resource: Resource::Object { bucket: "bucket", key: "1234+-/123/1.txt" },
            query: SDK_QUERY,
            headers: SDK_PRESIGN_HEADERS,
            ..EMPTY
        },
        signature: "a39966c61718be0d5b14e668088b3fa07601033f6518ac7b523100014269c0fe",
        ..PLAIN
    },
    Case {
        name: "v4-presign-token",
        token: Some("token"),
        time: 1702785388,
        valid_for: Some(599),
        request: Request {
            method: "PUT",
            resource: Resource::Object { bucket: "bucket", key: "1234+-/123/1.txt" },
            query: SDK_QUERY,
            headers: SDK_PRESIGN_HEADERS,
            ..EMPTY
        },
        signature: "3817ac9d206cd6dfc90f1c09c00be45005602e55898f26f5ddb06d7892e1f8b5",
        ..PLAIN
    },
    Case {
        name: "v4-presign-additional",
        time: 1702783809,
        valid_for: Some(599),
        request: Request {
            method: "PUT",
            resource: Resource::Object { bucket: "bucket", key: "1234+-/123/1.txt" },
            query: SDK_QUERY,
            headers: SDK_PRESIGN_HEADERS,
            additional: &["ZAbc", "abc"],
        },
        signature: "6bd984bfe531afb6db1f7550983a741b103a8c58e5e14f83ea474c2322dfa2b7",
        ..PLAIN
    },
    Case {
        name: "v4-presign-additional-ignores-default-and-missing",
        time: 1702783809,
        valid_for: Some(599),
        request: Request {
            method: "PUT",
            resource: Resource::Object { bucket: "bucket", key: "1234+-/123/1.txt" },
            query: SDK_QUERY,
            headers: SDK_PRESIGN_HEADERS,
            additional: &["x-oss-no-exist", "abc", "x-oss-head1", "ZAbc"],
        },
        signature: "6bd984bfe531afb6db1f7550983a741b103a8c58e5e14f83ea474c2322dfa2b7",
        ..PLAIN
    },
    Case {
        name: "v4-presign-5-days",
        time: 1702781677,
        valid_for: Some(432000),
        request: Request {
            method: "PUT",
            resource: Resource::Object { bucket: "bucket", key: "1234+-/123/1.txt" },
            query: SDK_QUERY,
            headers: SDK_PRESIGN_HEADERS,
            ..EMPTY
        },
        signature: "31029123dc7732d2d2cfd4006ea4fdb6cf86da6478f813e2bf8f87877c7b9fec",
        ..PLAIN
    },
    Case {
        name: "v4-presign-cloudbox-additional",
        region: "cb-123",
        product: "oss-cloudbox",
        time: 1702781677,
        valid_for: Some(599),
        request: Request {
            method: "PUT",
            resource: Resource::Object { bucket: "bucket", key: "1234+-/123/1.txt" },
            query: SDK_QUERY,
            headers: SDK_PRESIGN_HEADERS,
            additional: &["ZAbc", "abc"],
        },
        signature: "07284191b9b4978ac3520cd39ee2dea2747eda454089359371ff463a6c7ba20f",
        ..PLAIN
    },
    Case {
        name: "v4-presign-cloudbox-additional-2",
        region: "cb-123",
        product: "oss-cloudbox",
        time: 1702783809,
        valid_for: Some(599),
        request: Request {
            method: "PUT",
            resource: Resource::Object { bucket: "bucket", key: "1234+-/123/1.txt" },
            query: SDK_QUERY,
            headers: SDK_PRESIGN_HEADERS,
            additional: &["x-oss-no-exist", "abc", "x-oss-head1", "ZAbc"],
        },
        signature: "16782cc8a7a554523db055eb804b508522e7e370073108ad88ee2f47496701dd",
        ..PLAIN
    },
    Case {
        name: "v4-get-object-minimal",
        time: SPEC_TIME,
        request: Request {
            method: "GET",
            resource: Resource::Object { bucket: "examplebucket", key: "exampleobject" },
            ..EMPTY
        },
        signature: "95765e3cb0d74896d6afc8f882577366c7d6fbf006d64efddd43523257b2ee92",
        ..PLAIN
    },
    Case {
        name: "v4-list-buckets-no-bucket",
        time: SPEC_TIME,
        request: Request { method: "GET", resource: Resource::Service, ..EMPTY },
        signature: "2a7fe0c537ae2b2319d6a44def3d754c1f9ca397946234d46ba2ecdb8f8f0a96",
        ..PLAIN
    },
    Case {
        name: "v4-get-bucket-acl-no-key",
        time: SPEC_TIME,
        request: Request {
            method: "GET",
            resource: Resource::Bucket("examplebucket"),
            query: &[("acl", "")],
            ..EMPTY
        },
        signature: "15bd9a084f6e86eca140ef549b225b981060721289cf1f4a91e97bf7383ef332",
        ..PLAIN
    },
    Case {
        name: "v4-unicode-and-reserved-key",
        time: SPEC_TIME,
        request: Request {
            method: "GET",
            resource: Resource::Object { bucket: "examplebucket", key: "目录/a b+c~d*e'(f)!.txt" },
            ..EMPTY
        },
        signature: "145b59bb792d8072b06094d2a0c00ffc42a9acfc83e70a63a6fd2ba0dcaae8d1",
        ..PLAIN
    },
    Case {
        name: "v4-query-encoding-sort",
        time: SPEC_TIME,
        request: Request {
            method: "GET",
            resource: Resource::Bucket("examplebucket"),
            query: &[
                ("list-type", "2"),
                ("prefix", "a/b c"),
                ("encoding-type", "url"),
                ("delimiter", "/"),
                ("x-oss-process", "image/resize,w_100"),
                ("A", "1"),
                ("a", "2"),
                ("start-after", "~-._"),
            ],
            ..EMPTY
        },
        signature: "053774e40b457cccb7536220030439a0dcc2c3e1ca6c1b1b3fc620d53716bb05",
        ..PLAIN
    },
    Case {
        name: "v4-header-trim-and-meta",
        time: SPEC_TIME,
        request: Request {
            method: "PUT",
            resource: Resource::Object { bucket: "examplebucket", key: "exampleobject" },
            headers: &[
                ("Content-Type", " text/plain "),
                ("x-oss-meta-author", "  alice  "),
                ("x-oss-storage-class", "IA"),
            ],
            ..EMPTY
        },
        signature: "8476a39b21f70bb1590ffc8e96f09bf8e664fdf5300c0ed1723a9e8d1503925c",
        ..PLAIN
    },
    Case {
        name: "v4-presign-get-minimal",
        time: SPEC_TIME,
        valid_for: Some(3600),
        request: Request {
            method: "GET",
            resource: Resource::Object { bucket: "examplebucket", key: "exampleobject" },
            ..EMPTY
        },
        signature: "42574180c539cb39fff2c3fa4388178518541d6c23ea092b1b0e810622c5508a",
        ..PLAIN
    },
    Case {
        name: "v4-presign-token-needs-encoding",
        token: Some("CAIS+/=abc=="),
        time: SPEC_TIME,
        valid_for: Some(3600),
        request: Request {
            method: "GET",
            resource: Resource::Object { bucket: "examplebucket", key: "exampleobject" },
            query: &[("versionId", "CAEQ/+=")],
            ..EMPTY
        },
        signature: "e587d5401a1237696b41a29e657835fa752130fe30c70d5f692bd007ea8be8b0",
        ..PLAIN
    },
    Case {
        name: "v4-presign-range-additional",
        time: SPEC_TIME,
        valid_for: Some(3600),
        request: Request {
            method: "GET",
            resource: Resource::Object { bucket: "examplebucket", key: "exampleobject" },
            headers: &[("Range", "bytes=0-9"), ("host", "examplebucket.oss-cn-hangzhou.aliyuncs.com")],
            additional: &["Host", "Range"],
            ..EMPTY
        },
        signature: "a988839abffb0472538f5df098aee146ea17577fae7a216ff17105602a844bff",
        ..PLAIN
    },
    Case {
        name: "v4-presign-7-days",
        time: SPEC_TIME,
        valid_for: Some(604800),
        request: Request {
            method: "GET",
            resource: Resource::Object { bucket: "examplebucket", key: "exampleobject" },
            ..EMPTY
        },
        signature: "ca5d4fbe9e2de804c93063beb40aab7489cc68162833f91975a658132d30d7ac",
        ..PLAIN
    },
    Case {
        name: "derived-v4-header-2025-printed-secret",
        id: "LTAI****************",
        secret: "yourAccessKeySecret",
        time: 1744353684,
        request: Request {
            method: "PUT",
            resource: Resource::Object { bucket: "examplebucket", key: "exampleobject" },
            headers: &[
                ("content-disposition", "attachment"),
                ("content-length", "3"),
                ("content-md5", "ICy5YqxZB1uWSwcVLSNLcA=="),
                ("content-type", "text/plain"),
                ("x-oss-content-sha256", "UNSIGNED-PAYLOAD"),
                ("x-oss-date", "20250411T064124Z"),
            ],
            additional: &["content-disposition", "content-length"],
            ..EMPTY
        },
        signature: "d3694c2dfc5371ee6acd35e88c4871ac95a7ba01d3a2f476768fe61218590097",
        ..PLAIN
    },
    Case {
        name: "doc-v4-header-2023",
        id: "accesskeyid",
        secret: "accesskeysecret",
        time: 1701605532,
        request: Request {
            method: "PUT",
            resource: Resource::Object { bucket: "examplebucket", key: "exampleobject" },
            headers: &[
                ("content-md5", "eB5eJF1ptWaXm4bijSPyxw"),
                ("content-type", "text/html"),
                ("host", "examplebucket.oss-cn-hangzhou.aliyuncs.com"),
                ("x-oss-content-sha256", "UNSIGNED-PAYLOAD"),
                ("x-oss-date", "20231203T121212Z"),
                ("x-oss-meta-author", "alice"),
                ("x-oss-meta-magic", "abracadabra"),
            ],
            additional: &["host"],
            ..EMPTY
        },
        signature: "4b663e424d2db9967401ff6ce1c86f8c83cabd77d9908475239d9110642c63fa",
        ..PLAIN
    },
    Case {
        name: "doc-v4-url-2023",
        id: "accesskeyid",
        secret: "accesskeysecret",
        time: 1701605532,
        valid_for: Some(86400),
        request: Request {
            method: "PUT",
            resource: Resource::Object { bucket: "examplebucket", key: "exampleobject" },
            headers: &[
                ("host", "examplebucket.oss-cn-hangzhou.aliyuncs.com"),
                ("x-oss-meta-author", "alice"),
                ("x-oss-meta-magic", "abracadabra"),
            ],
            additional: &["host"],
            ..EMPTY
        },
        signature: "2c6c9f10d8950fb150290ef6f42570e33cd45d6a57ec7887de75fa2ec45b4c72",
        ..PLAIN
    },
    Case {
        name: "derived-v4-url-2024-shape",
        id: "accesskeyid",
        secret: "accesskeysecret",
        time: 1733196187,
        valid_for: Some(86400),
        request: Request {
            method: "GET",
            resource: Resource::Object { bucket: "examplebucket", key: "exampleobject" },
            headers: &[("host", "examplebucket.oss-cn-hangzhou.aliyuncs.com")],
            additional: &["host"],
            ..EMPTY
        },
        signature: "fffca745ff9cd93434c056ab67415b6407ade241c9c8e5198f3920916a8d5a2f",
        ..PLAIN
    },
];
