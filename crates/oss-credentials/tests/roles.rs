//! RAM roles: the requests to STS, their limits, and what becomes of its answers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests too")]

extern crate alloc;

use core::time::Duration;

use oss_credentials::{
    Answer, CredentialError, Credentials, HttpAnswer, HttpLookup, Lookup, Need, RamRole, Source, SourceName,
    Step, StsEndpoint, StsSignature,
};
use oss_sign::{UnixTime, rpc_signature};

use world::{EPOCH, OSS_KEYS, ROLE, World, granted, ok, parameters, status, temporary};

mod world;

fn later(secs: i64) -> UnixTime {
    EPOCH.saturating_add(secs)
}

fn grants() -> impl FnMut(&HttpLookup, UnixTime) -> Answer {
    |_, wall| ok(&granted("temp", wall.saturating_add(3_600)))
}

fn body(request: &HttpLookup) -> alloc::collections::BTreeMap<String, String> {
    parameters(request.body.expose())
}

#[test]
fn a_role_is_assumed_with_what_the_environment_says() {
    let mut world = World::new(Source::ram_role(ROLE)).env(&OSS_KEYS).server(grants());
    assert_eq!(world.obtain(), Ok(temporary("temp", later(3_600))));
    let [request] = world.requests()[..] else { panic!("{:?}", world.urls()) };
    assert_eq!((request.method, request.url().expose()), ("POST", "https://sts.aliyuncs.com/"));
    assert_eq!(request.connect_timeout, Duration::from_secs(5));
    assert_eq!(request.read_timeout, Duration::from_secs(10));
    assert!(!request.is_metadata && request.max_bytes == 65_536);
    let headers: Vec<_> = request.headers.iter().map(|(name, value)| (*name, value.expose())).collect();
    assert_eq!(
        headers,
        [("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json")]
    );

    let mut sent = body(request);
    let signature = sent.remove("Signature").unwrap();
    let pairs: Vec<_> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(signature, rpc_signature("POST", &pairs, "sk"));
    let nonce = sent.remove("SignatureNonce").unwrap();
    assert!(nonce.len() == 32 && nonce.bytes().all(|byte| byte.is_ascii_hexdigit()), "{nonce}");
    let pairs: Vec<_> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected = [
        ("AccessKeyId", "ak"),
        ("Action", "AssumeRole"),
        ("DurationSeconds", "3600"),
        ("Format", "JSON"),
        ("RoleArn", ROLE),
        ("RoleSessionName", "oss-credentials"),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureVersion", "1.0"),
        ("Timestamp", "2023-11-14T22:13:20Z"),
        ("Version", "2015-04-01"),
    ];
    assert_eq!(pairs, expected);
}

/// `sts_rpc_vectors` of the specification: the signature over the very parameters, POST.
#[test]
fn the_signature_of_a_role_is_the_one_of_the_vector() {
    let policy = r#"{"Statement": [{"Effect": "Allow"}]}"#;
    let role = RamRole::new(ROLE).session_name("session").policy(policy);
    let mut world = World::new(role).env(&OSS_KEYS).server(grants());
    world.wall = UnixTime::parse_iso_extended("2023-12-03T12:12:12Z").unwrap();
    world.obtain().unwrap();
    let mut sent = body(world.requests()[0]);
    let ours = sent.remove("Signature").unwrap();
    let sign = |sent: &alloc::collections::BTreeMap<String, String>| {
        let pairs: Vec<_> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        rpc_signature("POST", &pairs, "sk")
    };
    assert_eq!(ours, sign(&sent));
    // All that differs from the vector is the nonce.
    sent.insert("SignatureNonce".into(), "nonce-1".into());
    assert_eq!(sign(&sent), "yQjP6fq2G3MDtnmdZJ8qvDSX+SM=");
}

#[test]
fn every_option_of_a_role_is_sent() {
    let base = Credentials::new("ak", "sk").unwrap().with_token("to+ken").unwrap();
    let role = Source::ram_role(ROLE)
        .assumed_by(base)
        .session_name("a.b@c-d_e")
        .duration(Duration::from_secs(900))
        .policy("{}")
        .external_id("x:y/z")
        .source_identity("who@where")
        .endpoint(StsEndpoint::vpc("cn-hangzhou"));
    let mut world = World::new(role).server(grants());
    world.obtain().unwrap();
    assert_eq!(world.urls(), ["POST https://sts-vpc.cn-hangzhou.aliyuncs.com/"]);
    let sent = body(world.requests()[0]);
    let expected = [
        ("SecurityToken", "to+ken"),
        ("RoleSessionName", "a.b@c-d_e"),
        ("DurationSeconds", "900"),
        ("Policy", "{}"),
        ("ExternalId", "x:y/z"),
        ("SourceIdentity", "who@where"),
    ];
    for (name, value) in expected {
        assert_eq!(sent.get(name).map(String::as_str), Some(value), "{name}");
    }
}

