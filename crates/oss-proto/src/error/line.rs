//! An error in one line: what was tried, what happened, and what to change.

use alloc::string::ToString;
use core::fmt;

use oss_retry::{FailureKind, Outcome};

use super::{
    Change, CorruptBody, DeadlinePassed, Error, ErrorKind, Inner, ObjectChanged, Relocation, TransportError,
    Unrepeated, Wait,
};
use crate::ServiceError;
use crate::invalid::excerpt;

/// One line: operation, host, what happened, how many attempts were made and whether they took effect, and
/// what to change. The causes below it are in it, so [`source`](core::error::Error::source) has none.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, operation, host, unrepeated, may_have_orphan, explanation, .. } = &*self.0;
        match kind {
            // Says the operation itself, and nothing was sent anywhere.
            ErrorKind::Invalid(error) => return write!(f, "{error}"),
            ErrorKind::Misuse(error) => {
                return write!(f, "{operation}: the driver {} while {}", error.what, error.state);
            }
            _ => write!(f, "{operation}")?,
        }
        if !host.is_empty() {
            write!(f, " at {host}")?;
        }
        f.write_str(": ")?;
        self.write_what(f)?;
        self.write_attempts(f)?;
        if let Some(why) = unrepeated {
            write!(f, "; not repeated, because {why}")?;
        }
        if *may_have_orphan {
            f.write_str(
                "; an upload may have been begun: list the uploads of this key and give up what is left",
            )?;
        }
        match (explanation, kind) {
            (Some(explanation), _) => write!(f, "; {explanation}")?,
            (None, ErrorKind::Moved(to)) => write!(f, "; not followed: {}", to.unfollowed)?,
            (None, kind) => fix(kind, host).map_or(Ok(()), |fix| write!(f, "; {fix}"))?,
        }
        match self.service().and_then(ServiceError::page) {
            Some(page) => write!(f, "; see {page}"),
            None => Ok(()),
        }
    }
}

impl Error {
    fn write_what(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            ErrorKind::Service(error) => write!(f, "{error}"),
            ErrorKind::Deadline(DeadlinePassed { wait, after }) => {
                write!(f, "out of time after {:.1} s, waiting {wait}", after.as_secs_f64())
            }
            ErrorKind::Transport(error) => write!(f, "{error}"),
            ErrorKind::Corrupt(error) => write!(f, "{error}"),
            ErrorKind::ObjectChanged(error) => write!(f, "{error}"),
            ErrorKind::Reply(error) => write!(f, "{error}"),
            ErrorKind::Credentials(error) => write!(f, "{error}"),
            ErrorKind::Moved(Relocation { status, location, .. }) if location.is_empty() => {
                write!(f, "the answer {status} names another place, and not which")
            }
            ErrorKind::Moved(Relocation { status, location, .. }) => {
                write!(f, "the answer {status} names another place: `{location}`")
            }
            ErrorKind::StoredButCallbackFailed(error) => {
                write!(f, "the object is stored, but the callback failed: {error}")
            }
            ErrorKind::Invalid(_) | ErrorKind::Misuse(_) => Ok(()),
        }
    }

    fn write_attempts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.attempts().len() {
            0 => return Ok(()),
            1 => f.write_str(" (1 attempt")?,
            n => write!(f, " ({n} attempts")?,
        }
        f.write_str(match self.outcome() {
            _ if self.0.is_read => ")",
            Outcome::Unknown if matches!(self.kind(), ErrorKind::StoredButCallbackFailed(_)) => ")",
            Outcome::Unknown => ", outcome unknown)",
            Outcome::NotSent => ", nothing was sent)",
            Outcome::Rejected => ")",
        })
    }
}

/// What failed, and every cause below it that says something new, in one line.
impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = self.kind.to_string();
        let mut next = self.cause.as_deref().map(|cause| cause as &dyn core::error::Error);
        for _ in 0..CAUSES_MAX {
            let Some(cause) = next else { break };
            let text = excerpt(&cause.to_string(), CAUSE_CHARS_MAX);
            if !text.is_empty() && !line.contains(&text) {
                line.push_str(": ");
                line.push_str(&text);
            }
            next = cause.source();
        }
        f.write_str(&line)
    }
}

impl fmt::Display for Unrepeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BodySpent => "the body can be read only once",
            Self::MakesVersions => {
                "the bucket keeps versions and each arrival makes one: look at them, or allow it \
                 (`repeats_versions`)"
            }
        })
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Credentials => "for credentials",
            Self::Turn => "for its turn at a connection",
            Self::Connect => "for a new connection",
            Self::Backoff => "to try again",
            Self::Answer => "for the answer",
            Self::Body => "for the answer's body",
        })
    }
}

