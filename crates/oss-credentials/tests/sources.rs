//! The sources that need no STS: the environment, the metadata service, a URI, a program.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests too")]

extern crate alloc;

use alloc::rc::Rc;
use core::cell::RefCell;
use core::time::Duration;

use oss_credentials::{
    Answer, CommandAnswer, CredentialError, Credentials, CredentialsUri, EcsRole, HttpLookup, Lookup,
    Process, Source, SourceName,
};
use oss_sign::UnixTime;

use world::{EPOCH, World, ok, status, success, temporary};

mod world;

fn header<'a>(request: &'a HttpLookup, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(other, _)| *other == name).map(|(_, value)| value.expose())
}

const TTL: &str = "x-aliyun-ecs-metadata-token-ttl-seconds";
const TOKEN: &str = "x-aliyun-ecs-metadata-token";
const BASE: &str = "http://100.100.100.200/latest/meta-data/ram/security-credentials/";

/// A metadata service in hardened mode, with the role `reader`.
fn hardened(request: &HttpLookup, wall: UnixTime) -> Answer {
    match (request.method, request.target.expose().rsplit('/').next().unwrap()) {
        ("PUT", "token") if header(request, TTL).is_some() => ok("metadata-token"),
        ("GET", _) if header(request, TOKEN) != Some("metadata-token") => status(403, "Forbidden"),
        ("GET", "") => ok("reader"),
        ("GET", "reader") => ok(&success("temp", wall.saturating_add(6 * 3_600))),
        _ => status(404, "<html>"),
    }
}

#[test]
fn b65_environment_values() {
    let names = ["OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN"];
    let others =
        ["ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN"];
    for (source, names) in [(Source::Environment, names), (Source::AlibabaEnvironment, others)] {
        let name = match source {
            Source::Environment => SourceName::Environment,
            _ => SourceName::AlibabaEnvironment,
        };
        let absent = Err(CredentialError::NotFound { tried: vec![name] });
        let half_set = |set: usize, missing: usize| {
            Err(CredentialError::HalfSet { set: names[set], missing: names[missing] })
        };
        let refused = |part: usize, at| Err(CredentialError::NotHeaderSafe { name: names[part], at });
        let plain = Credentials::new("i", "s").unwrap();
        let table = [
            ([None, None, None], absent.clone()),
            ([Some(""), Some(""), Some("")], absent),
            ([Some("i"), Some("s"), None], Ok(plain.clone())),
            ([Some("i"), Some("s"), Some("")], Ok(plain.clone())),
            ([Some("i"), Some("s"), Some("t")], Ok(plain.with_token("t").unwrap())),
            ([Some("\"i\""), Some("'s'"), None], Ok(Credentials::new("\"i\"", "'s'").unwrap())),
            ([Some("i"), None, None], half_set(0, 1)),
            ([Some("i"), Some(""), Some("t")], half_set(0, 1)),
            ([Some(""), Some("s"), None], half_set(1, 0)),
            ([None, None, Some("t")], half_set(2, 0)),
            ([Some("i\n"), Some("s"), None], refused(0, 1)),
            ([Some("i"), Some("s\r\n"), None], refused(1, 1)),
            ([Some("i"), Some(" "), None], refused(1, 0)),
            ([Some("i"), Some("s"), Some("\u{fffd}")], refused(2, 0)),
        ];
        for (values, expected) in table {
            let mut world = World::new(source.clone());
            let set =
                names.into_iter().zip(values).filter_map(|(name, value)| Some((name, value?.to_owned())));
            world.env.extend(set);
            assert_eq!(world.obtain(), expected, "{values:?}");
            assert_eq!(world.asked, [Lookup::Env(names.to_vec())]);
        }
    }
}

#[test]
fn f83_an_ecs_role_is_found_in_hardened_mode() {
    let mut world = World::new(EcsRole::new()).server(hardened);
    assert_eq!(world.obtain(), Ok(temporary("temp", EPOCH.saturating_add(21_600))));
    let put = "PUT http://100.100.100.200/latest/api/token".to_owned();
    assert_eq!(world.urls(), [put.clone(), format!("GET {BASE}"), format!("GET {BASE}reader")]);
    for request in world.requests() {
        assert!(request.is_metadata, "F84: no proxy");
        let limits = (request.connect_timeout, request.read_timeout, request.max_bytes);
        assert_eq!(limits, (Duration::from_secs(1), Duration::from_secs(1), 65_536));
        assert!(request.body.expose().is_empty());
    }
    assert_eq!(header(world.requests()[0], TTL), Some("300"));
    assert_eq!(header(world.requests()[1], TOKEN), Some("metadata-token"));

    let mut named = World::new(EcsRole::new().name("reader")).server(hardened);
    assert!(named.obtain().is_ok());
    assert_eq!(named.urls(), [put, format!("GET {BASE}reader")]);
}

