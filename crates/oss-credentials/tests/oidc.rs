//! RAM roles for whoever shows a token.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests too")]

extern crate alloc;

use core::time::Duration;

use oss_credentials::{Answer, CredentialError, FileAnswer, Lookup, OidcRole, SourceName, StsEndpoint};

use world::{EPOCH, ROLE, World, granted, ok, parameters, status, temporary};

mod world;

const PROVIDER: &str = "acs:ram::1234567890:oidc-provider/ack";
const FILE: &str = "/var/run/secrets/ack.alibabacloud.com/rrsa-tokens/token";
const RRSA: [(&str, &str); 3] = [
    ("ALIBABA_CLOUD_ROLE_ARN", ROLE),
    ("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", PROVIDER),
    ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", FILE),
];

#[test]
fn a_token_is_shown_without_any_signature() {
    let mut world = World::new(OidcRole::by_environment())
        .env(&RRSA)
        .env(&[
            ("ALIBABA_CLOUD_ROLE_SESSION_NAME", "pod"),
            ("ALIBABA_CLOUD_STS_REGION", "cn-hangzhou"),
            ("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED", "true"),
        ])
        .file(FILE, "the.to/ken\n")
        .server(|_, wall| ok(&granted("temp", wall.saturating_add(3_600))));
    assert_eq!(world.obtain(), Ok(temporary("temp", EPOCH.saturating_add(3_600))));
    assert_eq!(world.urls(), ["POST https://sts-vpc.cn-hangzhou.aliyuncs.com/"]);
    let mut sent = parameters(world.requests()[0].body.expose());
    assert_eq!(sent.remove("SignatureNonce").unwrap().len(), 32);
    let sent: Vec<_> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected = [
        ("Action", "AssumeRoleWithOIDC"),
        ("DurationSeconds", "3600"),
        ("Format", "JSON"),
        ("OIDCProviderArn", PROVIDER),
        ("OIDCToken", "the.to/ken"),
        ("RoleArn", ROLE),
        ("RoleSessionName", "pod"),
        ("Timestamp", "2023-11-14T22:13:20Z"),
        ("Version", "2015-04-01"),
    ];
    assert_eq!(sent, expected);
    assert!(!format!("{:?}", world.asked).contains("the.to"));
}

#[test]
fn the_endpoint_in_the_environment_wins_and_speaks_tls() {
    let host = |value: &'static str| {
        let mut world = World::new(OidcRole::by_environment())
            .env(&RRSA)
            .env(&[("ALIBABA_CLOUD_STS_ENDPOINT", value), ("ALIBABA_CLOUD_STS_REGION", "cn-beijing")])
            .file(FILE, "token");
        let error = world.obtain().unwrap_err();
        (world.urls().first().cloned(), error)
    };
    let url = "POST https://sts-vpc.cn-hangzhou.aliyuncs.com/".to_owned();
    assert_eq!(host("sts-vpc.cn-hangzhou.aliyuncs.com").0, Some(url));
    // B66
    let (url, error) = host("http://sts-vpc.cn-hangzhou.aliyuncs.com");
    assert_eq!(url, None);
    assert!(matches!(error, CredentialError::Setting { name: "the STS endpoint", .. }));
}

#[test]
fn a_role_for_a_token_needs_all_three_variables() {
    let tried = vec![SourceName::Oidc];
    for (missing, (name, _)) in RRSA.iter().enumerate() {
        let set: Vec<_> = RRSA.into_iter().enumerate().filter(|(at, _)| *at != missing).collect();
        let set: Vec<_> = set.into_iter().map(|(_, pair)| pair).collect();
        let mut world = World::new(OidcRole::by_environment()).env(&set);
        assert_eq!(world.obtain(), Err(CredentialError::NotFound { tried: tried.clone() }));
        assert!(world.cache.explain().to_string().contains(name));
    }
}

