//! The metadata service of an instance, and the credentials URI.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use core::time::Duration;

use common::{Answer, Bench, iso_seconds};
use oss_emulator::{Config, MetadataMode, Verdict};

const ROLES: &str = "/latest/meta-data/ram/security-credentials/";
const ROLE: &str = "/latest/meta-data/ram/security-credentials/Writer";
const NOW: Duration = Duration::from_secs(1_700_000_000);
const TTL: &str = "X-aliyun-ecs-metadata-token-ttl-seconds";
const TOKEN: &str = "X-aliyun-ecs-metadata-token";

fn instance(change: impl FnOnce(Config) -> Config) -> Bench {
    Bench::with(|config| change(config.with_ecs_role("Writer")))
}

fn token(bench: &mut Bench, seconds: &str) -> Answer {
    bench.raw("PUT", "/latest/api/token", "", &[(TTL, seconds)], b"")
}

fn get(bench: &mut Bench, path: &str, token: Option<&str>) -> Answer {
    let headers: Vec<_> = token.map(|token| (TOKEN, token)).into_iter().collect();
    bench.raw("GET", path, "", &headers, b"")
}

#[test]
fn a_hardened_instance_wants_a_token() {
    let mut bench = instance(|config| config);
    let answer = token(&mut bench, "60");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/plain")));
    let token = answer.text().to_owned();
    assert_eq!(get(&mut bench, ROLES, Some(&token)).text(), "Writer");
    assert_eq!(get(&mut bench, ROLES.trim_end_matches('/'), Some(&token)).text(), "Writer");
    let answer = get(&mut bench, ROLE, Some(&token));
    assert_eq!(answer.json("Code"), "Success");
    assert_eq!(answer.json("LastUpdated"), iso_seconds(NOW));
    assert_eq!(answer.json("Expiration"), iso_seconds(NOW + Duration::from_secs(6 * 3600)));
    assert!(answer.json("AccessKeyId").starts_with("STS."));
    assert_eq!(answer.header("date"), Some("Tue, 14 Nov 2023 22:13:20 GMT"));
    for (path, sent, expected) in [
        (ROLES, None, 403),
        (ROLE, None, 403),
        (ROLES, Some("guess"), 401),
        ("/latest/meta-data/ram/security-credentials/other", Some(token.as_str()), 404),
        ("/latest/meta-data/instance-id", Some(token.as_str()), 404),
    ] {
        let answer = get(&mut bench, path, sent);
        assert_eq!(answer.status, expected, "{path} {sent:?}");
        assert!(answer.text().starts_with("<!DOCTYPE html>"), "no JSON where there are no credentials");
    }
    bench.now += Duration::from_secs(60);
    assert_eq!(get(&mut bench, ROLES, Some(&token)).status, 401, "the token has expired");
    let counters = bench.emulator.counters();
    assert_eq!((counters.metadata_tokens, counters.metadata_role_names), (1, 2));
    assert_eq!((counters.metadata_credentials, counters.metadata_refused, counters.issued), (1, 6, 1));
}

#[test]
fn tokens_are_given_out_by_rule() {
    let mut bench = instance(|config| config);
    for (seconds, expected) in
        [("1", 200), ("21600", 200), ("0", 400), ("21601", 400), ("-1", 400), ("", 400), ("an hour", 400)]
    {
        assert_eq!(token(&mut bench, seconds).status, expected, "{seconds}");
    }
    assert_eq!(bench.raw("PUT", "/latest/api/token", "", &[], b"").status, 400);
    let forwarded = [(TTL, "60"), ("X-Forwarded-For", "192.0.2.1")];
    assert_eq!(bench.raw("PUT", "/latest/api/token", "", &forwarded, b"").status, 403);
    assert_eq!(bench.raw("GET", "/latest/api/token", "", &[(TTL, "60")], b"").status, 405);
    assert_eq!(bench.raw("POST", ROLES, "", &[], b"").status, 405);
}

#[test]
fn the_next_credentials_come_in_the_last_half_hour() {
    let mut bench = instance(|config| config.with_metadata_mode(MetadataMode::Normal));
    let mut at = |minutes: u64| {
        bench.now = NOW + Duration::from_secs(minutes * 60);
        get(&mut bench, ROLE, None)
    };
    let first = at(0);
    for minutes in [1, 60, 329] {
        assert_eq!(at(minutes).json("AccessKeyId"), first.json("AccessKeyId"), "{minutes}");
    }
    let second = at(330);
    assert_ne!(second.json("AccessKeyId"), first.json("AccessKeyId"));
    assert_eq!(second.json("LastUpdated"), iso_seconds(NOW + Duration::from_secs(330 * 60)));
    assert_eq!(at(359).json("AccessKeyId"), second.json("AccessKeyId"));
    assert_eq!(bench.emulator.counters().issued, 2);
    let mut short = instance(|config| {
        let config = config.with_metadata_mode(MetadataMode::Normal);
        config.with_ecs_credential_lifetime(Duration::from_secs(10))
    });
    let mut at = |seconds: u64| {
        short.now = NOW + Duration::from_secs(seconds);
        get(&mut short, ROLE, None).json("AccessKeyId")
    };
    let (first, still) = (at(0), at(4));
    assert_eq!(first, still);
    assert_ne!(at(5), first);
}

