//! STS: who may call it, what a call may say, what it answers, and how long its credentials work.
#![allow(clippy::unwrap_used)]

mod common;

use core::time::Duration;

use common::sts::{FORM, Key, Sts, WAYS, Way, query};
use common::{Answer, Bench, iso_seconds};
use oss_emulator::{Role, StsRefusal};
use proptest::prelude::*;

const ROLE: &str = "acs:ram::1234567890123456:role/writer";
const LONG: &str = "acs:ram::1234567890123456:role/long";
const GUARDED: &str = "acs:ram::1234567890123456:role/guarded";
const PROVIDER: &str = "acs:ram::1234567890123456:oidc-provider/cluster";
const NOW: Duration = Duration::from_secs(1_700_000_000);

fn bench() -> Bench {
    Bench::with(|config| {
        config
            .with_access_key("account", "account-secret")
            .without_assume_role("account")
            .with_role(ROLE)
            .with_role(Role::new(LONG).with_session_max(Duration::from_secs(43_200)))
            .with_role(Role::new(GUARDED).with_external_id("partner:7"))
            .with_oidc_token(PROVIDER, "a.good.token", NOW + Duration::from_secs(600))
            .with_oidc_token(PROVIDER, "an.old.token", NOW)
    })
}

fn assume(bench: &mut Bench, parameters: &[(&str, &str)]) -> Answer {
    let mut all = vec![("RoleArn", ROLE), ("RoleSessionName", "alice")];
    all.retain(|(name, _)| !parameters.iter().any(|(other, _)| other == name));
    all.extend(parameters.iter().filter(|(_, value)| *value != "-"));
    Sts::new(Way::RpcBody, "AssumeRole", bench).send(bench, &all)
}

#[test]
fn credentials_come_by_every_signature() {
    for way in WAYS {
        let mut bench = bench();
        let parameters = [("RoleArn", ROLE), ("RoleSessionName", "a@b.c-d_e"), ("DurationSeconds", "900")];
        let answer = Sts::new(way, "AssumeRole", &mut bench).send(&mut bench, &parameters);
        assert_eq!(answer.said(), "200", "{way:?}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/json;charset=utf-8"));
        assert_eq!(answer.header("date"), Some("Tue, 14 Nov 2023 22:13:20 GMT"));
        let id = answer.json("RequestId");
        assert_eq!((answer.header("x-acs-request-id"), id.len()), (Some(id.as_str()), 36));
        assert_eq!(answer.json("Arn"), format!("{ROLE}/a@b.c-d_e"));
        assert!(answer.json("AssumedRoleId").ends_with(":a@b.c-d_e"), "{}", answer.text());
        assert_eq!(answer.json("Expiration"), "2023-11-14T22:28:20Z");
        let key = Key::of(&answer);
        assert!(key.id.starts_with("STS.") && key.secret.len() == 44 && key.token.unwrap().len() > 700);
        let counters = bench.emulator.counters();
        assert_eq!((counters.assume_role, counters.issued, counters.sts_refused), (1, 1, 0));
    }
}

#[test]
fn answers_and_refusals_in_xml() {
    let mut bench = bench();
    for (format, way) in [("XML", Way::RpcQuery), ("xml", Way::Acs3Body), ("", Way::RpcQuery)] {
        let parameters = [("RoleArn", ROLE), ("RoleSessionName", "alice"), ("Format", format)];
        let answer = Sts::new(way, "AssumeRole", &mut bench).send(&mut bench, &parameters);
        assert_eq!(answer.header("content-type"), Some("text/xml;charset=utf-8"));
        assert!(answer.text().contains("<AssumeRoleResponse><RequestId>"), "{}", answer.text());
        assert_eq!(answer.element("Arn"), format!("{ROLE}/alice"));
        assert_eq!(answer.element("Expiration"), "2023-11-14T23:13:20Z");
    }
    let answer = assume(&mut bench, &[("Format", "XML"), ("RoleSessionName", "<&")]);
    assert_eq!(answer.outcome(), "400 InvalidParameter.RoleSessionName");
    assert_eq!(answer.element("HostId"), "127.0.0.1");
    assert_eq!(assume(&mut bench, &[("Format", "yaml")]).outcome(), "400 InvalidParameter.Format");
}

