use super::*;
use http::{HeaderName, HeaderValue};

/// OSS document "Include a V4 signature in the Authorization header": the example with a printed result.
const DOCUMENTED_SIGNATURE: &str = "4b663e424d2db9967401ff6ce1c86f8c83cabd77d9908475239d9110642c63fa";
const CREDENTIAL: &str = "accesskeyid/20231203/cn-hangzhou/oss/aliyun_v4_request";
const HEADERS: [(&str, &str); 7] = [
    ("content-md5", "eB5eJF1ptWaXm4bijSPyxw"),
    ("content-type", "text/html"),
    ("host", "examplebucket.oss-cn-hangzhou.aliyuncs.com"),
    ("x-oss-content-sha256", "UNSIGNED-PAYLOAD"),
    ("x-oss-date", "20231203T121212Z"),
    ("x-oss-meta-author", "alice"),
    ("x-oss-meta-magic", "abracadabra"),
];
/// 2023-12-03T12:12:12Z.
const SIGNED_AT: u64 = 1_701_605_532;

fn config() -> Config {
    Config::new("cn-hangzhou").with_access_key("accesskeyid", "accesskeysecret").with_temporary_key(
        "sts",
        "accesskeysecret",
        "token",
        Duration::from_secs(SIGNED_AT + 60),
    )
}