#[test]
fn acs3_signs_the_query_and_the_headers() {
    let base = Credentials::new("ak", "sk").unwrap().with_token("token").unwrap();
    let role = RamRole::new(ROLE).assumed_by(base).signature(StsSignature::Acs3).policy("a b");
    let mut world = World::new(role).server(grants());
    world.obtain().unwrap();
    let request = world.requests()[0];
    let url = request.url();
    let (place, query) = url.expose().split_once('?').unwrap();
    assert_eq!((request.method, place), ("POST", "https://sts.aliyuncs.com/"));
    let parameters = parameters(query);
    let names: Vec<_> = parameters.keys().map(String::as_str).collect();
    assert_eq!(names, ["DurationSeconds", "Policy", "RoleArn", "RoleSessionName"]);
    assert_eq!(parameters["Policy"], "a b");
    let pairs: Vec<_> = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let header = |name| request.headers.iter().find(|(other, _)| *other == name).unwrap().1.expose();
    let call = oss_sign::Acs3Call {
        method: "POST",
        host: "sts.aliyuncs.com",
        path: "/",
        query: &pairs,
        content_type: None,
        body: b"",
        action: "AssumeRole",
        version: "2015-04-01",
        nonce: header("x-acs-signature-nonce"),
        time: EPOCH,
    };
    let signed = call.sign(&oss_sign::AccessKey { id: "ak", secret: "sk", token: Some("token") });
    for (name, value) in signed {
        assert_eq!(header(name), value, "{name}");
    }
    assert_eq!(header("accept"), "application/json");
    assert!(request.body.expose().is_empty());
}

#[test]
fn roles_are_chained_and_each_is_asked_once() {
    let inner = RamRole::new("acs:ram::1:role/inner")
        .assumed_by(Source::Chain(vec![Source::AlibabaEnvironment, Source::Environment]));
    let middle = RamRole::new("acs:ram::2:role/middle").assumed_by(inner);
    let outer = RamRole::new("acs:ram::3:role/outer").assumed_by(middle);
    let mut world = World::new(outer).env(&OSS_KEYS).server(|request, wall| {
        let role = body(request)["RoleArn"].rsplit('/').next().unwrap().to_owned();
        ok(&granted(&role, wall.saturating_add(3_600)))
    });
    assert_eq!(world.obtain().unwrap().access_key_id(), Some("outer"));
    let callers: Vec<_> =
        world.requests().into_iter().map(|request| body(request)["AccessKeyId"].clone()).collect();
    assert_eq!(callers, ["ak", "inner", "middle"]);
    assert_eq!(body(world.requests()[2])["SecurityToken"], "middle-token");
    let trail = world.cache.explain().to_string();
    let expected = "the environment (ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET): \
                    passed over, none of its variables is set\n\
                    the environment (OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET): gave credentials\n\
                    the RAM role: gave credentials\nthe RAM role: gave credentials\n\
                    the RAM role: gave credentials\n";
    assert_eq!(trail, expected);
}

#[test]
fn a_role_whose_caller_is_absent_is_absent() {
    let fallback = Credentials::new("fallback", "s").unwrap();
    let chain = Source::Chain(vec![Source::ram_role(ROLE).into(), fallback.clone().into()]);
    let mut world = World::new(chain);
    assert_eq!(world.obtain(), Ok(fallback));
    let mut alone = World::new(Source::ram_role(ROLE));
    let tried = vec![SourceName::Environment, SourceName::RamRole];
    assert_eq!(alone.obtain(), Err(CredentialError::NotFound { tried }));
}