#[test]
fn parameters_have_their_documented_rules() {
    let mut bench = bench();
    let (long_id, long_name) = ("x".repeat(1225), "n".repeat(65));
    let statement = |length: usize| {
        let text = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:*","Resource":"*"}]}"#;
        format!("{text}{}", " ".repeat(length - text.len()))
    };
    let (fits, too_long) = (statement(2048), statement(2049));
    for (name, value, expected) in [
        ("RoleArn", "-", "400 MissingRoleArn"),
        ("RoleArn", "writer", "400 InvalidParameter.RoleArn"),
        ("RoleArn", "acs:ram::x:role/writer", "400 InvalidParameter.RoleArn"),
        ("RoleArn", "acs:ram::1234567890123456:user/writer", "400 InvalidParameter.RoleArn"),
        ("RoleArn", "acs:ram::1234567890123456:role/nobody", "404 EntityNotExist.Role"),
        ("RoleArn", GUARDED, "403 NoPermission"),
        ("RoleSessionName", "-", "400 MissingRoleSessionName"),
        ("RoleSessionName", "a", "400 InvalidParameter.RoleSessionName"),
        ("RoleSessionName", "a b", "400 InvalidParameter.RoleSessionName"),
        ("RoleSessionName", "名字", "400 InvalidParameter.RoleSessionName"),
        ("RoleSessionName", &long_name, "400 InvalidParameter.RoleSessionName"),
        ("RoleSessionName", &long_name[1..], "200"),
        ("DurationSeconds", "899", "400 InvalidParameter.DurationSeconds"),
        ("DurationSeconds", "900", "200"),
        ("DurationSeconds", "3600", "200"),
        ("DurationSeconds", "3601", "400 InvalidParameter.DurationSeconds"),
        ("DurationSeconds", "an hour", "400 InvalidParameter.DurationSeconds"),
        ("DurationSeconds", "-1", "400 InvalidParameter.DurationSeconds"),
        ("ExternalId", "x", "400 InvalidParameter.ExternalId"),
        ("ExternalId", "a b", "400 InvalidParameter.ExternalId"),
        ("ExternalId", &long_id, "400 InvalidParameter.ExternalId"),
        ("ExternalId", "w_+=,.@:/-", "200"),
        ("SourceIdentity", "alice", "200"),
        ("SourceIdentity", "acs:alice", "400 InvalidParameter.SourceIdentity"),
        ("SourceIdentity", "aliyun:a", "400 InvalidParameter.SourceIdentity"),
        ("Policy", &fits, "200"),
        ("Policy", &too_long, "400 InvalidParameter.PolicySize"),
        ("Policy", "{", "400 InvalidParameter.PolicyGrammar"),
        ("Policy", "{}", "400 InvalidParameter.PolicyGrammar"),
    ] {
        let answer = assume(&mut bench, &[(name, value)]);
        assert_eq!(answer.said(), expected, "{name} {value:.60}: {}", answer.text());
    }
    for (seconds, expected) in [("43200", "200"), ("43201", "400 InvalidParameter.DurationSeconds")] {
        assert_eq!(assume(&mut bench, &[("RoleArn", LONG), ("DurationSeconds", seconds)]).said(), expected);
    }
    let trusted = assume(&mut bench, &[("RoleArn", GUARDED), ("ExternalId", "partner:7")]);
    assert_eq!(trusted.said(), "200");
    let named = assume(&mut bench, &[("SourceIdentity", "alice")]);
    assert_eq!(named.json("SourceIdentity"), "alice");
}

