//! No copy of a secret is left in memory that was given back, whatever source it went through.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests too")]

use core::time::Duration;

use oss_alloc::left_behind;
use oss_credentials::{
    Answer, CliProfile, CommandAnswer, CredentialCache, CredentialError, Credentials, CredentialsUri,
    EcsRole, FileAnswer, HttpAnswer, IniProfile, Lookup, Need, OidcRole, Process, RamRole, Secret, Source,
    Step, StsSignature,
};
use oss_sign::UnixTime;

#[global_allocator]
static ALLOCATOR: oss_alloc::Searching = oss_alloc::Searching;

const MARK: &[u8] = b"CaNaRy!7";
const ROLE: &str = "acs:ram::1:role/r";
const PROVIDER: &str = "acs:ram::1:oidc-provider/x";
const GRANTED: &str = r#"{"Code":"Success","AccessKeyId":"i","AccessKeySecret":"CaNaRy!7\u0041",
    "SecurityToken":"long-CaNaRy!7-long-CaNaRy!7-long-CaNaRy!7"}"#;
const STS: &str = r#"{"RequestId":"R","Credentials":{"AccessKeyId":"i","AccessKeySecret":"CaNaRy!7\n",
    "SecurityToken":"CaNaRy!7"}}"#;
const STS_PLAIN: &str = r#"{"Credentials":{"AccessKeyId":"i","AccessKeySecret":"CaNaRy!7",
    "SecurityToken":"CaNaRy!7"}}"#;
const CONFIG: &str = r#"{"current":"p","profiles":[{"name":"p","mode":"ChainableRamRoleArn",
    "ram_role_arn":"acs:ram::1:role/r","policy":"CaNaRy!7","source_profile":"q"},
    {"name":"q","mode":"StsToken","access_key_id":"i","access_key_secret":"CaNaRy!7",
    "sts_token":"CaNaRy!7"}]}"#;
const EXTERNAL: &str = r#"{"profiles":[{"name":"default","mode":"External",
    "process_command":"helper 'CaNaRy!7 CaNaRy!7' CaNaRy!7"}]}"#;
const INI: &str =
    "[default]\ntype=sts\naccess_key_id=i\naccess_key_secret=CaNaRy!7\nsecurity_token=CaNaRy!7\n";

fn key() -> Credentials {
    Credentials::new("i", "CaNaRy!7").unwrap().with_token("CaNaRy!7").unwrap()
}

/// Obtains credentials, with these answers to files, servers and programs, and drops everything.
fn run(source: Source, sts: &'static str, file: &'static str) -> Result<(), CredentialError> {
    let mut cache = CredentialCache::new(source, 1);
    let now = UnixTime::from_secs(1_700_000_000);
    loop {
        match cache.poll(Need::until(now), Duration::ZERO, now) {
            Step::Ready(_) => return Ok(()),
            Step::Failed(error) => return Err(error),
            Step::Wait { .. } => panic!("waits for itself"),
            Step::Ask(ticket, lookup) => {
                let answer = answer(&lookup, sts, file);
                cache.answer(ticket, answer, Duration::ZERO, now);
            }
        }
    }
}

fn answer(lookup: &Lookup, sts: &'static str, file: &'static str) -> Answer {
    match lookup {
        Lookup::Env(names) => {
            let value = |name: &&str| match *name {
                "HOME" => Some(Secret::from("/h")),
                "OSS_ACCESS_KEY_ID" => Some(Secret::from("i")),
                "OSS_STS_ROLE_ARN" => Some(Secret::from(ROLE)),
                "OSS_ACCESS_KEY_SECRET" | "OSS_SESSION_TOKEN" => Some(Secret::from("CaNaRy!7")),
                "ALIBABA_CLOUD_CREDENTIALS_URI" => Some(Secret::from("https://a.example/CaNaRy!7")),
                _ => None,
            };
            Answer::Env(names.iter().map(value).collect())
        }
        Lookup::File(_) => Answer::File(FileAnswer::new(file)),
        Lookup::Http(http) if http.method == "PUT" => Answer::Http(HttpAnswer::new(200, "CaNaRy!7")),
        Lookup::Http(http) if http.target.expose().ends_with('/') && http.is_metadata => {
            Answer::Http(HttpAnswer::new(200, "reader"))
        }
        Lookup::Http(http) if http.method == "POST" => Answer::Http(HttpAnswer::new(200, sts)),
        Lookup::Http(_) => Answer::Http(HttpAnswer::new(200, GRANTED)),
        Lookup::Command(_) => Answer::Command(CommandAnswer::new(true, GRANTED)),
        _ => Answer::Custom(key()),
    }
}

#[test]
fn g8_no_source_leaves_a_secret_behind() {
    let role = || RamRole::new(ROLE).policy("CaNaRy!7").external_id("CaNaRy-7").assumed_by(key());
    let oidc = || OidcRole::new(ROLE, PROVIDER, "/token");
    type Make = Box<dyn Fn() -> Source>;
    let table: [(&str, Make, &str, &str, bool); 15] = [
        ("fixed", Box::new(|| key().into()), STS, "", true),
        ("environment", Box::new(|| Source::Environment), STS, "", true),
        ("role in the environment", Box::new(|| Source::EnvironmentRole), STS_PLAIN, "", true),
        ("role, RPC", Box::new(move || role().into()), STS_PLAIN, "", true),
        ("role, ACS3", Box::new(move || role().signature(StsSignature::Acs3).into()), STS_PLAIN, "", true),
        ("a secret with a line end", Box::new(move || role().into()), STS, "", false),
        ("a string that is bad", Box::new(move || role().into()), r#"{"a":"CaNaRy!7\x"}"#, "", false),
        ("token", Box::new(move || oidc().into()), STS_PLAIN, "CaNaRy!7\n", true),
        ("instance", Box::new(|| EcsRole::new().into()), STS, "", true),
        ("uri", Box::new(|| CredentialsUri::by_environment().into()), STS, "", true),
        ("program", Box::new(|| Process::split("x 'CaNaRy!7 CaNaRy!7'").unwrap().into()), STS, "", true),
        ("profiles", Box::new(|| CliProfile::new().into()), STS_PLAIN, CONFIG, true),
        ("program of a profile", Box::new(|| CliProfile::new().into()), STS, EXTERNAL, true),
        ("ini file", Box::new(|| IniProfile::new().into()), STS, INI, true),
        ("own", Box::new(|| Source::Custom(1)), STS, "", true),
    ];
    for (name, source, sts, file, is_found) in table {
        let (outcome, found) = left_behind(MARK, || run(source(), sts, file));
        assert_eq!(outcome.is_ok(), is_found, "{name}: {outcome:?}");
        assert_eq!(found, 0, "{name}: blocks with a secret in them were given back");
    }
    let quote = || drop(Process::split("x \"CaNaRy!7 CaNaRy!7"));
    assert_eq!(left_behind(MARK, quote).1, 0, "a command that is refused");
}

/// The search would find what is not wiped.
#[test]
fn a_string_that_is_not_wiped_is_found() {
    let (_, found) = left_behind(MARK, || drop(String::from("a CaNaRy!7")));
    assert_eq!(found, 1);
}