/// The sample of the vendor's page reads the secret from the variable of the id; this must not.
#[test]
fn the_role_in_the_environment_is_assumed_with_id_and_secret() {
    let keys = [OSS_KEYS[0], OSS_KEYS[1], ("OSS_STS_ROLE_ARN", ROLE), ("OSS_ROLE_SESSION_NAME", "me")];
    let mut world = World::new(Source::EnvironmentRole).env(&keys).server(grants());
    assert_eq!(world.obtain(), Ok(temporary("temp", later(3_600))));
    let mut sent = body(world.requests()[0]);
    assert_eq!((sent["RoleArn"].as_str(), sent["RoleSessionName"].as_str()), (ROLE, "me"));
    let signature = sent.remove("Signature").unwrap();
    let pairs: Vec<_> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(signature, rpc_signature("POST", &pairs, "sk"));

    let tried = vec![SourceName::EnvironmentRole];
    let without = World::new(Source::EnvironmentRole).env(&OSS_KEYS).obtain();
    assert_eq!(without, Err(CredentialError::NotFound { tried }));
    let half_set = CredentialError::HalfSet { set: "OSS_STS_ROLE_ARN", missing: "OSS_ACCESS_KEY_ID" };
    assert_eq!(World::new(Source::EnvironmentRole).env(&keys[2..]).obtain(), Err(half_set));
    let half_set = CredentialError::HalfSet { set: "OSS_ACCESS_KEY_ID", missing: "OSS_ACCESS_KEY_SECRET" };
    let only = [OSS_KEYS[0], ("OSS_STS_ROLE_ARN", ROLE)];
    assert_eq!(World::new(Source::EnvironmentRole).env(&only).obtain(), Err(half_set));
}

