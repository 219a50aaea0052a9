//! The default chain: its order, what stops it, what it says of itself.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests too")]

extern crate alloc;

use oss_credentials::{Answer, CredentialError, HttpLookup, Lookup, Source, SourceName};
use oss_sign::UnixTime;

use world::{ROLE, World, granted, ok, parameters, status, success};

mod world;

const CONFIG: &str = "/h/me/.aliyun/config.json";
const INI: &str = "/h/me/.alibabacloud/credentials";

/// A machine on which every source of the chain has credentials.
fn everything() -> World {
    World::new(Source::default_chain())
        .env(&[
            ("HOME", "/h/me"),
            ("OSS_ACCESS_KEY_ID", "oss"),
            ("OSS_ACCESS_KEY_SECRET", "s"),
            ("ALIBABA_CLOUD_ACCESS_KEY_ID", "alibaba"),
            ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "s"),
            ("ALIBABA_CLOUD_ROLE_ARN", ROLE),
            ("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "acs:ram::1:oidc-provider/x"),
            ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/token"),
            ("ALIBABA_CLOUD_CREDENTIALS_URI", "http://localhost/"),
        ])
        .file("/token", "token")
        .file(CONFIG, r#"{"profiles":[{"name":"default","access_key_id":"cli","access_key_secret":"s"}]}"#)
        .file(INI, "[default]\ntype=access_key\naccess_key_id=ini\naccess_key_secret=s")
        .server(server)
}

fn server(request: &HttpLookup, wall: UnixTime) -> Answer {
    let end = wall.saturating_add(3_600);
    match (request.authority.as_str(), request.method) {
        ("sts.aliyuncs.com", _) => ok(&granted(&parameters(request.body.expose())["Action"], end)),
        ("localhost", _) => ok(&success("uri", end)),
        (_, "PUT") => ok("token"),
        _ if request.target.expose().ends_with('/') => ok("reader"),
        _ => ok(&success("ecs", end)),
    }
}

fn id(world: &mut World) -> String {
    world.obtain().unwrap().access_key_id().unwrap().to_owned()
}

fn remove(world: &mut World, step: usize) {
    match step {
        0 => {
            world.env.remove("OSS_ACCESS_KEY_ID");
            world.env.remove("OSS_ACCESS_KEY_SECRET");
        }
        1 => {
            world.env.remove("ALIBABA_CLOUD_ACCESS_KEY_ID");
            world.env.remove("ALIBABA_CLOUD_ACCESS_KEY_SECRET");
        }
        2 => drop(world.env.remove("ALIBABA_CLOUD_ROLE_ARN")),
        3 => drop(world.files.remove(CONFIG)),
        4 => drop(world.files.remove(INI)),
        5 => drop(world.env.insert("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true".into())),
        _ => drop(world.env.remove("ALIBABA_CLOUD_CREDENTIALS_URI")),
    }
}

#[test]
fn the_first_that_is_there_wins() {
    let mut world = everything();
    for (step, name) in
        ["oss", "alibaba", "AssumeRoleWithOIDC", "cli", "ini", "ecs", "uri"].into_iter().enumerate()
    {
        world.cache.invalidate();
        assert_eq!(id(&mut world), name);
        let trail = world.cache.explain();
        assert_eq!(trail.steps().len(), step + if name == "cli" || name == "ini" { 2 } else { 1 }, "{trail}");
        remove(&mut world, step);
        world.pass(61);
    }
    world.cache.invalidate();
    let tried = vec![
        SourceName::Environment,
        SourceName::AlibabaEnvironment,
        SourceName::Oidc,
        SourceName::CliProfile,
        SourceName::IniProfile,
        SourceName::EcsRole,
        SourceName::Uri,
    ];
    assert_eq!(world.obtain(), Err(CredentialError::NotFound { tried }));
    let expected = "\
        the environment (OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET): \
        passed over, none of its variables is set\n\
        the environment (ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET): \
        passed over, none of its variables is set\n\
        the RAM role for a token (OIDC): passed over, ALIBABA_CLOUD_ROLE_ARN is not set\n\
        the profile of the command line tool (~/.aliyun/config.json): \
        passed over, there is no such file\n\
        the credentials file (~/.alibabacloud/credentials): passed over, there is no such file\n\
        the RAM role of the ECS instance: passed over, ALIBABA_CLOUD_ECS_METADATA_DISABLED is set\n\
        the credentials URI: passed over, ALIBABA_CLOUD_CREDENTIALS_URI is not set\n";
    assert_eq!(world.cache.explain().to_string(), expected);
}

#[test]
fn f86_what_is_there_and_broken_stops_the_chain() {
    let mut first = 0;
    let mut broken = |change: &dyn Fn(&mut World)| {
        let mut world = everything();
        (0..first).for_each(|step| remove(&mut world, step));
        first += 1;
        change(&mut world);
        let error = world.obtain().unwrap_err();
        assert!(!matches!(error, CredentialError::NotFound { .. }), "{error}");
        assert!(world.cache.explain().to_string().contains("stopped here, "));
        world.cache.explain().steps().last().unwrap().source
    };
    let refuses = |world: &mut World| world.server = Box::new(|_, _| status(403, ""));
    assert_eq!(broken(&|world| drop(world.env.remove("OSS_ACCESS_KEY_ID"))), SourceName::Environment);
    let name = "ALIBABA_CLOUD_ACCESS_KEY_SECRET";
    assert_eq!(broken(&|world| drop(world.env.remove(name))), SourceName::AlibabaEnvironment);
    assert_eq!(broken(&|world| drop(world.files.remove("/token"))), SourceName::Oidc);
    let file = |path: &'static str| {
        move |world: &mut World| drop(world.files.insert(path.into(), Answer::Failed("denied".into())))
    };
    assert_eq!(broken(&file(CONFIG)), SourceName::CliProfile);
    assert_eq!(broken(&file(INI)), SourceName::IniProfile);
    assert_eq!(broken(&refuses), SourceName::EcsRole);
    assert_eq!(broken(&refuses), SourceName::Uri);
}

