//! Uploads from forms: policies with V4 and V1 signatures, conditions, the answers that a form may ask for.
#![allow(clippy::unwrap_used)]

mod common;

use core::time::Duration;

use base64ct::{Base64, Encoding as _};
use common::{Answer, BUCKET, Bench, v1_signature};
use oss_emulator::CallbackOutcome;

/// 2023-12-03T12:12:12Z.
const SIGNED_AT: u64 = 1_701_605_532;
/// A policy of the V4 rules and its signature with the key `ak` and the secret `sk`, computed elsewhere.
const V4_POLICY: &str = concat!(
    r#"{"expiration":"2023-12-03T13:00:00.000Z","conditions":[{"bucket":"examplebucket"},"#,
    r#"{"x-oss-signature-version":"OSS4-HMAC-SHA256"},"#,
    r#"{"x-oss-credential":"ak/20231203/cn-hangzhou/oss/aliyun_v4_request"},"#,
    r#"{"x-oss-date":"20231203T121212Z"},["content-length-range",1,1024]]}"#,
);
const V4_SIGNATURE: &str = "00a867c28c763ac3e14a0bd37dd675c9414ee3258e327b629c5ea9531f86c3b1";
/// The same for V1.
const V1_POLICY: &str = concat!(
    r#"{"expiration":"2023-12-03T13:00:00.000Z","conditions":[["eq","$bucket","examplebucket"],"#,
    r#"["content-length-range",0,104857600]]}"#,
);
const V1_SIGNATURE: &str = "W6EHeBo3epsFGgWLD8P9OiRmRFw=";

fn bench() -> Bench {
    let mut bench = Bench::with(|config| {
        let expires_at = Duration::from_secs(SIGNED_AT + 3000);
        config.with_access_key("ak", "sk").with_temporary_key("sts", common::SECRET, "token", expires_at)
    });
    bench.now = Duration::from_secs(SIGNED_AT + 60);
    bench
}

