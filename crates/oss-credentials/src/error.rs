//! Why there are no credentials.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use oss_sign::UnixTime;

use crate::SourceName;

/// Why there are no credentials, and what to set.
///
/// It holds names, positions and moments only: no text of it can show a secret, except one that a driver puts
/// into the reason of [`Failed`](Self::Failed).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialError {
    /// A part that must have a value is empty.
    Empty {
        /// The name of the part, or of the variable it came from.
        name: &'static str,
    },
    /// A part has a byte that is not visible ASCII, so no header can carry it.
    NotHeaderSafe {
        /// The name of the part, or of the variable it came from.
        name: &'static str,
        /// The position of the byte, from 0.
        at: usize,
    },
    /// One environment variable is set, and another that it needs is not.
    HalfSet {
        /// The variable that is set.
        set: &'static str,
        /// The variable that is missing.
        missing: &'static str,
    },
    /// The source gave credentials that are no longer valid.
    Expired {
        /// The end of their validity.
        at: UnixTime,
    },
    /// No source had credentials.
    NotFound {
        /// The sources in the order in which they were asked.
        tried: Vec<SourceName>,
    },
    /// A source is there and failed.
    Failed {
        /// The source.
        source: SourceName,
        /// What the driver told about it.
        reason: String,
    },
    /// The driver could not ask a source.
    Unavailable {
        /// The source.
        source: SourceName,
    },
    /// A setting of a source is outside its limits; nothing was sent.
    Setting {
        /// The source.
        source: SourceName,
        /// The name of the setting.
        name: &'static str,
        /// What is wrong with it, and the fix.
        problem: &'static str,
    },
    /// What a source gave cannot be read; nothing of it is told.
    Malformed {
        /// The source.
        source: SourceName,
        /// What stands there.
        problem: &'static str,
        /// At which byte, from 0.
        at: usize,
    },
    /// What a source gave has no value of this name, or an empty one, or one of another kind.
    Missing {
        /// The source.
        source: SourceName,
        /// The name of the value.
        name: &'static str,
    },
    /// What a source gave is longer than any that was seen.
    TooLong {
        /// The source.
        source: SourceName,
    },
    /// The service behind a source said no.
    Refused {
        /// The source.
        source: SourceName,
        /// The status of its answer.
        status: u16,
        /// The error code, if STS told one, such as `EntityNotExist.Role`.
        code: Option<String>,
    },
    /// The program of a source ended with an error; what it printed is not told.
    ProgramFailed,
    /// The driver's answer is not of the kind that the question asked for.
    Mismatch {
        /// The source whose question it was.
        source: SourceName,
    },
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty { name } => write!(f, "{name} is empty: set it, or use anonymous credentials"),
            Self::NotHeaderSafe { name, at } => write!(
                f,
                "{name} has a byte at position {at} that no header can carry: \
                 use visible ASCII without spaces or line ends"
            ),
            Self::HalfSet { set, missing } => {
                write!(f, "{set} is set but {missing} is not: set {missing} too, or neither")
            }
            Self::Expired { at } => write!(
                f,
                "credentials expired at {}: renew them at their source and check the local clock",
                at.iso_extended()
            ),
            Self::NotFound { tried } if tried.is_empty() => {
                f.write_str("no credentials: the chain has no source, add one")
            }
            Self::NotFound { tried } => {
                f.write_str("no credentials found in ")?;
                for (index, source) in tried.iter().enumerate() {
                    write!(f, "{}{source}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str(": configure one of them")
            }
            Self::Failed { source, reason } => {
                write!(f, "{source} failed: ")?;
                // A foreign text must not forge a line of a log, nor fill it.
                reason.chars().take(REASON_CHARS_MAX).try_for_each(|letter| match letter.is_control() {
                    true => write!(f, "{}", letter.escape_default()),
                    false => f.write_char(letter),
                })
            }
            Self::Unavailable { source } => {
                write!(
                    f,
                    "{source} gave no answer: check that it can be reached and that the driver supports it"
                )
            }
            Self::Setting { source, name, problem } => write!(f, "{source}: {name} {problem}"),
            Self::Malformed { source, problem, at } => write!(
                f,
                "what {source} gave cannot be read, for {problem} at byte {at}: check what is behind it"
            ),
            Self::Missing { source, name } => {
                write!(f, "what {source} gave has no {name}: check what is behind it")
            }
            Self::TooLong { source } => {
                write!(f, "what {source} gave is too long for credentials: check what is behind it")
            }
            Self::Refused { source, status, code } => {
                write!(f, "{source} was refused with status {status}")?;
                if let Some(code) = code {
                    write!(f, " ({code})")?;
                }
                f.write_str(": ")?;
                f.write_str(advice(code.as_deref().unwrap_or_default()))
            }
            Self::ProgramFailed => f.write_str(
                "the program that prints credentials ended with an error: run it by hand to see its messages",
            ),
            Self::Mismatch { source } => {
                write!(
                    f,
                    "the answer for {source} does not fit its question: answer each question in its own kind"
                )
            }
        }
    }
}