#[test]
fn signatures_are_verified() {
    for way in WAYS {
        let mut bench = bench();
        let good = [("RoleArn", ROLE), ("RoleSessionName", "alice")];
        let mut outcome = |change: &dyn Fn(&mut Sts<'_>)| {
            let mut call = Sts::new(way, "AssumeRole", &mut bench);
            change(&mut call);
            call.send(&mut bench, &good).said()
        };
        assert_eq!(outcome(&|_| {}), "200");
        assert_eq!(outcome(&|call| call.nonce = "once".to_owned()), "200");
        assert_eq!(outcome(&|call| call.nonce = "once".to_owned()), "400 SignatureNonceUsed", "{way:?}");
        let stranger = Key::new("nobody", common::SECRET, None);
        assert_eq!(outcome(&|call| call.key = stranger.clone()), "404 InvalidAccessKeyId.NotFound");
        let liar = Key::new("id", "guess", None);
        assert_eq!(outcome(&|call| call.key = liar.clone()), "400 SignatureDoesNotMatch");
        let account = Key::new("account", "account-secret", None);
        assert_eq!(outcome(&|call| call.key = account.clone()), "403 NoPermission");
        let mixed = Key::new("id", common::SECRET, Some("token"));
        let expected = "400 InvalidSecurityToken.MismatchWithAccessKey";
        assert_eq!(outcome(&|call| call.key = mixed.clone()), expected);
        assert_eq!(outcome(&|call| call.smuggled = "&SourceIdentity=eve"), "400 SignatureDoesNotMatch");
        assert_eq!(outcome(&|call| call.version = "2014-05-26"), "400 InvalidVersion");
        assert_eq!(outcome(&|call| call.action = "AssumeEverything"), "404 InvalidAction.NotFound");
        assert_eq!(outcome(&|call| call.signed_at = "now".to_owned()), "400 InvalidTimeStamp.Format");
        let late = if matches!(way, Way::RpcQuery | Way::RpcBody) { 31 * 60 } else { 15 * 60 };
        for (signed_at, expected) in [
            (NOW - Duration::from_secs(late), "200"),
            (NOW - Duration::from_secs(late + 1), "400 InvalidTimeStamp.Expired"),
            (NOW + Duration::from_secs(15 * 60), "200"),
            (NOW + Duration::from_secs(15 * 60 + 1), "400 InvalidTimeStamp.Expired"),
        ] {
            let text = iso_seconds(signed_at);
            assert_eq!(outcome(&|call| call.signed_at = text.clone()), expected, "{way:?} {text}");
        }
    }
}

#[test]
fn a_changed_request_is_refused() {
    let mut bench = bench();
    let call = |tail: &str| {
        // Signed for another session name: what is signed is what counts.
        let fields = "AccessKeyId=id&Action=AssumeRole&Format=JSON&Signature=AAAA&SignatureMethod=HMAC-SHA1\
                      &SignatureNonce=n&SignatureVersion=1.0&Version=2015-04-01\
                      &Timestamp=2023-11-14T22%3A13%3A20Z";
        format!("{fields}{tail}")
    };
    let refused = bench.raw("GET", "/", &call("&RoleArn=x&RoleSessionName=y"), &[], b"");
    assert_eq!(refused.said(), "400 SignatureDoesNotMatch");
    assert!(refused.json("Message").contains("server string to sign is:GET&%2F&AccessKeyId%3Did%26Action"));
    for (from, to, expected) in [
        ("Signature=AAAA&", "", "400 MissingSignature"),
        ("AccessKeyId=id&", "", "400 MissingAccessKeyId"),
        ("SignatureNonce=n&", "", "400 MissingSignatureNonce"),
        ("HMAC-SHA1", "HMAC-SHA256", "400 InvalidSignatureMethod"),
        ("SignatureVersion=1.0", "SignatureVersion=2.0", "400 InvalidSignatureVersion"),
        ("&Timestamp=2023-11-14T22%3A13%3A20Z", "", "400 MissingTimestamp"),
        ("&Version=2015-04-01", "", "400 MissingVersion"),
    ] {
        let answer = bench.raw("GET", "/", &call("").replace(from, to), &[], b"");
        assert_eq!(answer.said(), expected, "{from}");
    }
    let query = call("");
    assert_eq!(bench.raw("DELETE", "/", &query, &[], b"").said(), "403 UnsupportedHTTPMethod");
    let kind = ("content-type", "text/plain");
    let answer = bench.raw("POST", "/", &query, &[kind], b"RoleArn=x");
    assert_eq!(answer.said(), "400 InvalidParameter.ContentType");
    let long = "x".repeat(200 * 1024);
    assert_eq!(bench.raw("POST", "/", &query, &[FORM], long.as_bytes()).status, 413);
    assert_eq!(bench.emulator.counters().issued, 0);
}