/// Posts fields and a file to the bucket, without any other signature.
fn post(bench: &mut Bench, fields: &[(&str, &str)], file: &str) -> Answer {
    let mut body = String::new();
    for (name, value) in fields {
        body += &format!("--bound\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    body += &format!(
        "--bound\r\nContent-Disposition: form-data; name=\"file\"; filename=\"C:\\dir\\up.txt\"\r\n\
         Content-Type: text/plain\r\n\r\n{file}\r\n--bound--\r\n"
    );
    let headers = [("content-type", "multipart/form-data; boundary=bound")];
    bench.raw("POST", &format!("/{BUCKET}/"), "", &headers, body.as_bytes())
}

/// The fields of a V1 form with this policy.
fn v1(policy: &str) -> [(&'static str, String); 3] {
    let policy = Base64::encode_string(policy.as_bytes());
    let signature = v1_signature(&policy);
    [("OSSAccessKeyId", "id".to_owned()), ("policy", policy), ("Signature", signature)]
}

fn post_v1(bench: &mut Bench, conditions: &str, fields: &[(&str, &str)], file: &str) -> Answer {
    let policy = format!(r#"{{"expiration":"2023-12-03T13:00:00Z","conditions":[{conditions}]}}"#);
    let signed = v1(&policy);
    let mut all: Vec<(&str, &str)> = signed.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.extend_from_slice(fields);
    post(bench, &all, file)
}

#[test]
fn a_v4_policy_lets_upload() {
    let policy = Base64::encode_string(V4_POLICY.as_bytes());
    let fields = [
        ("key", "up/${filename}"),
        ("policy", &policy),
        ("x-oss-signature-version", "OSS4-HMAC-SHA256"),
        ("x-oss-credential", "ak/20231203/cn-hangzhou/oss/aliyun_v4_request"),
        ("x-oss-date", "20231203T121212Z"),
        ("x-oss-signature", V4_SIGNATURE),
        ("x-oss-meta-a", "1"),
    ];
    let mut bench = bench();
    let posted = post(&mut bench, &fields, "content");
    assert_eq!(posted.outcome(), "204", "{posted:?}");
    assert_eq!(posted.header("etag"), Some("\"9A0364B9E99BB480DD25E1F0284C8555\""));
    let got = bench.get("up/up.txt", "");
    assert_eq!((got.text(), got.header("x-oss-meta-a")), ("content", Some("1")));
    assert_eq!(got.header("content-type"), Some("text/plain"));

    let changed = |name: &str, value: &'static str| {
        let mut fields = fields;
        fields.iter_mut().filter(|(other, _)| *other == name).for_each(|field| field.1 = value);
        fields
    };
    for (fields, file, expected) in [
        (changed("x-oss-signature", "00"), "x", "403 SignatureDoesNotMatch"),
        (changed("x-oss-signature", ""), "x", "400 InvalidArgument"),
        (changed("x-oss-date", "20231203T121213Z"), "x", "403 AccessDenied"),
        (changed("x-oss-date", "20231204T121212Z"), "x", "403 AccessDenied"),
        (
            changed("x-oss-credential", "ak/20231203/cn-beijing/oss/aliyun_v4_request"),
            "x",
            "400 InvalidArgument",
        ),
        (
            changed("x-oss-credential", "no/20231203/cn-hangzhou/oss/aliyun_v4_request"),
            "x",
            "403 InvalidAccessKeyId",
        ),
        (changed("x-oss-signature-version", "OSS2"), "x", "400 InvalidArgument"),
        (fields, "", "400 EntityTooSmall"),
        (fields, &"x".repeat(1025), "400 EntityTooLarge"),
    ] {
        assert_eq!(post(&mut bench, &fields, file).outcome(), expected, "{fields:?}");
    }
    bench.now = Duration::from_secs(SIGNED_AT + 48 * 60);
    let late = post(&mut bench, &fields, "x");
    assert_eq!(
        (late.outcome(), late.element("Expires")),
        ("403 AccessDenied".into(), "2023-12-03T13:00:00.000Z".into())
    );
}

#[test]
fn a_v1_policy_lets_upload() {
    let policy = Base64::encode_string(V1_POLICY.as_bytes());
    let fields = [("key", "k"), ("OSSAccessKeyId", "ak"), ("policy", &policy), ("Signature", V1_SIGNATURE)];
    let mut bench = bench();
    assert_eq!(post(&mut bench, &fields, "").outcome(), "204");
    for (at, value, expected) in [
        (3, "x", "403 SignatureDoesNotMatch"),
        (3, "", "400 InvalidArgument"),
        (1, "sts", "403 InvalidAccessKeyId"),
        (0, "/k", "400 InvalidObjectName"),
    ] {
        let mut fields = fields;
        fields[at].1 = value;
        assert_eq!(post(&mut bench, &fields, "").outcome(), expected, "{fields:?}");
    }
    assert_eq!(post(&mut bench, &fields[..2], "").outcome(), "400 InvalidArgument");
    assert_eq!(post(&mut bench, &fields[1..], "").outcome(), "400 InvalidArgument");
    let sts =
        [&fields[..1], &[("OSSAccessKeyId", "sts"), fields[2], ("x-oss-security-token", "token")]].concat();
    let signature = v1_signature(&policy);
    let signed = [&sts[..], &[("Signature", &signature)]].concat();
    assert_eq!(post(&mut bench, &signed, "").outcome(), "204");
    bench.emulator.configure(|config| config.without_signature_v1());
    assert_eq!(post(&mut bench, &fields, "").outcome(), "403 AccessDenied");
}

#[test]
fn conditions_are_checked() {
    let fields = [("key", "user/eric/k"), ("success_action_status", "201"), ("Content-Type", "image/png")];
    let mut bench = bench();
    for (conditions, expected) in [
        (r#"["starts-with","$key","user/eric/"]"#, "201"),
        (r#"["starts-with","$key","user/anna/"]"#, "403 AccessDenied"),
        (r#"{"success_action_status":"201"}"#, "201"),
        (r#"["eq","$Success_Action_Status","200"]"#, "403 AccessDenied"),
        (r#"["in","$content-type",["image/jpg","image/png"]]"#, "201"),
        (r#"["not-in","$content-type",["image/jpg","image/png"]]"#, "403 AccessDenied"),
        (r#"["not-in","$cache-control",["no-cache"]]"#, "201"),
        (r#"["eq","$x-oss-meta-a","1"]"#, "403 AccessDenied"),
        (r#"{"bucket":"otherbucket"}"#, "403 AccessDenied"),
        (r#"["content-length-range",0,6]"#, "400 EntityTooLarge"),
        (r#"["content-length-range",8,9]"#, "400 EntityTooSmall"),
        (r#"["like","$key","x"]"#, "400 InvalidPolicyDocument"),
        (r#"["eq","key","x"]"#, "400 InvalidPolicyDocument"),
        (r#"["$key"]"#, "400 InvalidPolicyDocument"),
        ("", "400 InvalidPolicyDocument"),
    ] {
        assert_eq!(post_v1(&mut bench, conditions, &fields, "content").outcome(), expected, "{conditions}");
    }
    for policy in [
        "",
        "{}",
        "not JSON",
        r#"{"expiration":"2023-12-03T13:00:00Z"}"#,
        r#"{"expiration":"tomorrow","conditions":[{"bucket":"examplebucket"}]}"#,
        r#"{"expiration":"2023-12-03T13:00:00Z","conditions":[{"bucket":"examplebucket"}],"more":1}"#,
    ] {
        let signed = v1(policy);
        let mut all: Vec<(&str, &str)> = signed.iter().map(|(name, value)| (*name, value.as_str())).collect();
        all.extend_from_slice(&fields);
        assert_eq!(post(&mut bench, &all, "x").outcome(), "400 InvalidPolicyDocument", "{policy}");
    }
    let failed = post_v1(&mut bench, r#"["eq","$key","a\"b"]"#, &fields, "x");
    assert!(failed.element("Message").ends_with("[&quot;eq&quot;,&quot;$key&quot;,&quot;a\\&quot;b&quot;]"));
}

#[test]
fn a_form_chooses_its_answer() {
    let mut bench = bench();
    let any = r#"{"bucket":"examplebucket"}"#;
    let created = post_v1(&mut bench, any, &[("key", "a/b"), ("success_action_status", "201")], "x");
    assert_eq!(
        (created.status, created.element("Key"), created.element("Bucket")),
        (201, "a/b".into(), BUCKET.into())
    );
    assert_eq!(created.element("ETag").replace("&quot;", "\""), created.header("etag").unwrap());
    let ok = post_v1(&mut bench, any, &[("key", "k"), ("success_action_status", "200")], "x");
    assert_eq!((ok.status, ok.text()), (200, ""));
    let to = [("key", "a b"), ("success_action_redirect", "http://app.example/?a=1")];
    let redirect = post_v1(&mut bench, any, &to, "x");
    let location = redirect.header("location").unwrap();
    assert!(
        redirect.status == 303
            && location.starts_with("http://app.example/?a=1&bucket=examplebucket&key=a%20b&etag=")
    );
    let again = [("key", "k"), ("x-oss-forbid-overwrite", "true")];
    assert_eq!(post_v1(&mut bench, any, &again, "x").outcome(), "409 FileAlreadyExists");
    let kind = [
        ("key", "k"),
        ("x-oss-content-type", "a/b"),
        ("content-type", "c/d"),
        ("x-oss-object-acl", "public-read"),
    ];
    assert_eq!(post_v1(&mut bench, any, &kind, "x").status, 204);
    assert_eq!(bench.raw("GET", "/examplebucket/k", "", &[], b"").header("content-type"), Some("a/b"));

    bench.emulator.configure(|config| {
        config.with_callback(|call| CallbackOutcome::Answered(format!("\"{}\"", call.body)))
    });
    let callback =
        Base64::encode_string(br#"{"callbackUrl":"http://x","callbackBody":"${object}-${x:own}"}"#);
    let own = [("key", "k"), ("callback", &callback), ("x:own", "v")];
    let called = post_v1(&mut bench, any, &own, "x");
    assert_eq!((called.status, called.text()), (200, "\"k-v\""));
}

#[test]
fn a_form_without_a_policy_is_anonymous() {
    let mut bench = bench();
    assert_eq!(post(&mut bench, &[("key", "k")], "x").outcome(), "403 AccessDenied");
    bench.put("", "acl", &[("x-oss-acl", "public-read-write")], "");
    assert_eq!(post(&mut bench, &[("key", "k")], "x").outcome(), "204");
    assert_eq!(bench.get("k", "").text(), "x");
    let plain = bench.raw("POST", "/examplebucket/", "", &[("content-type", "text/plain")], b"x");
    assert_eq!(plain.outcome(), "400 RequestIsNotMultiPartContent");
    let none = bench.raw("POST", "/nosuchbucket/", "", &[], b"x");
    assert_eq!(none.outcome(), "404 NoSuchBucket");
}