#[test]
fn a_token_that_expired_is_read_again_once() {
    for (refusals, is_found) in [(1, true), (2, false)] {
        let mut left = refusals;
        let mut world =
            World::new(OidcRole::new(ROLE, PROVIDER, FILE)).file(FILE, "token").server(move |_, wall| {
                left -= 1;
                match left >= 0 {
                    true => status(400, r#"{"Code":"AuthenticationFail.OIDCToken.Expired"}"#),
                    false => ok(&granted("temp", wall.saturating_add(3_600))),
                }
            });
        assert_eq!(world.obtain().is_ok(), is_found);
        let is_file = |lookup: &&Lookup| matches!(lookup, Lookup::File(_));
        assert_eq!(world.asked.iter().filter(is_file).count(), 2);
        assert_eq!(world.requests().len(), 2);
    }
}

#[test]
fn the_token_is_read_again_at_each_refresh() {
    let mut world =
        World::new(OidcRole::new(ROLE, PROVIDER, FILE)).file(FILE, "first").server(|request, wall| {
            let token = parameters(request.body.expose())["OIDCToken"].clone();
            ok(&granted(&token, wall.saturating_add(3_600)))
        });
    assert_eq!(world.obtain().unwrap().access_key_id(), Some("first"));
    world.files.insert(FILE.into(), Answer::File(FileAnswer::new("second")));
    world.pass(3_000);
    assert_eq!(world.obtain().unwrap().access_key_id(), Some("second"));
}

#[test]
fn settings_of_a_role_for_a_token_are_sent_and_checked() {
    let role = || OidcRole::new(ROLE, PROVIDER, "~/token");
    let full = role()
        .session_name("me")
        .duration(Duration::from_secs(900))
        .policy("{}")
        .endpoint(StsEndpoint::region("cn-hangzhou"));
    let mut world = World::new(full)
        .env(&[("HOME", "/h/me/")])
        .file("/h/me/token", "token")
        .server(|_, wall| ok(&granted("temp", wall.saturating_add(900))));
    assert!(world.obtain().is_ok());
    let sent = parameters(world.requests()[0].body.expose());
    assert_eq!((sent["RoleSessionName"].as_str(), sent["DurationSeconds"].as_str()), ("me", "900"));
    assert_eq!(sent["Policy"], "{}");
    assert_eq!(world.urls(), ["POST https://sts.cn-hangzhou.aliyuncs.com/"]);

    let bad = [
        OidcRole::new("x", PROVIDER, FILE),
        OidcRole::new(ROLE, "x", FILE),
        OidcRole::new(ROLE, "acs:ram::1:oidc-provider/a b", FILE),
        role().session_name("a"),
        role().duration(Duration::from_secs(1)),
    ];
    for role in bad {
        let mut world = World::new(role.clone());
        assert!(matches!(world.obtain(), Err(CredentialError::Setting { .. })), "{role:?}");
        assert!(world.asked.is_empty());
    }
    // B63
    assert!(matches!(World::new(role()).obtain(), Err(CredentialError::Setting { name: "the file", .. })));
}

#[test]
fn b63_token_files_that_hold_no_token() {
    let source = SourceName::Oidc;
    let no_token = CredentialError::Missing { source, name: "token in its file" };
    let file = |bytes: &[u8]| Answer::File(FileAnswer::new(bytes));
    let table = [
        (file(b""), no_token.clone()),
        (file(b"abc"), no_token.clone()),
        (file(b"two words"), no_token.clone()),
        (file(b"\xff\xfe\xff\xfe"), no_token.clone()),
        (file(&[b'a'; 20_001]), no_token),
        (Answer::Absent, CredentialError::Missing { source, name: "token file" }),
        (Answer::TooLong, CredentialError::TooLong { source }),
        (Answer::Failed("denied".into()), CredentialError::Failed { source, reason: "denied".into() }),
    ];
    for (answer, expected) in table {
        let mut world = World::new(OidcRole::new(ROLE, PROVIDER, FILE));
        world.files.insert(FILE.into(), answer);
        assert_eq!(world.obtain(), Err(expected));
        assert!(world.requests().is_empty());
    }
}