#[test]
fn limits_are_checked_before_anything_is_asked() {
    let role = || RamRole::new(ROLE);
    let secs = Duration::from_secs;
    let good = [
        role().session_name("ab"),
        role().session_name("a".repeat(64)),
        role().duration(secs(900)),
        role().duration(secs(43_200)),
        role().policy("密".repeat(2_048)),
        role().external_id("a".repeat(1_224)),
        role().external_id("ab"),
        role().source_identity("a".repeat(64)),
    ];
    for role in good {
        let mut world = World::new(role.clone()).env(&OSS_KEYS).server(grants());
        assert!(world.obtain().is_ok(), "{role:?}");
    }
    let bad = [
        ("the ARN of the role", RamRole::new("")),
        ("the ARN of the role", RamRole::new("reader")),
        ("the ARN of the role", RamRole::new("acs:ram::1:user/x")),
        ("the ARN of the role", RamRole::new("acs:ram:::role/x")),
        ("the ARN of the role", RamRole::new("acs:ram::1:role/")),
        ("the ARN of the role", RamRole::new("acs:ram::1:role/x\r\n")),
        ("the session name", role().session_name("a")),
        ("the session name", role().session_name("a".repeat(65))),
        ("the session name", role().session_name("a b")),
        ("the session name", role().session_name("ä")),
        ("the duration", role().duration(secs(899))),
        ("the duration", role().duration(secs(43_201))),
        ("the policy", role().policy("")),
        ("the policy", role().policy("a".repeat(2_049))),
        ("the external id", role().external_id("a")),
        ("the external id", role().external_id("a".repeat(1_225))),
        ("the external id", role().external_id("a b")),
        ("the source identity", role().source_identity("a")),
        ("the source identity", role().source_identity("acs:a")),
        ("the STS endpoint", role().endpoint(StsEndpoint::host("http://sts.aliyuncs.com"))),
    ];
    for (name, role) in bad {
        let mut world = World::new(role.clone()).env(&OSS_KEYS).server(grants());
        let refused = world.obtain();
        let Err(CredentialError::Setting { name: refused, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!(refused, name, "{role:?}");
        assert!(world.asked.is_empty(), "{role:?}");
    }
    let nobody = Credentials::anonymous();
    let refused = World::new(role().assumed_by(nobody)).obtain();
    assert!(matches!(refused, Err(CredentialError::Setting { name: "whoever assumes it", .. })));
}

#[test]
fn faults_of_sts_are_tried_three_times_with_a_new_nonce_each() {
    let faults = [
        status(500, r#"{"Code":"InternalError"}"#),
        status(503, "<html>"),
        status(400, r#"{"Code":"SignatureNonceUsed"}"#),
        Answer::Unavailable,
        Answer::Unreachable,
    ];
    for fault in faults {
        let again = fault.clone();
        let mut world = World::new(RamRole::new(ROLE)).env(&OSS_KEYS).server(move |_, _| again.clone());
        assert!(world.obtain().is_err());
        let nonces: alloc::collections::BTreeSet<_> =
            world.requests().into_iter().map(|request| body(request)["SignatureNonce"].clone()).collect();
        assert_eq!((world.requests().len(), nonces.len()), (3, 3), "{fault:?}");
        let mut left = 2;
        let mut world = World::new(RamRole::new(ROLE)).env(&OSS_KEYS).server(move |request, wall| {
            left -= 1;
            if left >= 0 { fault.clone() } else { grants()(request, wall) }
        });
        assert!(world.obtain().is_ok());
    }
}

/// As long as a code may be.
const LONG_CODE: &str = concat!(
    r#"{"Code":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"#,
    r#"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}"#
);
const TOO_LONG_CODE: &str = concat!(
    r#"{"Code":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"#,
    r#"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbc"}"#
);

#[test]
fn refusals_of_sts_are_told_with_their_code_and_not_repeated() {
    let table = [
        (403, r#"{"Code":"NoPermission","Message":"MARK"}"#, Some("NoPermission")),
        (404, r#"{"RequestId":"R","Code":"EntityNotExist.Role"}"#, Some("EntityNotExist.Role")),
        (400, r#"{"Code":"Throttling.User"}"#, Some("Throttling.User")),
        (503, r#"{"Code":"Throttling"}"#, Some("Throttling")),
        (400, r#"{"Code":"MARK not a code\r\n"}"#, None),
        (400, "MARK", None),
        (400, TOO_LONG_CODE, None),
        (400, LONG_CODE, Some(LONG_CODE.split('"').nth(3).unwrap())),
        (302, "", None),
    ];
    for (http_status, answer, code) in table {
        let mut world =
            World::new(RamRole::new(ROLE)).env(&OSS_KEYS).server(move |_, _| status(http_status, answer));
        let error = world.obtain().unwrap_err();
        let code = code.map(String::from);
        let source = SourceName::RamRole;
        assert_eq!(error, CredentialError::Refused { source, status: http_status, code });
        assert!(!format!("{error} {error:?}").contains("MARK"));
        assert_eq!(world.requests().len(), 1);
    }
}

#[test]
fn an_abandoned_request_is_made_anew() {
    let source = RamRole::new(ROLE).assumed_by(Credentials::new("ak", "sk").unwrap());
    let mut world = World::new(source);
    let mut ask = || {
        let step = world.cache.poll(Need::until(world.wall), world.mono, world.wall);
        let Step::Ask(ticket, Lookup::Http(request)) = step else { panic!("{step:?}") };
        world.cache.abandon(ticket);
        world.wall = world.wall.saturating_add(10);
        body(&request)
    };
    let (first, second) = (ask(), ask());
    assert_ne!(first["SignatureNonce"], second["SignatureNonce"]);
    assert_eq!(first["Timestamp"], "2023-11-14T22:13:20Z");
    assert_eq!(second["Timestamp"], "2023-11-14T22:13:30Z");
}

#[test]
fn f21_a_wrong_clock_is_corrected_once_before_sts_is_asked_again() {
    for (ahead, expected) in [(7 * 3_600, "2023-11-15T05:13:20Z"), (-7 * 3_600, "2023-11-14T15:13:20Z")] {
        let real = later(ahead);
        let mut world = World::new(RamRole::new(ROLE)).env(&OSS_KEYS).server(move |request, _| {
            let answer = if body(request)["Timestamp"] == real.iso_extended().as_str() {
                HttpAnswer::new(200, granted("temp", real.saturating_add(3_600)).as_str())
            } else {
                HttpAnswer::new(400, r#"{"Code":"InvalidTimeStamp.Expired"}"#)
            };
            Answer::Http(answer.with_date(real.http_date().as_str()))
        });
        // By the local clock they have expired, or live for eight hours: an hour it is.
        assert_eq!(world.obtain(), Ok(temporary("temp", real.saturating_add(3_600))));
        assert_eq!(world.requests().len(), 2);
        assert_eq!(body(world.requests()[1])["Timestamp"], expected);
        world.pass(2_500);
        assert!(world.obtain().is_ok());
        assert_eq!(world.requests().len(), 2, "not yet due");
        world.pass(1_000);
        // The frozen server still lives at `real`: it refuses, and its date puts us right.
        assert!(world.obtain().is_ok());
        assert!(world.requests().len() > 2, "due before its end");
    }
}

#[test]
fn f21_a_date_that_is_a_day_off_corrects_nothing() {
    let day = 86_400;
    for (ahead, requests) in [(day, 2), (day + 1, 1), (-day, 2), (-day - 1, 1), (-EPOCH.as_secs(), 1)] {
        let date = later(ahead);
        let mut world = World::new(RamRole::new(ROLE)).env(&OSS_KEYS).server(move |_, _| {
            let answer = HttpAnswer::new(400, r#"{"Code":"InvalidTimeStamp.Expired"}"#);
            Answer::Http(answer.with_date(date.http_date().as_str()))
        });
        assert!(matches!(world.obtain(), Err(CredentialError::Refused { status: 400, .. })));
        assert_eq!(world.requests().len(), requests, "{ahead}");
    }
}

#[test]
fn f85_the_date_of_an_answer_judges_what_it_brought() {
    // How far the server is ahead of us, when by it the credentials end, and whether they are taken.
    let table = [
        (0, 3_600, true),
        (0, 0, false),
        (3_600, 3_601, true),
        (3_600, 3_600, false),
        (-3_600, -3_599, true),
        (-3_600, -3_600, false),
        (60, 1, true),
        (61, 1, false),
        (-90_000, -1, false),
        (90_000, 1, true),
    ];
    for (ahead, end, is_taken) in table {
        let date = later(ahead);
        let mut world = World::new(RamRole::new(ROLE)).env(&OSS_KEYS).server(move |_, _| {
            let answer = HttpAnswer::new(200, granted("temp", later(end)).as_str());
            Answer::Http(answer.with_date(date.http_date().as_str()))
        });
        let expected = match is_taken {
            true => Ok(temporary("temp", later(end))),
            false => Err(CredentialError::Expired { at: later(end) }),
        };
        assert_eq!(world.obtain(), expected, "{ahead} {end}");
    }
}

#[test]
fn f21_a_clock_that_is_set_right_meanwhile_is_not_corrected_twice() {
    for ahead in [7 * 3_600, -7 * 3_600] {
        let left = alloc::rc::Rc::new(core::cell::Cell::new(ahead));
        let wrong_by = alloc::rc::Rc::clone(&left);
        let mut world = World::new(RamRole::new(ROLE)).env(&OSS_KEYS).server(move |request, wall| {
            let real = wall.saturating_add(wrong_by.get());
            let answer = if body(request)["Timestamp"] == real.iso_extended().as_str() {
                let name = real.iso_basic();
                HttpAnswer::new(200, granted(name.as_str(), real.saturating_add(3_600)).as_str())
            } else {
                HttpAnswer::new(400, r#"{"Code":"InvalidTimeStamp.Expired"}"#)
            };
            Answer::Http(answer.with_date(real.http_date().as_str()))
        });
        world.obtain().unwrap();
        // OSS has said the time too, so the caller's clock is right from now on.
        world.pass(5);
        world.wall = world.wall.saturating_add(ahead);
        left.set(0);
        world.obtain().unwrap();
        assert_eq!(world.requests().len(), 2, "{ahead}: what was found lives on");
        world.pass(3_500);
        world.obtain().unwrap();
        assert_eq!(world.requests().len(), 3, "{ahead}: asked at the right time, the first time");
    }
}

#[test]
fn a_clock_that_cannot_be_put_right_is_told() {
    let mut world = World::new(RamRole::new(ROLE)).env(&OSS_KEYS).server(|_, wall| {
        let answer = HttpAnswer::new(400, r#"{"Code":"InvalidTimeStamp.Expired"}"#);
        Answer::Http(answer.with_date(wall.http_date().as_str()))
    });
    assert!(matches!(world.obtain(), Err(CredentialError::Refused { status: 400, .. })));
    assert_eq!(world.requests().len(), 2);
    let mut undated = World::new(RamRole::new(ROLE))
        .env(&OSS_KEYS)
        .server(|_, _| status(400, r#"{"Code":"InvalidTimeStamp.Expired"}"#));
    assert!(matches!(undated.obtain(), Err(CredentialError::Refused { status: 400, .. })));
    assert_eq!(undated.requests().len(), 1);
}

#[test]
fn b55_answers_that_bring_no_credentials_are_refused() {
    let long = format!("{{\"Credentials\":\"{}\"}}", "x".repeat(70_000));
    let source = SourceName::RamRole;
    let table = [
        ("{}", CredentialError::Missing { source, name: "Credentials" }),
        (r#"{"Credentials":[]}"#, CredentialError::Missing { source, name: "Credentials" }),
        (
            r#"{"Credentials":{"AccessKeyId":"i","AccessKeySecret":"s"}}"#,
            CredentialError::Missing { source, name: "SecurityToken" },
        ),
        ("<html>", CredentialError::Malformed { source, problem: "no object", at: 0 }),
        ("", CredentialError::Malformed { source, problem: "no object", at: 0 }),
        (&long, CredentialError::TooLong { source }),
    ];
    for (answer, expected) in table {
        let answer = ok(answer);
        let mut world = World::new(RamRole::new(ROLE)).env(&OSS_KEYS).server(move |_, _| answer.clone());
        assert_eq!(world.obtain(), Err(expected));
    }
}