#[test]
fn f83_no_token_means_no_credentials_unless_v1_is_allowed() {
    let old = |refusal: Answer| {
        move |request: &HttpLookup, wall: UnixTime| match request.method {
            "PUT" => refusal.clone(),
            _ if header(request, TOKEN).is_some() => status(400, ""),
            _ if request.target.expose().ends_with('/') => ok("reader\n"),
            _ => ok(&success("temp", wall.saturating_add(3_600))),
        }
    };
    let table = [
        (status(404, ""), true),
        (status(405, ""), true),
        (Answer::Unreachable, true),
        (Answer::Unavailable, false),
        (status(400, ""), false),
        (status(401, ""), false),
        (status(403, ""), false),
        (status(500, ""), false),
        (status(302, ""), false),
        (ok(""), false),
        (ok("to ken\r\n x"), false),
    ];
    for (refusal, is_found) in table {
        let mut strict = World::new(EcsRole::new()).server(old(refusal.clone()));
        assert!(strict.obtain().is_err(), "{refusal:?}");
        assert!(strict.requests().iter().all(|request| request.method == "PUT"), "{refusal:?}");
        let mut lax = World::new(EcsRole::new().allow_v1()).server(old(refusal.clone()));
        assert_eq!(lax.obtain().is_ok(), is_found, "{refusal:?}");
    }
}

#[test]
fn a_token_that_is_refused_is_renewed_once() {
    for (refusals, is_found) in [(1, true), (2, false)] {
        let mut left = refusals;
        let mut world = World::new(EcsRole::new()).server(move |request, wall| {
            if request.method == "GET" && left > 0 {
                left -= 1;
                return status(401, "Unauthorized");
            }
            hardened(request, wall)
        });
        assert_eq!(world.obtain().is_ok(), is_found);
    }
}

