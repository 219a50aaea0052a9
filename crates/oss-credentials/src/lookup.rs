//! What a cache asks, and what a driver may answer.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use oss_sign::UnixTime;

use crate::{Credentials, Secret, SecretBytes};

/// A question that a credential source asks of its surroundings.
///
/// `Debug` shows none of the secrets in it. More kinds may come; a driver answers one that it does not know
/// with [`Answer::Unavailable`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lookup {
    /// What are the values of these environment variables? Answer: [`Answer::Env`], in the same order.
    Env(Vec<&'static str>),
    /// What is in this file? Answer: [`Answer::File`], or [`Answer::Absent`] when there is no such file.
    File(FileLookup),
    /// What does this HTTP request bring? Answer: [`Answer::Http`], whatever the status.
    Http(HttpLookup),
    /// What does this program print? Answer: [`Answer::Command`].
    Command(CommandLookup),
    /// What does the program's own source of this number say? Answer: [`Answer::Custom`].
    Custom(u32),
}

/// A file to read whole.
///
/// The driver reads at most [`max_bytes`](Self::max_bytes) and one more; a file that has more is answered
/// with [`Answer::TooLong`]. A file that is there and cannot be read is [`Answer::Failed`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileLookup {
    /// The path, as it was configured: with its `~` resolved, not otherwise touched.
    pub path: String,
    /// How many bytes are taken at most.
    pub max_bytes: usize,
}

/// An HTTP request to send once.
///
/// The driver sends exactly these headers and `host` and `content-length`; it follows no redirect, repeats
/// nothing, accepts any status, and keeps no cookie. Certificates are verified. It reads at most
/// [`max_bytes`](Self::max_bytes) of the body and one more; a longer body is answered with
/// [`Answer::TooLong`]. When no connection came about, it answers [`Answer::Unreachable`]; when one did and
/// then failed or took too long, [`Answer::Unavailable`].
///
/// `Debug` shows the method, the authority and the headers' names; even a path may hold a secret.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpLookup {
    /// `GET`, `PUT` or `POST`.
    pub method: &'static str,
    /// Whether TLS is spoken.
    pub is_https: bool,
    /// The host, with `:port` where it is not the scheme's own; also the value of the `host` header.
    pub authority: String,
    /// The path and the query, encoded; it begins with `/`.
    pub target: Secret,
    /// The names in lower case, with their values.
    pub headers: Vec<(&'static str, Secret)>,
    /// The body; empty for none.
    pub body: Secret,
    /// How long to try to connect, TLS included.
    pub connect_timeout: Duration,
    /// How long to wait for the whole answer once the request was sent.
    pub read_timeout: Duration,
    /// How many bytes of the answer's body are taken at most.
    pub max_bytes: usize,
    /// Whether this goes to a service of the machine itself, its metadata service or a server beside the
    /// program: then through no proxy, whatever is configured. To a proxy it would be another machine.
    pub is_metadata: bool,
}

impl HttpLookup {
    /// Returns the whole URL, for an HTTP library that wants one.
    pub fn url(&self) -> Secret {
        let scheme = if self.is_https { "https://" } else { "http://" };
        Secret::concat(&[scheme, &self.authority, self.target.expose()])
    }

    /// A request to this place.
    pub(crate) fn new(method: &'static str, place: Place, target: Secret) -> Self {
        Self {
            method,
            is_https: place.is_https,
            authority: place.authority,
            target,
            headers: Vec::new(),
            body: Secret::default(),
            connect_timeout: CONNECT,
            read_timeout: READ,
            max_bytes: ANSWER_BYTES_MAX,
            is_metadata: place.is_metadata,
        }
    }
}

impl fmt::Debug for HttpLookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| *name).collect();
        f.debug_struct("HttpLookup")
            .field("method", &self.method)
            .field("is_https", &self.is_https)
            .field("authority", &self.authority)
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}

/// Where an HTTP request goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) is_https: bool,
    pub(crate) authority: String,
    pub(crate) is_metadata: bool,
}

/// A program to run, without a shell.
///
/// The driver starts it with these arguments as they are, in the environment of the process, with nothing on
/// its standard input, and shows its standard error to nobody but the person at the terminal: a text of it is
/// never part of an answer. It is killed after [`timeout`](Self::timeout), answered with
/// [`Answer::Unavailable`], or after [`max_bytes`](Self::max_bytes) and one more, answered with
/// [`Answer::TooLong`]. A program that cannot be started is [`Answer::Failed`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandLookup {
    /// The program: a path, or a name to be looked for as the system does.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<Secret>,
    /// How long it may run.
    pub timeout: Duration,
    /// How many bytes of its standard output are taken at most.
    pub max_bytes: usize,
}