#[test]
fn a_machine_without_metadata_service_is_no_ecs_instance() {
    let mut world = everything();
    (0..5).for_each(|step| remove(&mut world, step));
    world.server = Box::new(|request, wall| match request.authority.as_str() {
        "100.100.100.200" => Answer::Unreachable,
        _ => server(request, wall),
    });
    assert_eq!(id(&mut world), "uri");
    assert!(world.cache.explain().to_string().contains("passed over, no metadata service can be reached"));

    // F86: a service that is there and slow is no reason to be somebody else, nor is one whose role is named.
    for (name, answer) in [(None, Answer::Unavailable), (Some("reader"), Answer::Unreachable)] {
        let mut world = everything();
        (0..5).for_each(|step| remove(&mut world, step));
        world.env.extend(name.map(|name| ("ALIBABA_CLOUD_ECS_METADATA", String::from(name))));
        world.server = Box::new(move |_, _| answer.clone());
        assert_eq!(world.obtain(), Err(CredentialError::Unavailable { source: SourceName::EcsRole }));
    }
}

#[test]
fn a_switch_is_on_when_it_says_so() {
    for (value, is_off) in [("true", true), ("TRUE", true), ("1", true), ("false", false), ("0", false)] {
        let mut world = everything().env(&[("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", value)]);
        (0..3).for_each(|step| remove(&mut world, step));
        assert_eq!(id(&mut world), if is_off { "ini" } else { "cli" }, "{value}");
    }
}

#[test]
fn the_environment_names_the_role_of_the_instance() {
    let mut world = everything().env(&[("ALIBABA_CLOUD_ECS_METADATA", "writer")]);
    (0..5).for_each(|step| remove(&mut world, step));
    assert_eq!(id(&mut world), "ecs");
    assert!(world.urls().last().unwrap().ends_with("/writer"));
    // B56
    let mut world = everything().env(&[("ALIBABA_CLOUD_ECS_METADATA", "../x")]);
    (0..5).for_each(|step| remove(&mut world, step));
    assert!(matches!(world.obtain(), Err(CredentialError::Setting { .. })));
    assert!(world.requests().is_empty());
}

#[test]
fn b66_the_default_chain_reads_these_variables_and_no_others() {
    let mut world = everything();
    (0..7).for_each(|step| {
        if step != 5 {
            remove(&mut world, step)
        }
    });
    world.server = Box::new(|_, _| Answer::Unreachable);
    world.obtain().unwrap_err();
    let names = |lookup: &Lookup| match lookup {
        Lookup::Env(names) => names.clone(),
        _ => vec![],
    };
    let asked: Vec<_> = world.asked.iter().flat_map(names).collect();
    assert!(!asked.contains(&"ALIBABA_CLOUD_ECS_METADATA_SERVICE_ENDPOINT"));
    assert!(asked.contains(&"ALIBABA_CLOUD_PROFILE") && asked.contains(&"ALIBABA_CLOUD_STS_ENDPOINT"));
}

#[test]
fn the_question_in_hand_has_a_source() {
    let mut world = everything();
    assert_eq!(world.cache.asking(), None);
    world.cache.poll(oss_credentials::Need::until(world.wall), world.mono, world.wall);
    assert_eq!(world.cache.asking(), Some(SourceName::Environment));
}