#[test]
fn a_session_calls_sts_until_it_ends() {
    for way in WAYS {
        let mut bench = bench();
        let key = Key::of(&assume(&mut bench, &[("DurationSeconds", "900")]));
        let mut identity = |key: &Key, now: Duration| {
            bench.now = now;
            let mut call = Sts::new(way, "GetCallerIdentity", &mut bench);
            call.key = key.clone();
            call.send(&mut bench, &[])
        };
        let answer = identity(&key, NOW);
        assert_eq!(answer.json("IdentityType"), "AssumedRoleUser", "{}", answer.text());
        assert_eq!(answer.json("Arn"), "acs:ram::1234567890123456:assumed-role/writer/alice");
        assert_eq!(answer.json("AccountId"), "1234567890123456");
        let user = identity(&Key::new("id", common::SECRET, None), NOW);
        assert_eq!(user.json("Arn"), "acs:ram::1234567890123456:user/id");
        let bare = Key { token: None, ..key.clone() };
        assert_eq!(identity(&bare, NOW).said(), "400 MissingSecurityToken");
        let other = Key { token: Some("other".to_owned()), ..key.clone() };
        assert_eq!(identity(&other, NOW).said(), "400 InvalidSecurityToken.Malformed");
        assert_eq!(identity(&key, NOW + Duration::from_secs(899)).said(), "200");
        let over = identity(&key, NOW + Duration::from_secs(900));
        assert_eq!(over.said(), "400 InvalidSecurityToken.Expired");
    }
}

#[test]
fn oidc_needs_a_token_and_no_signature() {
    let mut bench = bench();
    let good = [
        ("Action", "AssumeRoleWithOIDC"),
        ("Version", "2015-04-01"),
        ("Format", "JSON"),
        ("RoleArn", ROLE),
        ("OIDCProviderArn", PROVIDER),
        ("OIDCToken", "a.good.token"),
        ("RoleSessionName", "pod"),
    ];
    let mut outcome = |name: &str, value: &str, now: Duration| {
        bench.now = now;
        let mut pairs = good.to_vec();
        pairs.retain(|(other, _)| *other != name);
        pairs.push((name, value));
        let inquiry = bench.raw("GET", "/", &query(&pairs), &[], b"");
        let form = bench.raw("POST", "/", "", &[FORM], query(&pairs).as_bytes());
        assert_eq!(inquiry.said(), form.said());
        form
    };
    let answer = outcome("RoleSessionName", "pod", NOW);
    assert_eq!((answer.said().as_str(), answer.json("ClientIds").as_str()), ("200", "sts.aliyuncs.com"));
    assert_eq!(answer.json("Arn"), format!("{ROLE}/pod"));
    for (name, value, expected) in [
        ("OIDCToken", "", "400 MissingOIDCToken"),
        ("OIDCToken", "abc", "400 InvalidParameter.OIDCToken"),
        ("OIDCToken", "another.token", "401 AuthenticationFail.OIDCToken.Invalid"),
        ("OIDCToken", "an.old.token", "401 AuthenticationFail.OIDCToken.Expired"),
        ("OIDCProviderArn", "acs:ram::1:oidc-provider/x", "401 AuthenticationFail.NoPermission"),
        ("RoleArn", "acs:ram::1234567890123456:role/nobody", "404 EntityNotExist.Role"),
        ("RoleSessionName", "", "400 MissingRoleSessionName"),
        ("DurationSeconds", "60", "400 InvalidParameter.DurationSeconds"),
    ] {
        assert_eq!(outcome(name, value, NOW).said(), expected, "{name} {value}");
    }
    let late = outcome("RoleSessionName", "pod", NOW + Duration::from_secs(600));
    assert_eq!(late.said(), "401 AuthenticationFail.OIDCToken.Expired");
    let headers = [("x-acs-action", "AssumeRoleWithOIDC"), ("x-acs-version", "2015-04-01"), FORM];
    bench.now = NOW;
    let answer = bench.raw("POST", "/", "", &headers, query(&good).as_bytes());
    assert_eq!(answer.said(), "200", "{}", answer.text());
    assert_eq!(bench.emulator.counters().assume_role_with_oidc, 21);
}

