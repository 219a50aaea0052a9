//! Files of profiles: which one is read, and what each mode of it stands for.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests too")]

extern crate alloc;

use oss_credentials::{
    Answer, CliProfile, CredentialError, Credentials, FileAnswer, HttpLookup, IniProfile, Lookup, SourceName,
};
use oss_sign::UnixTime;

use world::{EPOCH, ROLE, World, granted, ok, parameters, status, success, temporary};

mod world;

const CONFIG: &str = "/h/me/.aliyun/config.json";
const CREDENTIALS: &str = "/h/me/.alibabacloud/credentials";

fn cli(config: &str) -> World {
    World::new(CliProfile::new()).env(&[("HOME", "/h/me")]).file(CONFIG, config)
}

/// A configuration whose only profile has these members.
fn only(members: &str) -> World {
    cli(&format!(r#"{{"current":"p","profiles":[{{"name":"p",{members}}}],"meta_path":""}}"#))
}

fn ini(text: &str) -> World {
    World::new(IniProfile::new()).env(&[("HOME", "/h/me")]).file(CREDENTIALS, text)
}

/// STS, which names what it gives after the role and the caller.
fn sts(request: &HttpLookup, wall: UnixTime) -> Answer {
    let sent = parameters(request.body.expose());
    let role = sent["RoleArn"].rsplit('/').next().unwrap();
    let caller = sent.get("AccessKeyId").map_or("nobody", String::as_str);
    ok(&granted(&format!("{role}-by-{caller}"), wall.saturating_add(3_600)))
}

fn setting(world: &mut World) -> (&'static str, &'static str) {
    match world.obtain() {
        Err(CredentialError::Setting { name, problem, .. }) => (name, problem),
        other => panic!("{other:?}"),
    }
}

const KEYS: &str = r#""access_key_id":"ak","access_key_secret":"sk""#;

#[test]
fn modes_with_credentials_in_the_file() {
    let plain = Credentials::new("ak", "sk").unwrap();
    let token = plain.clone().with_token("t").unwrap();
    let end = EPOCH.saturating_add(60);
    let missing = |name| Err(CredentialError::Missing { source: SourceName::CliProfile, name });
    let table = [
        (format!(r#""mode":"AK",{KEYS},"sts_token":"old","region_id":"cn-hangzhou""#), Ok(plain.clone())),
        (format!(r#""mode":"ak",{KEYS}"#), Ok(plain)),
        (format!(r#""mode":"StsToken",{KEYS},"sts_token":"t""#), Ok(token.clone())),
        (format!(r#""mode":"StsToken",{KEYS}"#), missing("sts_token")),
        (r#""mode":"AK","access_key_id":"ak""#.to_owned(), missing("access_key_secret")),
        (
            format!(
                r#""mode":"OAuth",{KEYS},"sts_token":"t","sts_expiration":{},"oauth_refresh_token":"r""#,
                end.as_secs()
            ),
            Ok(token.with_expiration(end)),
        ),
        (format!(r#""mode":"OAuth",{KEYS},"sts_token":"t""#), missing("sts_expiration")),
        (r#""mode":"RamRoleArn","ram_role_arn":"r""#.to_owned(), missing("access_key_id")),
        (format!(r#""mode":"RamRoleArn",{KEYS}"#), missing("ram_role_arn")),
        (r#""mode":"OIDC","ram_role_arn":"r""#.to_owned(), missing("oidc_provider_arn")),
        (r#""mode":"External""#.to_owned(), missing("process_command")),
        (r#""mode":"CredentialsURI""#.to_owned(), missing("credentials_uri")),
        (r#""mode":"CloudSSO""#.to_owned(), missing("cloud_sso_sign_in_url")),
    ];
    for (members, expected) in table {
        assert_eq!(only(&members).obtain(), expected, "{members}");
    }
}

#[test]
fn modes_that_ask_others() {
    let role = format!(
        r#"{KEYS},"ram_role_arn":"{ROLE}","ram_session_name":"me","expired_seconds":900,
        "sts_region":"cn-hangzhou","enable_vpc":true,"policy":"{{}}","external_id":"ex","sts_token":"old""#
    );
    let mut world = only(&format!(r#""mode":"RamRoleArn",{role}"#)).server(sts);
    assert_eq!(world.obtain().unwrap().access_key_id(), Some("example-by-ak"));
    assert_eq!(world.urls(), ["POST https://sts-vpc.cn-hangzhou.aliyuncs.com/"]);
    let sent = parameters(world.requests()[0].body.expose());
    let expected =
        [("RoleSessionName", "me"), ("DurationSeconds", "900"), ("Policy", "{}"), ("ExternalId", "ex")];
    for (name, value) in expected {
        assert_eq!(sent[name], value);
    }
    assert!(!sent.contains_key("SecurityToken"));

    let metadata = |request: &HttpLookup, wall: UnixTime| match request.method {
        "PUT" => ok("token"),
        "POST" => sts(request, wall),
        _ => ok(&success("ecs", wall.saturating_add(3_600))),
    };
    let mut world = only(r#""mode":"EcsRamRole","ram_role_name":"reader""#).server(metadata);
    assert_eq!(world.obtain().unwrap().access_key_id(), Some("ecs"));
    assert!(world.urls()[1].ends_with("/security-credentials/reader"));
    let both = format!(r#""mode":"RamRoleArnWithRoleName","ram_role_name":"x","ram_role_arn":"{ROLE}""#);
    assert_eq!(only(&both).server(metadata).obtain().unwrap().access_key_id(), Some("example-by-ecs"));

    for name in ["ram_session_name", "role_session_name"] {
        let members = format!(
            r#""mode":"OIDC","ram_role_arn":"{ROLE}","{name}":"pod",
            "oidc_provider_arn":"acs:ram::1:oidc-provider/x","oidc_token_file":"~/token""#
        );
        let mut world = only(&members).file("/h/me/token", "token").server(sts);
        assert_eq!(world.obtain().unwrap().access_key_id(), Some("example-by-nobody"));
        assert_eq!(parameters(world.requests()[0].body.expose())["RoleSessionName"], "pod");
    }

    let mut world = only(r#""mode":"CredentialsURI","credentials_uri":"http://127.0.0.1:1/x""#)
        .server(|_, wall| ok(&success("uri", wall.saturating_add(3_600))));
    assert_eq!(world.obtain(), Ok(temporary("uri", EPOCH.saturating_add(3_600))));
    let mut world = only(r#""mode":"External","process_command":"helper \"a b\" c""#)
        .prints(r#"{"mode":"AK","access_key_id":"printed","access_key_secret":"s"}"#);
    assert_eq!(world.obtain().unwrap().access_key_id(), Some("printed"));
    let Some(Lookup::Command(command)) = world.asked.last() else { panic!("{:?}", world.asked) };
    let arguments: Vec<_> = command.arguments.iter().map(|argument| argument.expose()).collect();
    assert_eq!((command.program.as_str(), arguments), ("helper", vec!["a b", "c"]));
}

#[test]
fn b66_profiles_name_an_sts_host_and_never_http() {
    let config = |endpoint: &str| {
        only(&format!(
            r#""mode":"RamRoleArn",{KEYS},"ram_role_arn":"{ROLE}","sts_endpoint":"{endpoint}",
            "sts_region":"cn-beijing""#
        ))
        .server(sts)
    };
    let section = |endpoint: &str| {
        ini(&format!(
            "[default]\ntype=ram_role_arn\naccess_key_id=ak\naccess_key_secret=sk\nrole_arn={ROLE}\n\
             sts_endpoint={endpoint}\nsts_region=cn-beijing"
        ))
        .server(sts)
    };
    for make in [&config as &dyn Fn(&str) -> World, &section] {
        for endpoint in ["sts.example.com", "https://sts.example.com"] {
            let mut world = make(endpoint);
            world.obtain().unwrap();
            assert_eq!(world.urls(), ["POST https://sts.example.com/"]);
        }
        let mut world = make("http://sts.example.com");
        assert_eq!(setting(&mut world).0, "the STS endpoint");
        assert!(world.requests().is_empty());
    }
    let vpc = "[default]\ntype=ram_role_arn\naccess_key_id=ak\naccess_key_secret=sk\nenable_vpc=true\n\
               sts_region=cn-beijing\nregion_id=cn-hangzhou\nrole_arn=";
    let mut world = ini(&format!("{vpc}{ROLE}")).server(sts);
    world.obtain().unwrap();
    assert_eq!(world.urls(), ["POST https://sts-vpc.cn-beijing.aliyuncs.com/"]);
}

#[test]
fn a_login_to_cloud_sso_is_used_until_it_ends() {
    let members = |end: i64, url: &str| {
        format!(
            r#""mode":"CloudSSO","cloud_sso_sign_in_url":"{url}","cloud_sso_account_id":"151",
            "cloud_sso_access_config":"ac-00x","access_token":"bearer","cloud_sso_access_token_expire":{}"#,
            EPOCH.saturating_add(end).as_secs()
        )
    };
    let url = "https://signin-cn-shanghai.alibabacloudsso.com/start/login";
    let mut world = only(&members(1, url)).server(|_, wall| {
        let credential = success("sso", wall.saturating_add(3_600));
        ok(&format!(r#"{{"CloudCredential":{credential},"RequestId":"r"}}"#))
    });
    assert_eq!(world.obtain(), Ok(temporary("sso", EPOCH.saturating_add(3_600))));
    let request = world.requests()[0];
    let url_asked = request.url();
    assert_eq!(url_asked.expose(), "https://signin-cn-shanghai.alibabacloudsso.com/cloud-credentials");
    assert_eq!(request.method, "POST");
    assert_eq!(request.headers[0].0, "authorization");
    assert_eq!(request.headers[0].1.expose(), "Bearer bearer");
    assert_eq!(request.body.expose(), r#"{"AccountId":"151","AccessConfigurationId":"ac-00x"}"#);

    let (name, problem) = setting(&mut only(&members(0, url)));
    assert!(name == "the login" && problem.contains("log in"), "{problem}");
    assert_eq!(setting(&mut only(&members(1, "http://a.example/"))).0, "cloud_sso_sign_in_url");
    let refused = only(&members(1, url)).server(|_, _| status(403, "MARK")).obtain();
    let source = SourceName::CloudSso;
    assert_eq!(refused, Err(CredentialError::Refused { source, status: 403, code: None }));
    let quoted = members(1, url).replace("ac-00x", r#"x\",\"y\":\""#);
    assert_eq!(setting(&mut only(&quoted)).0, "cloud_sso_access_config");
    let split = members(1, url).replace("\"bearer\"", r#""a\r\nb""#);
    assert_eq!(setting(&mut only(&split)).0, "access_token");
}

#[test]
fn modes_that_bring_nothing_for_oss_are_refused() {
    for mode in ["RsaKeyPair", "BearerToken", "Anonymous", "Strange"] {
        let (name, problem) = setting(&mut only(&format!(r#""mode":"{mode}",{KEYS}"#)));
        assert_eq!(name, "the mode of the profile");
        assert!(problem.contains(if mode == "Strange" { "none that is known" } else { mode }), "{problem}");
    }
    let ended = format!(r#""mode":"OAuth",{KEYS},"sts_token":"t","sts_expiration":{}"#, EPOCH.as_secs());
    assert_eq!(setting(&mut only(&ended)).0, "the login");
}

#[test]
fn b63_source_profiles_are_followed_and_circles_end() {
    let link = |name: &str, source: &str| {
        format!(
            r#"{{"name":"{name}","mode":"ChainableRamRoleArn","ram_role_arn":"acs:ram::1:role/{name}",
            "source_profile":"{source}"}}"#
        )
    };
    let chain = |links: usize| {
        let mut profiles: Vec<_> =
            (0..links).map(|number| link(&format!("p{number}"), &format!("p{}", number + 1))).collect();
        profiles.push(format!(r#"{{"name":"p{links}","mode":"AK",{KEYS}}}"#));
        format!(r#"{{"current":"p0","profiles":[{}]}}"#, profiles.join(","))
    };
    let mut world = cli(&chain(2)).server(sts);
    assert_eq!(world.obtain().unwrap().access_key_id(), Some("p0-by-p1-by-ak"));
    assert!(cli(&chain(7)).server(sts).obtain().is_ok());
    assert_eq!(setting(&mut cli(&chain(8))).0, "the source profiles");
    for (first, second) in [("a", "b"), ("b", "a"), ("a", "a")] {
        let config = format!(
            r#"{{"current":"a","profiles":[{},{}]}}"#,
            link("a", second),
            link(if first == second { "x" } else { "b" }, "a")
        );
        let mut world = cli(&config);
        assert_eq!(setting(&mut world).0, "the source profiles");
        assert!(world.requests().is_empty());
    }
    let lost = format!(r#"{{"current":"a","profiles":[{}]}}"#, link("a", "nobody"));
    assert_eq!(setting(&mut cli(&lost)).0, "source_profile");
}

#[test]
fn the_profile_is_the_one_that_was_named() {
    let config = r#"{"current":"b","profiles":[
        {"name":"a","mode":"AK","access_key_id":"a","access_key_secret":"s"},
        {"name":"b","mode":"AK","access_key_id":"b","access_key_secret":"s"},
        {"name":"c","mode":"AK","access_key_id":"c","access_key_secret":"s"}]}"#;
    let of = |world: &mut World| world.obtain().map(|found| found.access_key_id().unwrap().to_owned());
    assert_eq!(of(&mut cli(config)), Ok("b".to_owned()));
    assert_eq!(of(&mut cli(config).env(&[("ALIBABA_CLOUD_PROFILE", "c")])), Ok("c".to_owned()));
    let named = |source: CliProfile| {
        World::new(source)
            .env(&[("HOME", "/h/me"), ("ALIBABA_CLOUD_PROFILE", "c")])
            .file(CONFIG, config)
            .file("/other", config.replace("\"b\",\"profiles", "\"a\",\"profiles"))
    };
    assert_eq!(of(&mut named(CliProfile::new().profile("a"))), Ok("a".to_owned()));
    assert_eq!(setting(&mut named(CliProfile::new().profile("x"))).0, "the profile");
    let mut other = named(CliProfile::new().file("/other"));
    other.env.remove("ALIBABA_CLOUD_PROFILE");
    assert_eq!(of(&mut other), Ok("a".to_owned()));
    let mut other = named(CliProfile::new()).env(&[("ALIBABA_CLOUD_CONFIG_FILE", "/other")]);
    other.env.remove("ALIBABA_CLOUD_PROFILE");
    assert_eq!(of(&mut other), Ok("a".to_owned()));
    assert_eq!(setting(&mut named(CliProfile::new().file("/missing"))).0, "the file");

    let windows = [("USERPROFILE", r"C:\Users\me")];
    let mut world =
        World::new(CliProfile::new()).env(&windows).file(r"C:\Users\me/.aliyun/config.json", config);
    assert_eq!(of(&mut world), Ok("b".to_owned()));
}

#[test]
fn files_and_profiles_that_are_not_there_are_passed_over() {
    let why = |mut world: World| {
        assert!(matches!(world.obtain(), Err(CredentialError::NotFound { .. })));
        world.cache.explain().to_string().split_once("passed over, ").unwrap().1.trim_end().to_owned()
    };
    assert_eq!(why(World::new(CliProfile::new()).env(&[("HOME", "/h/me")])), "there is no such file");
    assert_eq!(why(World::new(CliProfile::new())), "neither HOME nor USERPROFILE is set", "B63");
    let off = [("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "true")];
    assert_eq!(why(only(&format!(r#""mode":"AK",{KEYS}"#)).env(&off)), "it is switched off by its variable");
    let fresh = r#""mode":"AK","access_key_id":"","access_key_secret":"","region_id":"","language":"en""#;
    assert_eq!(why(only(fresh)), "its profile has no AccessKey");
    assert_eq!(why(cli(r#"{"profiles":[]}"#)), "it has no current profile");
    let elsewhere = only(fresh).env(&[("ALIBABA_CLOUD_PROFILE", "x")]);
    assert_eq!(why(elsewhere), "the profile of ALIBABA_CLOUD_PROFILE is not in it");
    assert_eq!(setting(&mut cli(r#"{"current":"gone","profiles":[]}"#)).0, "the profile");

    assert_eq!(why(World::new(IniProfile::new()).env(&[("HOME", "/h/me")])), "there is no such file");
    assert_eq!(why(ini("[other]\ntype=access_key")), "it has no section `default`");
    assert_eq!(why(ini("[default]\nenable = False")), "its section says enable = false");
}

#[test]
fn b63_bad_files_are_refused_without_a_word_of_them() {
    let source = SourceName::CliProfile;
    let malformed = |problem, at| CredentialError::Malformed { source, problem, at };
    let twice = r#"{"profiles":[{"name":"p"},{"name":"p"}]}"#;
    let table = [
        (Answer::File(FileAnswer::new("MARK")), malformed("no object", 0)),
        (Answer::File(FileAnswer::new(&b"{\"a\":\"\xff"[..])), malformed("text that is not UTF-8", 6)),
        (Answer::File(FileAnswer::new(r#"{"profiles":[1]}"#)), malformed("a profile that is no object", 0)),
        (Answer::File(FileAnswer::new(twice)), malformed("a profile that occurs twice", 0)),
        (Answer::File(FileAnswer::new(vec![b' '; 1_048_577])), CredentialError::TooLong { source }),
        (Answer::TooLong, CredentialError::TooLong { source }),
        (Answer::Failed("denied".into()), CredentialError::Failed { source, reason: "denied".into() }),
    ];
    for (answer, expected) in table {
        let mut world = cli("");
        world.files.insert(CONFIG.into(), answer);
        let error = world.obtain().unwrap_err();
        assert_eq!(error, expected);
        assert!(!format!("{error} {error:?} {}", world.cache.explain()).contains("MARK"));
    }
    let source = SourceName::IniProfile;
    let problem = "a section that occurs twice";
    let twice = ini("[default]\ntype=access_key\n[default]").obtain();
    assert_eq!(twice, Err(CredentialError::Malformed { source, problem, at: 26 }));
}

#[test]
fn b63_a_file_that_others_may_read_is_warned_of() {
    let mut world = cli("");
    let text = format!(r#"{{"profiles":[{{"name":"default",{KEYS}}}]}}"#);
    let file = Answer::File(FileAnswer::new(text.as_str()).open_to_others(true));
    world.files.insert(CONFIG.into(), file);
    assert!(world.obtain().is_ok());
    let trail = world.cache.explain().to_string();
    assert!(trail.contains("warning, other users of the machine may read its file: chmod 600 it"), "{trail}");
}

#[test]
fn b63_a_configuration_with_a_mark_and_line_ends_of_windows() {
    let config =
        format!("\u{feff}{{\r\n\"current\":\"p\",\r\n\"profiles\":[{{\"name\":\"p\",{KEYS}}}]}}\r\n");
    assert!(cli(&config).obtain().is_ok());
    let text = "\u{feff}[default]\r\ntype = access_key\r\naccess_key_id = ak\r\naccess_key_secret = sk\r\n";
    assert_eq!(ini(text).obtain(), Ok(Credentials::new("ak", "sk").unwrap()));
}

#[test]
fn types_of_the_credentials_file() {
    let keys = "access_key_id = ak # mine\naccess_key_secret = sk\n";
    let plain = Credentials::new("ak", "sk").unwrap();
    let missing = |name| Err(CredentialError::Missing { source: SourceName::IniProfile, name });
    let table = [
        (format!("type = access_key\n{keys}"), Ok(plain.clone())),
        (format!("type = sts\n{keys}security_token = t"), Ok(plain.with_token("t").unwrap())),
        (format!("type = sts\n{keys}"), missing("security_token")),
        ("type = access_key\naccess_key_id = ak".to_owned(), missing("access_key_secret")),
        (keys.to_owned(), missing("type")),
        (format!("type = ram_role_arn\n{keys}"), missing("role_arn")),
        (format!("type = oidc_role_arn\nrole_arn = {ROLE}"), missing("oidc_provider_arn")),
    ];
    for (section, expected) in table {
        assert_eq!(ini(&format!("[default]\n{section}")).obtain(), expected, "{section}");
    }
    let role = format!(
        "[default]\ntype = ram_role_arn\n{keys}role_arn = {ROLE}\nrole_session_name = me\n\
         role_session_expiration = 900\npolicy = {{}}\nregion_id = cn-hangzhou\n"
    );
    let mut world = ini(&role).server(sts);
    assert_eq!(world.obtain().unwrap().access_key_id(), Some("example-by-ak"));
    assert_eq!(world.urls(), ["POST https://sts.cn-hangzhou.aliyuncs.com/"]);
    let sent = parameters(world.requests()[0].body.expose());
    assert_eq!((sent["RoleSessionName"].as_str(), sent["DurationSeconds"].as_str()), ("me", "900"));
    assert_eq!(sent["Policy"], "{}");
    let wrong = role.replace("900", "soon");
    assert_eq!(setting(&mut ini(&wrong)).0, "role_session_expiration");

    let oidc = format!(
        "[default]\ntype = oidc_role_arn\noidc_provider_arn = acs:ram::1:oidc-provider/x\n\
         oidc_token_file_path = /token\nrole_arn = {ROLE}\n"
    );
    assert!(ini(&oidc).file("/token", "token").server(sts).obtain().is_ok());
    let mut ecs = ini("[default]\ntype = ecs_ram_role\nrole_name = reader").server(|request, wall| {
        if request.method == "PUT" { ok("token") } else { ok(&success("ecs", wall.saturating_add(60))) }
    });
    assert_eq!(ecs.obtain().unwrap().access_key_id(), Some("ecs"));
    for kind in ["rsa_key_pair", "bearer", "strange"] {
        assert_eq!(setting(&mut ini(&format!("[default]\ntype = {kind}"))).0, "the type");
    }
}

#[test]
fn the_section_is_the_one_that_was_named() {
    let text = "[default]\ntype=access_key\naccess_key_id=d\naccess_key_secret=s\n\
                [other]\ntype=access_key\naccess_key_id=o\naccess_key_secret=s\n";
    let of = |world: &mut World| world.obtain().map(|found| found.access_key_id().unwrap().to_owned());
    assert_eq!(of(&mut ini(text)), Ok("d".to_owned()));
    assert_eq!(of(&mut ini(text).env(&[("ALIBABA_CLOUD_PROFILE", "other")])), Ok("o".to_owned()));
    let mut second = World::new(IniProfile::new().profile("other")).env(&[("HOME", "/h/me")]);
    second.files.insert(format!("{CREDENTIALS}.ini"), Answer::File(FileAnswer::new(text)));
    assert_eq!(of(&mut second), Ok("o".to_owned()));
    let mut named = World::new(IniProfile::new()).file("/x", text);
    named.env.insert("ALIBABA_CLOUD_CREDENTIALS_FILE", "/x".into());
    assert_eq!(of(&mut named), Ok("d".to_owned()));

    // F86: to go on would be another identity.
    assert_eq!(setting(&mut ini(text).env(&[("ALIBABA_CLOUD_PROFILE", "x")])).0, "the profile");
    let mut nowhere = World::new(IniProfile::new()).env(&[("HOME", "/h/me"), ("ALIBABA_CLOUD_PROFILE", "x")]);
    assert_eq!(setting(&mut nowhere).0, "ALIBABA_CLOUD_PROFILE");
}