#[test]
fn f82_faults_of_the_metadata_service_are_tried_three_times_and_never_shown() {
    let source = SourceName::EcsRole;
    let refused = |status| CredentialError::Refused { source, status, code: None };
    let unavailable = CredentialError::Unavailable { source };
    let malformed = |problem, at| CredentialError::Malformed { source, problem, at };
    let huge = "x".repeat(65_537);
    let table = [
        (status(403, "MARK"), 1, refused(403)),
        (status(404, "MARK"), 1, refused(404)),
        (status(301, "MARK"), 1, refused(301)),
        (status(500, "MARK"), 3, refused(500)),
        (Answer::Unavailable, 3, unavailable.clone()),
        (Answer::Unreachable, 3, unavailable),
        (Answer::TooLong, 1, CredentialError::TooLong { source }),
        (ok(&huge), 1, CredentialError::TooLong { source }),
        (ok("<html>MARK"), 1, malformed("no object", 0)),
        (ok(""), 1, malformed("no object", 0)),
        (ok(r#"{"Code":"MARK"}"#), 1, malformed("a code other than Success", 0)),
        (ok("{}"), 1, malformed("a code other than Success", 0)),
        (ok(r#"{"Code":"Success"}"#), 1, CredentialError::Missing { source, name: "AccessKeyId" }),
    ];
    for (answer, tries, expected) in table {
        let last = answer.clone();
        let mut world = World::new(EcsRole::new().name("reader")).server(move |request, wall| {
            if request.method == "GET" { last.clone() } else { hardened(request, wall) }
        });
        let error = world.obtain().unwrap_err();
        assert_eq!(error, expected);
        assert!(!format!("{error} {error:?} {}", world.cache.explain()).contains("MARK"));
        assert_eq!(world.requests().len(), tries + 1, "{answer:?}");
    }
}

#[test]
fn f82_an_answer_of_the_greatest_length_is_read() {
    for (extra, is_found) in [(0, true), (1, false)] {
        let mut world = World::new(EcsRole::new().name("reader")).server(move |request, wall| {
            let Answer::Http(answer) = hardened(request, wall) else { panic!("no answer") };
            let mut text = String::from_utf8(answer.body.expose().to_vec()).unwrap();
            let room = if request.method == "GET" { 65_536 + extra - text.len() } else { 0 };
            text.push_str(&" ".repeat(room));
            ok(&text)
        });
        assert_eq!(world.obtain().is_ok(), is_found);
    }
}

#[test]
fn f84_a_redirect_of_the_metadata_service_is_an_answer_like_any_other() {
    for asked in 0..3 {
        let mut count = 0;
        let mut world = World::new(EcsRole::new()).server(move |request, wall| {
            count += 1;
            if count > asked { status(302, "http://evil.example/") } else { hardened(request, wall) }
        });
        let source = SourceName::EcsRole;
        assert_eq!(world.obtain(), Err(CredentialError::Refused { source, status: 302, code: None }));
        assert!(world.requests().iter().all(|request| request.is_metadata));
    }
}

#[test]
fn f82_a_service_that_fails_twice_is_good_enough() {
    for fault in [status(500, ""), Answer::Unavailable, Answer::Unreachable] {
        let mut count = 0;
        let mut world = World::new(EcsRole::new()).server(move |request, wall| {
            count += 1;
            if count % 3 == 0 { hardened(request, wall) } else { fault.clone() }
        });
        assert!(world.obtain().is_ok());
        assert_eq!(world.requests().len(), 9);
    }
}

#[test]
fn b56_a_role_name_goes_into_a_path_and_nowhere_else() {
    let long = "a".repeat(65);
    let bad = [
        "", "a/b", "..", ".", "a?b", "a\r\nb", "a\nb\n", "a b", "a%2fb", "a#b", "ä", "a\0", &long, "<html>",
        "a\n\n",
    ];
    for name in bad {
        let answer = ok(name);
        let mut world = World::new(EcsRole::new()).server(move |request, wall| {
            if request.target.expose().ends_with('/') { answer.clone() } else { hardened(request, wall) }
        });
        assert!(matches!(world.obtain(), Err(CredentialError::Malformed { .. })), "{name:?}");
        assert_eq!(world.requests().len(), 2, "{name:?}");
        let mut given = World::new(EcsRole::new().name(name)).server(hardened);
        assert!(matches!(given.obtain(), Err(CredentialError::Setting { .. })), "{name:?}");
        assert!(given.asked.is_empty());
    }
    let names = ["a", "Reader_1.x-y", &long[1..], "..a"];
    for name in names {
        for end in ["", "\n", "\r\n"] {
            let answer = ok(&format!("{name}{end}"));
            let mut world = World::new(EcsRole::new()).server(move |request, wall| {
                if request.target.expose().ends_with('/') { answer.clone() } else { hardened(request, wall) }
            });
            let _ = world.obtain();
            assert_eq!(world.urls()[2], format!("GET {BASE}{name}"));
        }
    }
}

#[test]
fn an_instance_without_a_role_is_passed_over() {
    let mut world = World::new(EcsRole::new()).server(|request, _| match request.method {
        "PUT" => ok("metadata-token"),
        _ => status(404, ""),
    });
    let tried = vec![SourceName::EcsRole];
    assert_eq!(world.obtain(), Err(CredentialError::NotFound { tried }));
    let expected = "the RAM role of the ECS instance: passed over, the instance has no RAM role\n";
    assert_eq!(world.cache.explain().to_string(), expected);
}

#[test]
fn b66_only_the_program_may_name_another_metadata_service() {
    let endpoint = "ALIBABA_CLOUD_ECS_METADATA_SERVICE_ENDPOINT";
    let mut world = World::new(EcsRole::new()).env(&[(endpoint, "http://evil.example")]).server(hardened);
    world.obtain().unwrap();
    assert!(world.requests().iter().all(|request| request.authority == "100.100.100.200"));
    assert!(!world.asked.iter().any(|asked| matches!(asked, Lookup::Env(_))));
    let mut opted_in = World::new(EcsRole::new().endpoint("127.0.0.1:8080")).server(hardened);
    opted_in.obtain().unwrap();
    assert!(opted_in.requests().iter().all(|request| request.authority == "127.0.0.1:8080"));
    for bad in ["http://a", "a/b", ""] {
        let refused = World::new(EcsRole::new().endpoint(bad)).obtain();
        assert!(matches!(refused, Err(CredentialError::Setting { name: "the endpoint", .. })), "{bad}");
    }
}

#[test]
fn the_next_credentials_of_an_ecs_role_are_asked_for_when_they_show_up() {
    // Six hours; the next credentials show up half an hour before the end.
    let (life, shown) = (21_600_i64, 21_600_i64 - 1_800);
    let gets = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&gets);
    let mut world = World::new(EcsRole::new().name("reader")).server(move |request, wall| {
        if request.method == "PUT" {
            return hardened(request, wall);
        }
        let second = wall.secs_since(EPOCH);
        seen.borrow_mut().push(second);
        let generation = if second < shown { 0 } else { 1 };
        ok(&success(&format!("g{generation}"), EPOCH.saturating_add(life + generation * shown)))
    });
    let mut changed = None;
    for second in 0..life {
        let id = world.obtain().unwrap().access_key_id().unwrap().to_owned();
        if id == "g1" {
            changed.get_or_insert(second);
        }
        world.pass(1);
    }
    assert_eq!(gets.borrow().len(), 2, "{:?}", gets.borrow());
    assert!((shown..shown + 601).contains(&changed.unwrap()), "{changed:?}");
}

#[test]
fn f85_an_ecs_role_whose_clock_is_right_corrects_ours() {
    // Our clock is seven hours ahead, so that by it the credentials ended an hour ago.
    let real = EPOCH.saturating_add(-7 * 3_600);
    let mut world = World::new(EcsRole::new().name("reader")).server(move |request, wall| {
        let Answer::Http(answer) = hardened(request, wall.saturating_add(-7 * 3_600)) else { panic!() };
        Answer::Http(answer.with_date(real.http_date().as_str()))
    });
    assert_eq!(world.obtain(), Ok(temporary("temp", real.saturating_add(6 * 3_600))));
    world.pass(18_000);
    let asked = world.asked.len();
    assert!(world.obtain().is_ok());
    assert_eq!(world.asked.len(), asked, "five hours later they are still good");
}

#[test]
fn a_credentials_uri_is_asked_once() {
    let uri = "http://localhost:7002/creds?key=secret";
    let answer = |_: &HttpLookup, wall: UnixTime| ok(&success("temp", wall.saturating_add(3_600)));
    let mut world = World::new(CredentialsUri::new(uri)).server(answer);
    assert_eq!(world.obtain(), Ok(temporary("temp", EPOCH.saturating_add(3_600))));
    assert_eq!(world.urls(), [format!("GET {uri}")]);
    assert!(!format!("{:?}", world.asked).contains("key"));

    let variable = ("ALIBABA_CLOUD_CREDENTIALS_URI", uri);
    let mut world = World::new(CredentialsUri::by_environment()).env(&[variable]).server(answer);
    assert!(world.obtain().is_ok());
    assert_eq!(world.urls(), [format!("GET {uri}")]);
    let tried = vec![SourceName::Uri];
    let unset = World::new(CredentialsUri::by_environment()).obtain();
    assert_eq!(unset, Err(CredentialError::NotFound { tried }));
}

#[test]
fn f84_a_credentials_uri_of_this_machine_is_asked_through_no_proxy() {
    let table = [
        ("http://127.0.0.1:7001/c", true),
        ("http://localhost/c", true),
        ("http://a.example/c", false),
        ("https://localhost/c", false),
        ("https://a.example/c", false),
    ];
    for (uri, is_direct) in table {
        let mut world = World::new(CredentialsUri::new(uri).allow_http());
        world.obtain().unwrap_err();
        let request = world.requests()[0];
        assert_eq!(request.is_metadata, is_direct, "{uri}");
        let limits = (request.connect_timeout.as_secs(), request.read_timeout.as_secs());
        assert_eq!(limits, (5, 10), "{uri}: it may have to ask somebody itself");
    }
}

#[test]
fn answers_of_a_credentials_uri_that_bring_nothing_are_refused() {
    let source = SourceName::Uri;
    let refused = |status| Err(CredentialError::Refused { source, status, code: None });
    let table = [
        (status(404, "MARK"), refused(404)),
        (status(302, ""), refused(302)),
        (status(500, ""), refused(500)),
        (Answer::Unreachable, Err(CredentialError::Unavailable { source })),
        (
            ok(r#"{"Code":"MARK"}"#),
            Err(CredentialError::Malformed { source, problem: "a code other than Success", at: 0 }),
        ),
        (ok(r#"{"AccessKeyId":"i","AccessKeySecret":"s"}"#), Ok(Credentials::new("i", "s").unwrap())),
    ];
    for (answer, expected) in table {
        let reply = answer.clone();
        let mut world =
            World::new(CredentialsUri::new("https://a.example/")).server(move |_, _| reply.clone());
        assert_eq!(world.obtain(), expected, "{answer:?}");
    }
    let http = || CredentialsUri::new("http://a.example/");
    let refused = World::new(http()).obtain();
    assert!(matches!(refused, Err(CredentialError::Setting { name: "the URI", .. })));
    let variable = [("ALIBABA_CLOUD_CREDENTIALS_URI", "http://a.example/")];
    let refused = World::new(CredentialsUri::by_environment()).env(&variable).obtain();
    assert!(matches!(refused, Err(CredentialError::Setting { name: "the URI", .. })));
    let mut allowed = World::new(http().allow_http());
    assert!(matches!(allowed.obtain(), Err(CredentialError::Unavailable { .. })));
    assert_eq!(allowed.urls(), ["GET http://a.example/"]);
}

#[test]
fn b64_a_program_prints_credentials_in_either_form() {
    let plain = Credentials::new("i", "s").unwrap();
    let token = plain.clone().with_token("t").unwrap();
    let ending = token.clone().with_expiration(EPOCH.saturating_add(3_600));
    let source = SourceName::Process;
    let mode = CredentialError::Setting {
        source,
        name: "the mode",
        problem: "is neither AK nor StsToken: let the program print one of these",
    };
    let table = [
        (r#"{"AccessKeyId":"i","AccessKeySecret":"s"}"#, Ok(plain.clone())),
        (
            r#"{"AccessKeyId":"i","AccessKeySecret":"s","SecurityToken":"t",
                "Expiration":"2023-11-14T23:13:20Z"}"#,
            Ok(ending.clone()),
        ),
        (
            r#"{"AccessKeyId":"i","AccessKeySecret":"s","SecurityToken":"t",
                "Expiration":"2023-11-15T07:13:20+08:00"}"#,
            Ok(ending.clone()),
        ),
        (r#"{"mode":"AK","access_key_id":"i","access_key_secret":"s"}"#, Ok(plain)),
        (r#"{"mode":"StsToken","access_key_id":"i","access_key_secret":"s","sts_token":"t"}"#, Ok(token)),
        (
            r#"{"mode":"StsToken","access_key_id":"i","access_key_secret":"s","sts_token":"t",
                "expiration":"2023-11-14T23:13:20Z"}"#,
            Ok(ending),
        ),
        (
            r#"{"mode":"StsToken","access_key_id":"i","access_key_secret":"s"}"#,
            Err(CredentialError::Missing { source, name: "sts_token" }),
        ),
        (r#"{"mode":"RamRoleArn","access_key_id":"i","access_key_secret":"s"}"#, Err(mode)),
        (
            "{\"AccessKeyId\":\"i\",\"AccessKeySecret\":\"s\",}",
            Err(CredentialError::Malformed { source, problem: "no name of a member", at: 41 }),
        ),
        ("", Err(CredentialError::Malformed { source, problem: "no object", at: 0 })),
    ];
    for (printed, expected) in table {
        let mut world = World::new(Process::new("helper").argument("-x")).prints(printed);
        assert_eq!(world.obtain(), expected, "{printed}");
        let Lookup::Command(command) = &world.asked[0] else { panic!("{:?}", world.asked) };
        assert_eq!((command.program.as_str(), command.arguments[0].expose()), ("helper", "-x"));
        assert_eq!((command.timeout, command.max_bytes), (Duration::from_secs(60), 65_536));
    }
}

#[test]
fn b64_a_program_that_fails_is_told_without_a_word_of_it() {
    let source = SourceName::Process;
    let failed = CommandAnswer::new(false, r#"{"AccessKeyId":"MARK","AccessKeySecret":"MARK"}"#);
    let table = [
        (Answer::Command(failed), CredentialError::ProgramFailed),
        (Answer::TooLong, CredentialError::TooLong { source }),
        (Answer::Unavailable, CredentialError::Unavailable { source }),
        (Answer::Absent, CredentialError::Unavailable { source }),
        (Answer::Failed("no such file".into()), {
            CredentialError::Failed { source, reason: "no such file".into() }
        }),
        (ok("{}"), CredentialError::Mismatch { source }),
    ];
    for (answer, expected) in table {
        let mut world = World::new(Process::new("helper"));
        world.command = Box::new(move |_| answer.clone());
        let error = world.obtain().unwrap_err();
        assert_eq!(error, expected);
        assert!(!format!("{error} {error:?}").contains("MARK"));
    }
}
