//! Credentials from a URI: a small server beside the program.

use alloc::string::String;

use crate::lookup::Place;
use crate::search::{Context, Input, Procedure, Turn};
use crate::source::{read, sts};
use crate::{Answer, CredentialError, HttpLookup, Lookup, Secret, Source, SourceName};

/// Credentials from a URI: a small server beside the program that answers GET as the metadata service does.
///
/// The URI is `https://…`, or `http://` to this machine (`127.0.0.1`, `localhost`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialsUri {
    uri: Option<Secret>,
    is_http_allowed: bool,
}

impl CredentialsUri {
    /// This URI; it is a secret, as there may be one in it. One of this machine is asked through no proxy.
    pub fn new(uri: impl Into<Secret>) -> Self {
        Self { uri: Some(uri.into()), is_http_allowed: false }
    }

    /// The URI in the variable `ALIBABA_CLOUD_CREDENTIALS_URI`; absent where that is not set.
    pub fn by_environment() -> Self {
        Self { uri: None, is_http_allowed: false }
    }

    /// Allows `http://` to other machines, where anyone on the way reads the credentials.
    #[must_use]
    pub fn allow_http(mut self) -> Self {
        self.is_http_allowed = true;
        self
    }
}

impl From<CredentialsUri> for Source {
    fn from(uri: CredentialsUri) -> Self {
        Self::Uri(uri)
    }
}

#[derive(Debug)]
pub(crate) struct AskUri {
    settings: CredentialsUri,
    asks: Option<(Place, Secret)>,
}

impl AskUri {
    pub(crate) fn new(settings: CredentialsUri) -> Self {
        Self { settings, asks: None }
    }

    fn begin(&mut self) -> Turn {
        let Some(uri) = &self.settings.uri else {
            return Turn::Ask;
        };
        match parse(uri.expose(), self.settings.is_http_allowed) {
            Ok(asks) => {
                self.asks = Some(asks);
                Turn::Ask
            }
            Err(problem) => {
                Turn::Broken(CredentialError::Setting { source: SourceName::Uri, name: "the URI", problem })
            }
        }
    }

    fn read(&mut self, answer: Answer) -> Turn {
        if self.asks.is_none() {
            return match read::variables(SourceName::Uri, answer) {
                Ok([None]) => Turn::Absent("ALIBABA_CLOUD_CREDENTIALS_URI is not set"),
                Ok([uri]) => {
                    self.settings.uri = uri;
                    self.begin()
                }
                Err(turn) => turn,
            };
        }
        let source = SourceName::Uri;
        let answer = match answer {
            Answer::Http(answer) if answer.status == 200 => answer,
            Answer::Http(answer) => {
                let status = answer.status;
                return Turn::Broken(CredentialError::Refused { source, status, code: None });
            }
            other => return read::no_answer(source, other),
        };
        let read = read::object(source, &answer.body, crate::lookup::ANSWER_BYTES_MAX).and_then(|object| {
            // Servers of one's own leave the code out.
            match object.text("Code").map_or("Success", Secret::expose) {
                "Success" => read::credentials(source, &object, read::NAMES),
                _ => Err(CredentialError::Malformed { source, problem: "a code other than Success", at: 0 }),
            }
        });
        read.map_or_else(Turn::Broken, Turn::found)
    }
}

impl Procedure for AskUri {
    fn name(&self) -> SourceName {
        SourceName::Uri
    }

    fn step(&mut self, input: Input, _: &mut Context<'_>) -> Turn {
        match input {
            Input::Begin => self.begin(),
            Input::Answer(answer) => self.read(answer),
            Input::Found(_) | Input::Absent => {
                Turn::Broken(CredentialError::Mismatch { source: self.name() })
            }
        }
    }

    fn question(&mut self, _: &mut Context<'_>) -> Lookup {
        match &self.asks {
            None => Lookup::Env(VARIABLE.to_vec()),
            Some((place, target)) => Lookup::Http(HttpLookup::new("GET", place.clone(), target.clone())),
        }
    }
}

/// The place and the target of a URI.
pub(crate) fn parse(uri: &str, is_http_allowed: bool) -> Result<(Place, Secret), &'static str> {
    let scheme = |name: &str| uri.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let (is_https, rest) = match () {
        () if scheme("https://") => (true, uri.get("https://".len()..).unwrap_or_default()),
        () if scheme("http://") => (false, uri.get("http://".len()..).unwrap_or_default()),
        () => return Err("has no scheme: begin it with https://"),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let target = target.split('#').next().unwrap_or_default();
    if !sts::is_authority(authority) {
        return Err("has no plain host: write it as in https://host:port/path");
    }
    if !target.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("has blanks or letters that are not encoded: encode them");
    }
    // In the clear and of this machine: a proxy would read it, and answer for another machine.
    let is_metadata = !is_https && is_this_machine(authority);
    if !is_https && !is_http_allowed && !is_metadata {
        return Err("speaks http with another machine: use https, or allow http in the program");
    }
    let slash = if target.starts_with('/') { "" } else { "/" };
    let place = Place { is_https, authority: String::from(authority), is_metadata };
    Ok((place, Secret::concat(&[slash, target])))
}

fn is_this_machine(authority: &str) -> bool {
    let host = authority.split(':').next().unwrap_or_default();
    let is_number = |part: &str| part.parse::<u8>().is_ok();
    host.eq_ignore_ascii_case("localhost")
        || (host.starts_with("127.") && host.split('.').count() == 4 && host.split('.').all(is_number))
}

const VARIABLE: [&str; 1] = ["ALIBABA_CLOUD_CREDENTIALS_URI"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_become_a_place_and_a_target() {
        let table = [
            ("https://a.example/x?y=1#z", Ok((true, "a.example", "/x?y=1"))),
            ("HTTP://localhost:8080", Ok((false, "localhost:8080", "/"))),
            ("http://127.0.0.1:80?q", Ok((false, "127.0.0.1:80", "/?q"))),
            ("http://127.evil.com/", Err("speaks http with")),
            ("http://127.0.0.1.evil.com/", Err("speaks http with")),
            ("http://localhost.evil.com/", Err("speaks http with")),
            ("http://a.example/", Err("speaks http with")),
            ("ftp://a/", Err("has no scheme")),
            ("a.example", Err("has no scheme")),
            ("", Err("has no scheme")),
            ("密密密", Err("has no scheme")),
            ("https://", Err("has no plain host")),
            ("https://user:pw@a/", Err("has no plain host")),
            ("https://a\\b/", Err("has no plain host")),
            ("https://a/b c", Err("has blanks")),
            ("https://a/\r\nx: y", Err("has blanks")),
            ("https://a/密", Err("has blanks")),
        ];
        for (uri, expected) in table {
            match (parse(uri, false), expected) {
                (Ok((place, target)), Ok((is_https, authority, path))) => {
                    assert_eq!((place.is_https, place.authority.as_str()), (is_https, authority), "{uri}");
                    assert_eq!(target.expose(), path, "{uri}");
                }
                (Err(problem), Err(start)) => assert!(problem.starts_with(start), "{uri}: {problem}"),
                (got, _) => panic!("{uri}: {got:?}"),
            }
        }
        assert!(parse("http://a.example/", true).is_ok());
    }
}