impl core::error::Error for CredentialError {}

/// What to do about an error code of STS.
fn advice(code: &str) -> &'static str {
    match code {
        "EntityNotExist.Role" => "check the ARN of the role",
        "NoPermission" => "let the caller call sts:AssumeRole and the role trust the caller",
        "AuthenticationFail.NoPermission" => "check the ARN of the provider and whom the role trusts",
        "InvalidAccessKeyId.NotFound" | "InvalidAccessKeyId.Inactive" => "check the AccessKey of the caller",
        "SignatureDoesNotMatch" => "check the AccessKey secret of the caller",
        "InvalidParameter.DurationSeconds" => "ask for no longer than the role allows",
        _ if code.starts_with("Throttling") => "ask less often",
        _ if code.starts_with("InvalidTimeStamp") => "check the local clock",
        _ if code.starts_with("AuthenticationFail.OIDCToken") => "check the token and its provider",
        _ => "check the settings of this source",
    }
}

const REASON_CHARS_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;

    #[test]
    fn messages_name_the_value_and_the_fix() {
        let custom = SourceName::Custom(7);
        let reason = "vault said\r\n403 密".to_string();
        let table = [
            (
                CredentialError::Empty { name: "access key id" },
                "access key id is empty: set it, or use anonymous credentials",
            ),
            (
                CredentialError::NotHeaderSafe { name: "OSS_ACCESS_KEY_SECRET", at: 30 },
                "OSS_ACCESS_KEY_SECRET has a byte at position 30 that no header can carry: \
                 use visible ASCII without spaces or line ends",
            ),
            (
                CredentialError::HalfSet { set: "OSS_ACCESS_KEY_ID", missing: "OSS_ACCESS_KEY_SECRET" },
                "OSS_ACCESS_KEY_ID is set but OSS_ACCESS_KEY_SECRET is not: \
                 set OSS_ACCESS_KEY_SECRET too, or neither",
            ),
            (
                CredentialError::Expired { at: UnixTime::from_secs(1_700_000_000) },
                "credentials expired at 2023-11-14T22:13:20Z: \
                 renew them at their source and check the local clock",
            ),
            (
                CredentialError::NotFound { tried: vec![SourceName::Environment, custom] },
                "no credentials found in the environment (OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET), \
                 custom source 7: configure one of them",
            ),
            (CredentialError::NotFound { tried: vec![] }, "no credentials: the chain has no source, add one"),
            (
                CredentialError::Failed { source: custom, reason },
                "custom source 7 failed: vault said\\r\\n403 密",
            ),
            (
                CredentialError::Unavailable { source: custom },
                "custom source 7 gave no answer: \
                 check that it can be reached and that the driver supports it",
            ),
            (
                CredentialError::Mismatch { source: SourceName::Static },
                "the answer for fixed credentials does not fit its question: \
                 answer each question in its own kind",
            ),
        ];
        for (error, expected) in table {
            assert_eq!(error.to_string(), expected);
        }
        let long = CredentialError::Failed { source: custom, reason: "x".repeat(100_000) };
        assert_eq!(long.to_string().len(), "custom source 7 failed: ".len() + REASON_CHARS_MAX);
    }
}