impl fmt::Display for CorruptBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crc64 { ours, theirs } => {
                write!(f, "the body is damaged: its CRC-64 is {ours}, OSS states {theirs}")
            }
            Self::Length { expected, actual } => {
                write!(f, "the body has {actual} bytes where {expected} are due")
            }
            Self::Range { asked, got } => write!(f, "asked for {asked}, the answer holds {got}"),
        }
    }
}

impl fmt::Display for ObjectChanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { delivered, change } = self;
        match change {
            Change::Replaced => f.write_str("the object was replaced")?,
            Change::Deleted => f.write_str("the object was deleted")?,
            Change::Differs { what, was, now } => {
                let (was, now) = (excerpt(was, CAUSE_CHARS_MAX), excerpt(now, CAUSE_CHARS_MAX));
                write!(f, "the object is another: its {what} was {was} and is {now}")?;
            }
        }
        write!(f, " while it was read, after {delivered} bytes")
    }
}

/// What a person can change; `None` where what happened says it, or nobody knows.
fn fix(kind: &ErrorKind, host: &str) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::Service(error) => return fix_of_code(error),
        ErrorKind::Deadline(DeadlinePassed { wait: Wait::Turn, .. }) => {
            "allow more connections, or more time (`operation_timeout`)"
        }
        ErrorKind::Deadline(_) => "allow more time (`operation_timeout`)",
        ErrorKind::Transport(error) => return fix_of_transport(error, host),
        ErrorKind::Corrupt(CorruptBody::Range { .. }) => {
            "check what answers in place of OSS, such as a cache or a proxy"
        }
        ErrorKind::Corrupt(_) => "if it lasts, check what changes data between here and OSS",
        ErrorKind::ObjectChanged(ObjectChanged { change: Change::Deleted, .. }) => return None,
        ErrorKind::ObjectChanged(_) => "read it again from its start, or read one version by its id",
        ErrorKind::StoredButCallbackFailed(_) => "do not upload it again, check the callback",
        _ => return None,
    })
}

fn fix_of_transport(error: &TransportError, host: &str) -> Option<&'static str> {
    Some(match error.kind {
        FailureKind::Dns => "check the endpoint and the region, and the name service of this machine",
        FailureKind::Connect if host.contains("-internal.") => {
            "an internal endpoint is reached only from servers of Alibaba Cloud in its region: use the \
             public one elsewhere"
        }
        FailureKind::Connect => "check the endpoint, and what firewalls and proxies let through",
        FailureKind::Tls => "check the endpoint, the clock of this machine, and which roots are trusted",
        FailureKind::Proxy { status: 407 } => "set the user and the password in the proxy's URL",
        FailureKind::Proxy { .. } => "check the proxy, and where it lets us go",
        FailureKind::PoolExhausted if error.cause.is_none() => {
            "read or drop open bodies, or allow more connections"
        }
        FailureKind::Reset | FailureKind::Other => "if it lasts, check what is between here and OSS",
        FailureKind::Timeout => "if it lasts, allow more time (`readwrite_timeout`), or check the network",
        FailureKind::Protocol => "check the scheme and the port of the endpoint, and what answers there",
        _ => return None,
    })
}

/// The codes about a configuration; what the others are about is on the vendor's page.
fn fix_of_code(error: &ServiceError) -> Option<&'static str> {
    Some(match error.code.as_str() {
        // Document "Regions and endpoints", for accounts that opened OSS from 2025-03-20 on.
        "PublicEndpointForbidden" => {
            "an account that opened OSS on 2025-03-20 or later reaches the data in regions of the Chinese \
             mainland through a domain of its own: bind one to the bucket, set it as `endpoint`, and set \
             `use_cname`"
        }
        "SecondLevelDomainForbidden" => "unset `use_path_style`, so that the bucket stands in the host",
        "AccessDenied" if error.ec.as_deref() == Some(V1_CLOSED) => {
            "signature V1 is closed to this account: sign with V4"
        }
        "InvalidAccessKeyId" => "check the access key id; a temporary one needs its security token",
        "SecurityTokenExpired" => "get new temporary credentials",
        "BadErrorResponse" => "check what answers at this endpoint",
        "NoSuchBucket" => "check the name of the bucket and the region of the endpoint",
        _ => return None,
    })
}

const V1_CLOSED: &str = "0002-00000080";
const CAUSE_CHARS_MAX: usize = 256;
/// Deeper chains are loops.
const CAUSES_MAX: usize = 8;