#[test]
fn a_test_can_refuse_the_next_calls() {
    let mut bench = bench();
    for (refusal, expected) in [
        (StsRefusal::Throttling, "400 Throttling.User"),
        (StsRefusal::InternalError, "500 InternalError"),
        (StsRefusal::Unavailable, "503 ServiceUnavailable"),
    ] {
        bench.emulator.refuse_sts(refusal, 2);
        let outcomes = [(); 3].map(|()| assume(&mut bench, &[]).said());
        assert_eq!(outcomes, [expected, expected, "200"]);
    }
    bench.emulator.refuse_sts(StsRefusal::Throttling, 9);
    bench.emulator.refuse_sts(StsRefusal::Throttling, 0);
    assert_eq!(assume(&mut bench, &[]).said(), "200");
    let counters = bench.emulator.counters();
    assert_eq!((counters.assume_role, counters.sts_refused, counters.issued), (10, 6, 4));
}

#[test]
fn nothing_secret_is_shown() {
    let mut bench = bench();
    let key = Key::of(&assume(&mut bench, &[]));
    let text = format!("{:?} {:?}", bench.emulator, bench.emulator.config());
    assert!(text.contains(&key.id), "{text}");
    for secret in [key.secret.as_str(), key.token.as_deref().unwrap(), "a.good.token", common::SECRET] {
        assert!(!text.contains(secret), "{text}");
    }
}

const AUTHORIZATIONS: &[&str] = &[
    "",
    "OSS id:c2ln",
    "ACS3-HMAC-SHA256",
    "ACS3-HMAC-SHA256 Credential=,Signature=,",
    "ACS3-HMAC-SHA256 Credential=id,SignedHeaders=host,Signature=0",
];

proptest! {
    /// Whatever is sent, STS answers in its own words, and nothing is issued without a signature.
    #[test]
    fn any_call_is_answered(
        pairs in prop::collection::vec(("[A-Za-z]{0,16}", "\\PC{0,20}"), 0..6),
        action in prop::sample::select(&["AssumeRole", "GetCallerIdentity", "AssumeRoleWithOIDC", ""][..]),
        authorization in prop::sample::select(AUTHORIZATIONS),
        kind in prop::sample::select(&["", "application/json", "application/x-www-form-urlencoded"][..]),
        body in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut bench = bench();
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let query = format!("Action={action}&Version=2015-04-01&{}", query(&pairs));
        let headers = [("authorization", authorization), ("content-type", kind)];
        let answer = bench.raw("POST", "/", &query, &headers, &body);
        prop_assert!((400..500).contains(&answer.status));
        prop_assert!(answer.header("x-acs-request-id").is_some());
        prop_assert_eq!(bench.emulator.counters().issued, 0);
        prop_assert_eq!(bench.emulator.open_bodies(), 0);
    }
}