fn request(uri: &str, headers: &[(&str, &str)]) -> Request {
    let mut builder = http::Request::put(uri);
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        builder = builder.header(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let (head, ()) = builder.body(()).unwrap().into_parts();
    Request::parse(&head, &config()).unwrap()
}

fn outcome(request: &Request, now: u64) -> String {
    match authenticate(request, &config(), Duration::from_secs(now)) {
        Ok(identity) => format!("{identity:?}"),
        Err(fault) => {
            let document = fault.document("", "");
            let code = document.split("<Code>").nth(1).unwrap().split('<').next().unwrap();
            format!("{code} {}", fault.ec()).trim().to_owned()
        }
    }
}

fn with_authorization(authorization: &str, changes: &[(&str, &str)]) -> Request {
    let mut headers = HEADERS.to_vec();
    headers.push(("authorization", authorization));
    for (name, value) in changes {
        headers.retain(|(other, _)| other != name);
        if !value.is_empty() {
            headers.push((name, value));
        }
    }
    request("/exampleobject", &headers)
}

#[test]
fn documented_header_signature_is_accepted_in_every_spelling() {
    let signature = format!("Signature={DOCUMENTED_SIGNATURE}");
    for list in [
        format!("Credential={CREDENTIAL},AdditionalHeaders=host,{signature}"),
        format!("Credential={CREDENTIAL}, AdditionalHeaders=host, {signature}"),
        format!("Credential={CREDENTIAL}, {signature}, AdditionalHeaders=host"),
    ] {
        let request = with_authorization(&format!("OSS4-HMAC-SHA256 {list}"), &[]);
        assert_eq!(outcome(&request, SIGNED_AT), "Owner", "{list}");
    }
}

#[test]
fn documented_url_signature_is_accepted_until_it_expires() {
    let uri = format!(
        "/exampleobject?x-oss-additional-headers=host&x-oss-credential={}&x-oss-date=20231203T121212Z\
         &x-oss-expires=86400&x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-signature=\
         2c6c9f10d8950fb150290ef6f42570e33cd45d6a57ec7887de75fa2ec45b4c72",
        CREDENTIAL.replace('/', "%2F")
    );
    let headers = [HEADERS[2], HEADERS[5], HEADERS[6]];
    let valid = request(&uri, &headers);
    for (now, expected) in [
        (SIGNED_AT, "Owner"),
        (SIGNED_AT - 900, "Owner"),
        (SIGNED_AT - 901, "AccessDenied 0002-00000235"),
        (SIGNED_AT + 86_400, "Owner"),
        (SIGNED_AT + 86_401, "AccessDenied 0002-00000236"),
    ] {
        assert_eq!(outcome(&valid, now), expected);
    }
    for (from, to, expected) in [
        ("expires=86400", "expires=86401", "SignatureDoesNotMatch 0002-00000201"),
        ("expires=86400", "expires=604801", "InvalidArgument 0002-00000232"),
        ("expires=86400", "expires=0", "InvalidArgument 0002-00000232"),
        ("version=OSS4-HMAC-SHA256", "version=OSS2", "InvalidArgument 0002-00000218"),
        ("x-oss-date=20231203T121212Z&", "", "InvalidArgument 0002-00000215"),
        ("exampleobject?", "exampleobject2?", "SignatureDoesNotMatch 0002-00000201"),
        ("x-oss-expires", "acl&x-oss-expires", "SignatureDoesNotMatch 0002-00000201"),
        ("x-oss-expires", "x-oss-meta-magic=b&x-oss-expires", "InvalidArgument"),
    ] {
        assert_eq!(outcome(&request(&uri.replace(from, to), &headers), SIGNED_AT), expected, "{to}");
    }
}

#[test]
fn refusals_have_the_documented_codes() {
    let good = format!("Credential={CREDENTIAL},AdditionalHeaders=host,Signature={DOCUMENTED_SIGNATURE}");
    let changed = |from: &str, to: &str| good.replace(from, to);
    for (authorization, changes, expected) in [
        (good.clone(), &[("x-oss-meta-magic", "b")][..], "SignatureDoesNotMatch 0002-00000040"),
        (good.clone(), &[("host", "")], "InvalidArgument 0002-00000078"),
        (good.clone(), &[("x-oss-content-sha256", "")], "InvalidArgument 0002-00000214"),
        (good.clone(), &[("x-oss-date", "")], "InvalidArgument 0002-00000503"),
        (good.clone(), &[("x-oss-date", "yesterday")], "InvalidArgument 0002-00000505"),
        (good.clone(), &[("x-oss-date", "20231204T121212Z")], "RequestTimeTooSkewed 0002-00000504"),
        (
            good.clone(),
            &[("x-oss-date", ""), ("date", "Sun, 03 Dec 2023 12:12:12 GMT")],
            "SignatureDoesNotMatch 0002-00000040",
        ),
        (good.clone(), &[("x-oss-security-token", "t")], "AccessKeyIdAndSecurityTokenNotMatch 0002-00000004"),
        (changed("=host", "="), &[], "InvalidArgument 0002-00000209"),
        (changed("=host", "=content-type"), &[], "InvalidArgument 0002-00000077"),
        (changed("AdditionalHeaders", "Other"), &[], "InvalidArgument 0002-00000204"),
        (changed(",Signature=", ",Signature"), &[], "InvalidArgument 0002-00000203"),
        (changed("Signature=", "Credential="), &[], "InvalidArgument 0002-00000202"),
        (format!("Credential={CREDENTIAL}"), &[], "InvalidArgument 0002-00000202"),
        (changed("accesskeyid", "other"), &[], "InvalidAccessKeyId 0002-00000902"),
        (changed("accesskeyid", "sts"), &[], "InvalidAccessKeyId 0002-00000902"),
        (
            changed("accesskeyid", "sts"),
            &[("x-oss-security-token", "other")],
            "InvalidSecurityToken 0002-00000006",
        ),
        (
            changed("accesskeyid", "sts"),
            &[("x-oss-security-token", "token")],
            "SignatureDoesNotMatch 0002-00000040",
        ),
        (changed("cn-hangzhou", "oss-cn-hangzhou"), &[], "InvalidArgument 0002-00000226"),
        (changed("cn-hangzhou", "cn-beijing"), &[], "InvalidArgument 0002-00000226"),
        (changed("/oss/", "/oss-cloudbox/"), &[], "InvalidArgument 0002-00000213"),
        (changed("aliyun_v4", "aliyun_v5"), &[], "InvalidArgument 0002-00000213"),
        (changed("20231203", "2023-12-03"), &[], "InvalidArgument 0002-00000212"),
        (changed("20231203", "20231204"), &[], "InvalidArgument 0002-00000223"),
    ] {
        let request = with_authorization(&format!("OSS4-HMAC-SHA256 {authorization}"), changes);
        assert_eq!(outcome(&request, SIGNED_AT), expected, "{authorization} {changes:?}");
    }
    let expired = with_authorization(
        &format!("OSS4-HMAC-SHA256 {}", changed("accesskeyid", "sts")),
        &[("x-oss-security-token", "token")],
    );
    assert_eq!(outcome(&expired, SIGNED_AT + 60), "SecurityTokenExpired 0002-00000007");
}

#[test]
fn other_schemes_and_no_scheme() {
    for (authorization, expected) in [
        ("", "Anonymous"),
        ("OSS id:c2lnbmF0dXJl", "InvalidAccessKeyId 0002-00000902"),
        ("OSS id", "InvalidArgument 0002-00000103"),
        ("OSS :", "InvalidArgument 0002-00000103"),
        ("AWS4-HMAC-SHA256 Credential=a", "InvalidArgument 0002-00000202"),
        ("OSS4-HMAC-SHA256", "InvalidArgument 0002-00000202"),
    ] {
        let request = with_authorization("x", &[("authorization", authorization)]);
        assert_eq!(outcome(&request, SIGNED_AT), expected, "{authorization}");
    }
    for (uri, expected) in [
        ("/?acl&OSSAccessKeyId=a&Expires=1&Signature=b", "AccessDenied 0002-00000079"),
        ("/k?OSSAccessKeyId=a&Expires=1&Signature=b", "AccessDenied 0002-00000069"),
        ("/k?OSSAccessKeyId=a&Signature=b", "AccessDenied 0002-00000061"),
        ("/k?Expires=1&Signature=b", "AccessDenied 0002-00000061"),
        ("/k?OSSAccessKeyId=a&Expires=never&Signature=b", "AccessDenied 0002-00000068"),
        ("/k?OSSAccessKeyId=a&Expires=2000000000&Signature=b", "InvalidAccessKeyId 0002-00000902"),
    ] {
        assert_eq!(outcome(&request(uri, &[HEADERS[2]]), SIGNED_AT), expected, "{uri}");
    }
    let both = request("/k?OSSAccessKeyId=b", &[HEADERS[2], ("authorization", "OSS a:b")]);
    assert_eq!(outcome(&both, SIGNED_AT), "InvalidArgument");
    let both = request("/k?x-oss-signature=b", &[HEADERS[2], ("authorization", "OSS4-HMAC-SHA256 x=y")]);
    assert_eq!(outcome(&both, SIGNED_AT), "InvalidArgument");
}

/// 2022-12-28T10:27:41Z.
const V1_SIGNED_AT: u64 = 1_672_223_261;
const V1_DATE: (&str, &str) = ("x-oss-date", "Wed, 28 Dec 2022 10:27:41 GMT");

fn v1_config() -> Config {
    let expires_at = Duration::from_secs(1_800_000_000);
    Config::new("cn-hangzhou")
        .with_access_key("ak", "sk")
        .with_temporary_key("sts", "sk", "token", expires_at)
}

fn v1_outcome(config: &Config, request: &Request, now: u64) -> String {
    match authenticate(request, config, Duration::from_secs(now)) {
        Ok(identity) => format!("{identity:?}"),
        Err(fault) => {
            let document = fault.document("", "");
            let element = |name: &str| document.split(&format!("<{name}>")).nth(1)?.split('<').next();
            let ec = fault.ec();
            format!("{} {}", element("Code").unwrap(), element("StringToSign").unwrap_or(ec))
        }
    }
}

/// Signatures that the unit tests of two official SDKs assert.
#[test]
fn v1_header_signatures_of_others_are_accepted() {
    let put = [
        ("host", "examplebucket.oss-cn-hangzhou.aliyuncs.com"),
        ("content-md5", "eB5eJF1ptWaXm4bijSPyxw=="),
        ("content-type", "text/html"),
        ("x-oss-meta-author", "alice"),
        ("x-oss-meta-magic", "abracadabra"),
        V1_DATE,
    ];
    let get = [put[0], V1_DATE];
    for (uri, headers, signature) in [
        ("/nelson", &put[..], "kSHKmLxlyEAKtZPkJhG9bZb5k7M="),
        ("/nelson?acl", &put[..], "/afkugFbmWDQ967j1vr6zygBLQk="),
        ("/nelson?acl=&prefix=x", &put[..], "/afkugFbmWDQ967j1vr6zygBLQk="),
    ] {
        let authorization = format!("OSS ak:{signature}");
        let mut headers = headers.to_vec();
        headers.push(("authorization", &authorization));
        let request = request(uri, &headers);
        assert_eq!(v1_outcome(&v1_config(), &request, V1_SIGNED_AT), "Owner", "{uri}");
        assert_eq!(v1_outcome(&v1_config(), &request, V1_SIGNED_AT + 900), "Owner");
        assert_eq!(
            v1_outcome(&v1_config(), &request, V1_SIGNED_AT + 901),
            "RequestTimeTooSkewed 0002-00000504"
        );
        let refused = v1_outcome(&v1_config().without_signature_v1(), &request, V1_SIGNED_AT);
        assert_eq!(refused, "AccessDenied 0002-00000080");
    }
    for (uri, signature) in [
        ("/?resourceGroup&non-resousce=null", "vkQmfuUDyi1uDi3bKt67oemssIs="),
        ("/?resourceGroup&acl", "x3E5TgOvl/i7PN618s5mEvpJDYk="),
    ] {
        let mut request = request(uri, &[get.as_slice(), &[("authorization", "x")]].concat());
        request.method = http::Method::GET;
        let value = HeaderValue::from_str(&format!("OSS ak:{signature}")).unwrap();
        request.headers.insert(AUTHORIZATION, value);
        assert_eq!(v1_outcome(&v1_config(), &request, V1_SIGNED_AT), "Owner", "{uri}");
    }
}

#[test]
fn v1_url_signatures_of_others_are_accepted_until_they_expire() {
    for (uri, token, signature, ends) in [
        ("/key?versionId=versionId", "", "dcLTea+Yh9ApirQ8o8dOPqtvJXQ=", 1_699_807_420_u64),
        (
            "/key%2B123?versionId=versionId",
            "&security-token=token",
            "jzKYRrM5y6Br0dRFPaTGOsbrDhY=",
            1_699_808_204,
        ),
    ] {
        let id = if token.is_empty() { "ak" } else { "sts" };
        let encoded = utf8_percent_encode(signature, UNRESERVED);
        let uri = format!("{uri}{token}&OSSAccessKeyId={id}&Expires={ends}&Signature={encoded}");
        let mut request = request(&uri, &[("host", "bucket.oss-cn-hangzhou.aliyuncs.com")]);
        request.method = http::Method::GET;
        assert_eq!(v1_outcome(&v1_config(), &request, ends), "Owner", "{uri}");
        assert_eq!(v1_outcome(&v1_config(), &request, ends + 1), "AccessDenied 0002-00000069");
        request.method = http::Method::PUT;
        let refused = v1_outcome(&v1_config(), &request, ends);
        assert!(refused.starts_with("SignatureDoesNotMatch PUT\n\n\n"), "{refused}");
    }
}

#[test]
fn a_v1_mismatch_shows_what_the_server_signed() {
    let headers = [HEADERS[2], V1_DATE, ("x-oss-meta-a", " b "), ("authorization", "OSS ak:00")];
    let request = request("/k?x-oss-process=style%2Fa&uploads&max-keys=1", &headers);
    assert_eq!(
        v1_outcome(&v1_config(), &request, V1_SIGNED_AT),
        "SignatureDoesNotMatch PUT\n\n\nWed, 28 Dec 2022 10:27:41 GMT\nx-oss-date:Wed, 28 Dec 2022 10:27:41 \
         GMT\nx-oss-meta-a:b\n/examplebucket/k?uploads&amp;x-oss-process=style/a"
    );
    for (headers, expected) in [
        (&[HEADERS[2], ("authorization", "OSS ak:00")][..], "AccessDenied 0002-00000503"),
        (&[HEADERS[2], ("authorization", "OSS ak:00"), ("date", "now")], "AccessDenied 0002-00000505"),
        (&[HEADERS[2], ("authorization", "OSS sts:00"), V1_DATE], "InvalidAccessKeyId 0002-00000902"),
        (
            &[HEADERS[2], ("authorization", "OSS sts:00"), V1_DATE, ("x-oss-security-token", "x")],
            "InvalidSecurityToken 0002-00000006",
        ),
    ] {
        let request = self::request("/k", headers);
        assert_eq!(v1_outcome(&v1_config(), &request, V1_SIGNED_AT), expected, "{headers:?}");
    }
}

#[test]
fn a_mismatch_shows_what_the_server_signed() {
    let authorization = format!("OSS4-HMAC-SHA256 Credential={CREDENTIAL},Signature=00");
    let request = with_authorization(&authorization, &[("x-oss-meta-magic", "  two\t ")]);
    let fault = authenticate(&request, &config(), Duration::from_secs(SIGNED_AT)).unwrap_err();
    let document = fault.document("", "");
    for part in [
        "<SignatureProvided>00</SignatureProvided>",
        "<StringToSign>OSS4-HMAC-SHA256\n20231203T121212Z\n20231203/cn-hangzhou/oss/aliyun_v4_request\n",
        "<CanonicalRequest>PUT\n/examplebucket/exampleobject\n\ncontent-md5:",
        "x-oss-meta-magic:two\n\n\nUNSIGNED-PAYLOAD</CanonicalRequest>",
        "<StringToSignBytes>4F 53 53 34 ",
    ] {
        assert!(document.contains(part), "{part} is not in {document}");
    }
    assert!(!document.contains("accesskeysecret"));
}
