//! Any source, any answers, any clocks: nothing panics, nothing goes on for ever, nothing shows a secret.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests too")]

extern crate alloc;

use alloc::collections::BTreeSet;
use core::fmt::Write;
use core::time::Duration;

use oss_credentials::{
    Answer, CliProfile, CommandAnswer, CredentialCache, CredentialError, Credentials, CredentialsUri,
    EcsRole, FileAnswer, HttpAnswer, HttpLookup, IniProfile, Lookup, Need, OidcRole, Process, RamRole,
    Secret, Source, Step, StsEndpoint, StsSignature,
};
use oss_sign::UnixTime;
use proptest::collection::vec;
use proptest::prelude::*;

use world::{EPOCH, ROLE, granted, parameters, success};

mod world;

/// Part of every secret there is; nothing may show it.
const MARK: &str = "CaNaRy!7";

fn key() -> Credentials {
    Credentials::new("an-id", MARK).unwrap().with_token(MARK).unwrap()
}

fn leaves() -> impl Strategy<Value = Source> {
    let oidc = OidcRole::new(ROLE, "acs:ram::1:oidc-provider/x", "~/token").policy(MARK);
    prop_oneof![
        Just(Source::default_chain()),
        Just(Source::Environment),
        Just(Source::EnvironmentRole),
        Just(Source::Static(key())),
        Just(Source::Static(Credentials::anonymous())),
        Just(oidc.into()),
        Just(OidcRole::by_environment().into()),
        Just(EcsRole::new().into()),
        Just(EcsRole::new().name("reader").allow_v1().into()),
        Just(CredentialsUri::new(format!("https://a.example/{MARK}?{MARK}")).into()),
        Just(CredentialsUri::new(format!("ftp://{MARK}")).into()),
        Just(Process::new("helper").argument(MARK).into()),
        Just(CliProfile::new().into()),
        Just(CliProfile::new().profile("p").file("~/x").into()),
        Just(IniProfile::new().into()),
        Just(Source::Custom(3)),
    ]
}

fn sources() -> impl Strategy<Value = Source> {
    leaves().prop_recursive(3, 12, 4, |inner| {
        let role = (inner.clone(), any::<bool>(), any::<bool>()).prop_map(|(base, is_acs3, is_long)| {
            let role = RamRole::new(ROLE).assumed_by(base).policy(MARK).external_id("CaNaRy-7").endpoint(
                if is_long { StsEndpoint::host("no host") } else { StsEndpoint::vpc("cn-hangzhou") },
            );
            role.signature(if is_acs3 { StsSignature::Acs3 } else { StsSignature::Rpc }).into()
        });
        prop_oneof![role, vec(inner, 0..4).prop_map(Source::Chain)]
    })
}

/// Which answer is given to a question: mostly one that fits, sometimes any.
#[derive(Clone, Debug)]
struct Reply {
    kind: u8,
    pick: usize,
    life: i64,
}

fn replies() -> impl Strategy<Value = Reply> {
    (0..20_u8, 0..1_000_usize, prop_oneof![1..100_i64, 0..50_000_i64, Just(-5), Just(i64::MAX)])
        .prop_map(|(kind, pick, life)| Reply { kind, pick, life })
}