/// The answer to a [`Lookup`].
///
/// [`Absent`](Self::Absent) lets a chain go on to its next source. What failed stops it: a source that is
/// present but broken must not make a program sign with another identity.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// One value for each variable that was asked for; `None` or empty when it is not set.
    ///
    /// A value that is no text should be handed in as lossy text, which is then refused with the variable's
    /// name.
    Env(Vec<Option<Secret>>),
    /// What is in the file.
    File(FileAnswer),
    /// What the server said, whatever the status.
    Http(HttpAnswer),
    /// How the program ended.
    Command(CommandAnswer),
    /// What the program's own source gave.
    Custom(Credentials),
    /// The source is not there on this machine.
    Absent,
    /// The source is there and failed; people read this text, so it must hold no secret.
    Failed(String),
    /// The answer has more bytes than the question allows.
    TooLong,
    /// No connection came about, so nothing was sent.
    Unreachable,
    /// The driver cannot ask this question, or its own time limit for the answer has passed.
    Unavailable,
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileAnswer {
    /// The whole content.
    pub bytes: SecretBytes,
    /// Whether other users of the machine may read it, as far as the driver knows: mode bits `0o077`.
    ///
    /// [`explain`](crate::CredentialCache::explain) warns of it.
    pub is_open_to_others: bool,
}

impl FileAnswer {
    /// The content of a file that nobody else may read, or of which that is not known.
    pub fn new(bytes: impl Into<SecretBytes>) -> Self {
        Self { bytes: bytes.into(), is_open_to_others: false }
    }

    /// Says whether other users of the machine may read the file.
    #[must_use]
    pub fn open_to_others(self, is_open_to_others: bool) -> Self {
        Self { is_open_to_others, ..self }
    }
}

/// What a server said.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// The value of the `date` header, by which a wrong clock is noticed.
    pub date: Option<String>,
    /// The whole body.
    pub body: SecretBytes,
}

impl HttpAnswer {
    /// An answer without a date.
    pub fn new(status: u16, body: impl Into<SecretBytes>) -> Self {
        Self { status, date: None, body: body.into() }
    }

    /// How many seconds the server's clock is ahead of ours, by its date; `None` when it tells none, or one
    /// that is further off than a clock that anybody looks at (24 h), which may be anything.
    pub(crate) fn seconds_ahead(&self, wall: UnixTime) -> Option<i64> {
        let ahead = UnixTime::parse_http_date(self.date.as_deref()?)?.secs_since(wall);
        (ahead.unsigned_abs() <= CLOCK_ERROR_SECS_MAX).then_some(ahead)
    }

    /// Adds the value of the `date` header.
    #[must_use]
    pub fn with_date(self, date: impl Into<String>) -> Self {
        Self { date: Some(date.into()), ..self }
    }
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandAnswer {
    /// Whether it ended with exit status 0.
    pub is_success: bool,
    /// All that it printed on its standard output.
    pub stdout: SecretBytes,
}

impl CommandAnswer {
    /// A program that ended like this and printed that.
    pub fn new(is_success: bool, stdout: impl Into<SecretBytes>) -> Self {
        Self { is_success, stdout: stdout.into() }
    }
}

/// An answer with credentials has a few KB; a token has no limit, 64 KiB is far beyond any that was seen.
pub(crate) const ANSWER_BYTES_MAX: usize = 64 * 1_024;
/// A configuration of many profiles with tokens in them.
pub(crate) const FILE_BYTES_MAX: usize = 1_024 * 1_024;
/// How long a program may take, as with the vendor's libraries.
pub(crate) const COMMAND_MAX: Duration = Duration::from_secs(60);

const CLOCK_ERROR_SECS_MAX: u64 = 24 * 3_600;
const CONNECT: Duration = Duration::from_secs(5);
const READ: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use alloc::{format, vec};

    use super::*;

    #[test]
    fn b67_debug_of_a_request_names_the_host_and_the_headers() {
        let place = Place { is_https: true, authority: String::from("a.example"), is_metadata: false };
        let headers = vec![("authorization", Secret::from("MARK"))];
        let lookup = HttpLookup {
            headers,
            body: Secret::from("MARK"),
            ..HttpLookup::new("GET", place, Secret::from("/MARK?MARK"))
        };
        let expected = "HttpLookup { method: \"GET\", is_https: true, authority: \"a.example\", \
                        headers: [\"authorization\"], .. }";
        assert_eq!(format!("{lookup:?}"), expected);
    }
}
