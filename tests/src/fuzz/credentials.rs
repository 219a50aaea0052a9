//! What credential sources are told: by servers, files and programs that may be broken or hostile.

use core::time::Duration;

use oss_credentials::{
    Answer, CliProfile, CommandAnswer, CredentialCache, CredentialError, Credentials, CredentialsUri,
    EcsRole, FileAnswer, HttpAnswer, IniProfile, Lookup, Need, OidcRole, Process, RamRole, Secret, Source,
    Step,
};
use oss_sign::UnixTime;

/// The first byte chooses a source, the others are what it is told: credentials that can be sent or one line
/// of an error come of it, the same each time.
pub fn credentials(bytes: &[u8]) {
    let Some((kind, told)) = bytes.split_first() else { return };
    if kind % KINDS == 0 {
        return split(told);
    }
    let outcome = obtain(source(kind % KINDS), told);
    match &outcome {
        Ok(credentials) => {
            let key = credentials.access_key().expect("nobody is in no answer");
            for part in [Some(key.id), Some(key.secret), key.token].into_iter().flatten() {
                assert!(!part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic()));
            }
            assert!(credentials.expiration().is_none_or(|end| end > NOW), "{credentials:?}");
        }
        Err(error) => {
            let message = error.to_string();
            assert!(!message.contains(char::is_control) && message.len() <= 400, "{message:?}");
        }
    }
    assert_eq!(obtain(source(kind % KINDS), told), outcome);
}

/// A command line: whatever it is, its words hold no more than was in it.
fn split(told: &[u8]) {
    let Ok(command) = core::str::from_utf8(told) else { return };
    let Ok(process) = Process::split(command) else { return };
    let mut cache = CredentialCache::new(process.into(), 1);
    let Step::Ask(_, Lookup::Command(lookup)) = cache.poll(Need::until(NOW), Duration::ZERO, NOW) else {
        unreachable!("a program is asked at once");
    };
    assert!(!lookup.program.is_empty());
    let length: usize = lookup.arguments.iter().map(|argument| argument.expose().len()).sum();
    assert!(lookup.program.len() + length <= command.len());
}

fn source(kind: u8) -> Source {
    let key = Credentials::new("id", "secret").expect("both are plain");
    match kind {
        1 => Process::new("helper").into(),
        2 => RamRole::new(ROLE).assumed_by(key).into(),
        3 => EcsRole::new().name("reader").into(),
        4 => EcsRole::new().into(),
        5 => CredentialsUri::new("https://a.example/").into(),
        6 => CliProfile::new().into(),
        7 => IniProfile::new().into(),
        8 => OidcRole::new(ROLE, "acs:ram::1:oidc-provider/x", "/token").into(),
        _ => CredentialsUri::by_environment().into(),
    }
}

/// Tells a source these bytes each time it asks for something that can be bytes; but a token is a token.
fn obtain(source: Source, told: &[u8]) -> Result<Credentials, CredentialError> {
    let mut cache = CredentialCache::new(source, 1);
    for _ in 0..QUESTIONS_MAX {
        match cache.poll(Need::until(NOW), Duration::ZERO, NOW) {
            Step::Ready(credentials) => return Ok(credentials),
            Step::Failed(error) => return Err(error),
            Step::Wait { .. } => unreachable!("nobody else asks here"),
            Step::Ask(ticket, lookup) => {
                let answer = answer(&lookup, told);
                cache.answer(ticket, answer, Duration::ZERO, NOW);
            }
        }
    }
    unreachable!("a source asks for ever");
}

fn answer(lookup: &Lookup, told: &[u8]) -> Answer {
    match lookup {
        Lookup::Env(names) => {
            let text = String::from_utf8_lossy(told);
            let value = |name: &&str| match *name {
                "HOME" => Some(Secret::from("/h")),
                "ALIBABA_CLOUD_CREDENTIALS_URI" => Some(Secret::from(text.as_ref())),
                _ => None,
            };
            Answer::Env(names.iter().map(value).collect())
        }
        Lookup::File(_) => Answer::File(FileAnswer::new(told)),
        Lookup::Http(http) if http.method == "PUT" => Answer::Http(HttpAnswer::new(200, "token")),
        Lookup::Http(_) => {
            let status = if told.starts_with(b" ") { 400 } else { 200 };
            Answer::Http(HttpAnswer::new(status, told).with_date("Tue, 14 Nov 2023 22:13:20 GMT"))
        }
        Lookup::Command(_) => Answer::Command(CommandAnswer::new(true, told)),
        _ => Answer::Unavailable,
    }
}

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const ROLE: &str = "acs:ram::1:role/r";
const KINDS: u8 = 10;
/// Three tries of three requests, a file in two places, and profiles that ask others.
const QUESTIONS_MAX: usize = 40;