fn reply(lookup: &Lookup, how: &Reply, wall: UnixTime) -> Answer {
    match how.kind {
        0 => return Answer::Unavailable,
        1 => return Answer::Unreachable,
        2 => return Answer::Absent,
        3 => return Answer::TooLong,
        4 => return Answer::Failed("down".into()),
        5 => return Answer::Custom(key()),
        _ => {}
    }
    let end = wall.saturating_add(how.life);
    match lookup {
        Lookup::Env(names) => Answer::Env(names.iter().map(|name| variable(name, how)).collect()),
        Lookup::File(_) => Answer::File(FileAnswer::new(file(how).as_bytes()).open_to_others(true)),
        Lookup::Http(http) => answer(http, how, end),
        Lookup::Command(_) => {
            let text = pick(&[&success(MARK, end).replace(r#""Code":"Success","#, ""), MARK, "{}"], how.pick);
            Answer::Command(CommandAnswer::new(!how.pick.is_multiple_of(3), text.as_str()))
        }
        Lookup::Custom(_) => Answer::Custom(key().with_expiration(end)),
        _ => Answer::Unavailable,
    }
}

fn pick(choices: &[&str], index: usize) -> String {
    choices[index % choices.len()].to_owned()
}

fn variable(name: &str, how: &Reply) -> Option<Secret> {
    let text = match name {
        "ALIBABA_CLOUD_CLI_PROFILE_DISABLED" | "ALIBABA_CLOUD_ECS_METADATA_DISABLED" => {
            pick(&["", "true", "false"], how.pick / 5)
        }
        "HOME" | "USERPROFILE" => pick(&["/h", "", "C:\\h\\"], how.pick),
        "OSS_STS_ROLE_ARN" | "ALIBABA_CLOUD_ROLE_ARN" => pick(&[ROLE, "x", ""], how.pick),
        "ALIBABA_CLOUD_STS_ENDPOINT" => pick(&["", "a.example", "http://a", "a b"], how.pick),
        "ALIBABA_CLOUD_CREDENTIALS_URI" => pick(&["http://localhost/CaNaRy!7", "", MARK], how.pick),
        "ALIBABA_CLOUD_ECS_METADATA" => pick(&["", "reader", "../x"], how.pick),
        "ALIBABA_CLOUD_PROFILE" => pick(&["", "p", "x"], how.pick / 3),
        name if name.ends_with("_FILE") => pick(&["/f", "~/f", "", "密"], how.pick),
        name if name.ends_with("ACCESS_KEY_ID") => pick(&["an-id", "", "i d"], how.pick / 7),
        _ => pick(&[MARK, "", "CaNaRy!7\r\n", "密CaNaRy!7"], how.pick),
    };
    (!how.pick.is_multiple_of(11)).then(|| Secret::from(text))
}

fn file(how: &Reply) -> String {
    let keys = format!(r#""access_key_id":"an-id","access_key_secret":"{MARK}","sts_token":"{MARK}""#);
    let config = |mode: &str| {
        format!(
            r#"{{"current":"p","profiles":[{{"name":"p","mode":"{mode}",{keys},"source_profile":"q",
            "ram_role_arn":"{ROLE}","external_id":"CaNaRy-7","policy":"{MARK}","sts_expiration":1800000000,
            "process_command":"helper '{MARK}'","credentials_uri":"https://a.example/{MARK}",
            "oidc_provider_arn":"acs:ram::1:oidc-provider/x","oidc_token_file":"/t","access_token":"{MARK}",
            "cloud_sso_sign_in_url":"https://a.example/","cloud_sso_account_id":"1",
            "cloud_sso_access_config":"2"}},{{"name":"q","mode":"AK",{keys}}}]}}"#
        )
    };
    let section = |kind: &str| {
        format!(
            "[p]\nk=v\n[default]\ntype={kind}\naccess_key_id=an-id\naccess_key_secret={MARK}\n\
             security_token={MARK}\nrole_arn={ROLE}\npolicy={MARK}\noidc_token_file_path=/t\n\
             oidc_provider_arn=acs:ram::1:oidc-provider/x\n"
        )
    };
    let modes = ["AK", "StsToken", "RamRoleArn", "ChainableRamRoleArn", "EcsRamRole", "OIDC", "External"];
    let others = ["CredentialsURI", "CloudSSO", "OAuth", "RamRoleArnWithRoleName", "CaNaRy!7"];
    let types = ["access_key", "sts", "ram_role_arn", "ecs_ram_role", "oidc_role_arn", "CaNaRy!7"];
    let mut all: Vec<String> = modes.into_iter().chain(others).map(config).collect();
    all.extend(types.into_iter().map(section));
    all.extend([String::from(MARK), format!("{{\"{MARK}"), String::new(), "a".repeat(70_000)]);
    all.swap_remove(how.pick % all.len())
}