#[test]
fn the_modes() {
    for (mode, put, without, with_wrong_token) in [
        (MetadataMode::Hardened, 200, 403, 401),
        (MetadataMode::Normal, 200, 200, 401),
        (MetadataMode::V1Only { put_status: 404 }, 404, 200, 200),
        (MetadataMode::V1Only { put_status: 405 }, 405, 200, 200),
        (MetadataMode::Off, 404, 404, 404),
        (MetadataMode::Throttled, 429, 429, 429),
        (MetadataMode::Failing { status: 500 }, 500, 500, 500),
        (MetadataMode::Failing { status: 7 }, 404, 404, 404),
    ] {
        let mut bench = instance(|config| config.with_metadata_mode(mode));
        assert_eq!(token(&mut bench, "60").status, put, "{mode:?}");
        assert_eq!(get(&mut bench, ROLES, None).status, without, "{mode:?}");
        assert_eq!(get(&mut bench, ROLE, Some("wrong")).status, with_wrong_token, "{mode:?}");
    }
    let mut bench = instance(Config::without_ecs_role);
    let token = token(&mut bench, "60").text().to_owned();
    assert_eq!(get(&mut bench, ROLES, Some(&token)).status, 404, "no role is attached");
}

#[test]
fn its_own_address_is_the_metadata_service_whatever_is_asked() {
    let mut bench = instance(|config| config.with_metadata_mode(MetadataMode::Normal));
    for (path, expected) in [(ROLES, 200), ("/", 404), ("/examplebucket/k", 404)] {
        let uri = format!("http://100.100.100.200{path}");
        let (head, ()) = http::Request::get(uri).body(()).unwrap().into_parts();
        let Verdict::Refuse(reply) = bench.emulator.begin(&head, NOW) else { panic!("there is no body") };
        assert_eq!(reply.head.status(), expected, "{path}");
        assert_eq!(reply.head.headers().get("x-oss-request-id"), None);
    }
}

#[test]
fn a_test_can_ask_for_the_next_credentials() {
    let mut bench = instance(|config| config.with_metadata_mode(MetadataMode::Normal));
    let first = get(&mut bench, ROLE, None).json("AccessKeyId");
    bench.emulator.renew_credentials();
    let second = get(&mut bench, ROLE, None).json("AccessKeyId");
    assert_ne!(first, second);
    assert_eq!(get(&mut bench, ROLE, None).json("AccessKeyId"), second);
    assert!(bench.emulator.revoke(&first), "the old ones are still known");
}

/// RELIABILITY.md B56: a name is served as it is, and asked for in any encoding of it.
#[test]
fn b56_a_bad_role_name_is_served_as_it_is() {
    for name in ["a/b", "..", "a?b", "a\r\nb", "two\nlines", "中", &"n".repeat(10_240)] {
        let mut bench =
            Bench::with(|config| config.with_ecs_role(name).with_metadata_mode(MetadataMode::Normal));
        assert_eq!(get(&mut bench, ROLES, None).text(), name);
        if name.len() < 100 {
            let answer = get(&mut bench, &format!("{ROLES}{name}"), None);
            assert_eq!(answer.json("Code"), "Success", "{name:?}");
        }
    }
}

#[test]
fn oss_keeps_its_buckets() {
    let mut bench = instance(|config| config.with_credentials_uri("/credentials/now"));
    bench.emulator.create_bucket("latest", NOW);
    bench.emulator.create_bucket("credentials", NOW);
    let key = "/latest/meta-data/ram/security-credentials/";
    assert_eq!(bench.send("PUT", key, "", &[], b"content").status, 200, "what is signed goes to OSS");
    assert_eq!(bench.send("GET", key, "", &[], b"").text(), "content");
    assert_eq!(bench.send("PUT", "/credentials/now", "", &[], b"content").status, 200);
    assert_eq!(bench.send("GET", "/credentials/now", "", &[], b"").text(), "content");
    let mut bench = Bench::new(0);
    let answer = bench.raw("GET", "/latest/meta-data/x", "", &[], b"");
    assert_eq!(answer.outcome(), "404 NoSuchBucket", "without a role there is no metadata service");
    assert_eq!(bench.raw("GET", "/credentials", "", &[], b"").outcome(), "404 NoSuchBucket");
}

#[test]
fn the_credentials_uri_answers_without_a_signature() {
    let mut bench = Bench::with(|config| config.with_credentials_uri("/credentials"));
    let first = get(&mut bench, "/credentials", None);
    assert_eq!((first.status, first.json("Code").as_str()), (200, "Success"));
    assert_eq!(first.json("Expiration"), iso_seconds(NOW + Duration::from_secs(3600)));
    assert_eq!(get(&mut bench, "/credentials", None).json("AccessKeyId"), first.json("AccessKeyId"));
    bench.now += Duration::from_secs(31 * 60);
    assert_ne!(get(&mut bench, "/credentials", None).json("AccessKeyId"), first.json("AccessKeyId"));
    assert_eq!(bench.emulator.counters().credentials_uri, 3);
}