fn answer(http: &HttpLookup, how: &Reply, end: UnixTime) -> Answer {
    let granted = match http.target.expose() {
        "/cloud-credentials" => format!(r#"{{"CloudCredential":{}}}"#, success(MARK, end)),
        _ if !http.is_metadata && http.method == "POST" => granted("an-id", end).replace("-secret", MARK),
        target if target.ends_with("/token") => MARK.to_owned(),
        target if http.is_metadata && target.ends_with('/') => "reader".to_owned(),
        _ => success("an-id", end).replace("-secret", MARK),
    };
    let (status, body) = match how.pick % 12 {
        0 => (400, r#"{"Code":"InvalidTimeStamp.Expired","Message":"CaNaRy!7"}"#.to_owned()),
        1 => (400, r#"{"Code":"AuthenticationFail.OIDCToken.Expired"}"#.to_owned()),
        2 => (500, MARK.to_owned()),
        3 => (404, MARK.to_owned()),
        4 => (401, String::new()),
        5 => (200, format!("{{\"{MARK}\":\"{MARK}\"}}")),
        6 => (403, r#"{"Code":"CaNaRy!7"}"#.to_owned()),
        _ => (200, granted),
    };
    let answer = HttpAnswer::new(status, body.as_str());
    Answer::Http(match how.pick % 5 {
        0 => answer.with_date(EPOCH.saturating_add(how.life).http_date().as_str()),
        1 => answer.with_date("yesterday"),
        _ => answer,
    })
}

/// Everything that a person might get to see.
#[derive(Default)]
struct Seen(String);

impl Seen {
    fn note(&mut self, value: &impl core::fmt::Debug) {
        write!(self.0, "{value:?} {value:#?}").unwrap();
    }

    fn check(&self) -> Result<(), TestCaseError> {
        // Raw, base64 in each alignment, hex, percent-encoded, reversed by nobody.
        for secret in [MARK, "Q2FOYVJ5", "NhTmFSeS", "DYU5hUnk", "43614e61527921", "CaNaRy%21", "CaNaRy"] {
            if let Some(at) = self.0.find(secret) {
                let around = self.0.get(at.saturating_sub(300)..at + 20).unwrap_or_default();
                return Err(TestCaseError::fail(format!("{secret} in {around}")));
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn b67_any_answers_end_and_show_nothing(
        source in sources(),
        replies in vec(replies(), 1..40),
        seed in any::<u64>(),
        jumps in vec(prop_oneof![Just(0_i64), 0..4_000_i64, -50_000..50_000_i64], 5),
    ) {
        let mut seen = Seen::default();
        seen.note(&source);
        let mut cache = CredentialCache::new(source, seed);
        let (mut mono, mut wall) = (Duration::ZERO, EPOCH);
        let (mut replies, mut nonces) = (replies.iter().cycle(), BTreeSet::new());
        for jump in jumps {
            let mut questions = 0;
            loop {
                let step = cache.poll(Need::until(wall), mono, wall);
                seen.note(&step);
                match step {
                    Step::Ready(_) => break,
                    Step::Failed(error) => {
                        write!(seen.0, "{error}").unwrap();
                        prop_assert!(!error.to_string().contains(char::is_control), "{error:?}");
                        break;
                    }
                    Step::Wait { .. } => return Err(TestCaseError::fail("waits for itself")),
                    Step::Ask(ticket, lookup) => {
                        questions += 1;
                        // Seven sources, three tries of three requests at most, roles above them.
                        prop_assert!(questions <= 120, "asks for ever");
                        check_question(&lookup, &mut nonces)?;
                        let answer = reply(&lookup, replies.next().unwrap(), wall);
                        seen.note(&answer);
                        cache.answer(ticket, answer, mono, wall);
                    }
                }
            }
            seen.note(&cache);
            write!(seen.0, "{}", cache.explain()).unwrap();
            mono += Duration::from_secs(jump.unsigned_abs());
            wall = wall.saturating_add(jump);
        }
        seen.check()?;
    }
}

/// What holds for every question, whatever was answered before.
fn check_question(lookup: &Lookup, nonces: &mut BTreeSet<String>) -> Result<(), TestCaseError> {
    let Lookup::Http(http) = lookup else { return Ok(()) };
    prop_assert!(http.target.expose().starts_with('/'));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:".contains(&byte);
    prop_assert!(http.authority.bytes().all(is_plain), "{}", http.authority);
    // F83: the metadata service is asked in the clear, and gets nothing but its own token.
    let is_of_service = http.authority == "100.100.100.200";
    prop_assert_eq!(!http.is_https, is_of_service || http.authority == "localhost");
    // F84: what goes out in the clear goes through no proxy.
    prop_assert_eq!(http.is_metadata, !http.is_https);
    for (name, value) in &http.headers {
        let is_safe = value.expose().bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        prop_assert!(is_safe, "{name}");
        prop_assert_eq!(name.starts_with("x-aliyun-ecs"), is_of_service);
    }
    prop_assert!(http.url().expose().bytes().all(|byte| byte.is_ascii_graphic()));
    let nonce = http.headers.iter().find(|(name, _)| *name == "x-acs-signature-nonce");
    let nonce = nonce.map(|(_, nonce)| nonce.expose().to_owned()).or_else(|| {
        let is_form = http.body.expose().contains("SignatureNonce=");
        is_form.then(|| parameters(http.body.expose())["SignatureNonce"].clone())
    });
    if let Some(nonce) = nonce {
        prop_assert!(nonces.insert(nonce), "a nonce was used twice");
    }
    Ok(())
}

/// Of a source whose server is down for an hour, everything is asked a bounded number of times.
#[test]
fn f79_requests_are_bounded_while_servers_are_down() {
    let key = || Source::Static(Credentials::new("i", "s").unwrap());
    let down = [Answer::Unavailable, Answer::Unreachable, Answer::Http(HttpAnswer::new(503, ""))];
    let sources: [Source; 4] = [
        RamRole::new(ROLE).assumed_by(key()).into(),
        RamRole::new(ROLE).assumed_by(EcsRole::new()).into(),
        EcsRole::new().into(),
        CredentialsUri::new("https://a.example/").into(),
    ];
    for source in sources {
        for fault in &down {
            let mut cache = CredentialCache::new(source.clone(), 1);
            let (mut mono, mut wall, mut requests) = (Duration::ZERO, EPOCH, 0);
            while mono < Duration::from_secs(3_600) {
                match cache.poll(Need::until(wall), mono, wall) {
                    Step::Ask(ticket, _) => {
                        requests += 1;
                        cache.answer(ticket, fault.clone(), mono, wall);
                    }
                    step => {
                        assert!(matches!(step, Step::Failed(_)), "{step:?}");
                        mono += Duration::from_millis(500);
                        wall = UnixTime::from_secs(EPOCH.as_secs() + i64::try_from(mono.as_secs()).unwrap());
                    }
                }
            }
            // A lookup each 30 to 60 s in the end, three tries each.
            assert!((60..=3 * 130).contains(&requests), "{requests} of {source:?}");
        }
    }
}

/// A service that comes back is used at the next try, and nobody ever gets what has expired.
#[test]
fn nothing_expired_is_given_while_something_fresh_can_be_had() {
    let role = RamRole::new(ROLE).assumed_by(Credentials::new("i", "s").unwrap());
    for (down_from, down_for) in [(0, 300), (2_000, 1_000), (2_700, 1_200), (3_590, 20), (1_000, 4_000)] {
        let mut cache = CredentialCache::new(role.clone().into(), 9);
        let mut quiet_since = None;
        for second in 0..10_000_i64 {
            let wall = EPOCH.saturating_add(second);
            let mono = Duration::from_secs(second.unsigned_abs());
            let is_down = (down_from..down_from + down_for).contains(&second);
            let end = loop {
                match cache.poll(Need::until(wall), mono, wall) {
                    Step::Ready(credentials) => break credentials.expiration(),
                    Step::Failed(CredentialError::Unavailable { .. }) => break None,
                    Step::Ask(ticket, _) if is_down => {
                        cache.answer(ticket, Answer::Unavailable, mono, wall);
                    }
                    Step::Ask(ticket, _) => {
                        let answer = HttpAnswer::new(200, granted("a", wall.saturating_add(3_600)).as_str());
                        cache.answer(ticket, Answer::Http(answer), mono, wall);
                    }
                    other => panic!("{other:?}"),
                }
            };
            match end {
                Some(end) => {
                    assert!(end > wall, "expired at {second}");
                    quiet_since = None;
                }
                None => {
                    let since =
                        *quiet_since.get_or_insert(if is_down { second } else { down_from + down_for });
                    assert!(is_down || second - since.max(down_from + down_for) <= 60, "at {second}");
                }
            }
        }
    }
}
