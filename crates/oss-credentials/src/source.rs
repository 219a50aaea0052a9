//! Where credentials come from, as data.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use crate::{Answer, CredentialError, Credentials, Lookup, Secret};

/// Where credentials come from, as plain data: a source holds no connection and reads nothing itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// These credentials, which may be those of nobody.
    Static(Credentials),
    /// The variables `OSS_ACCESS_KEY_ID`, `OSS_ACCESS_KEY_SECRET` and, for temporary credentials,
    /// `OSS_SESSION_TOKEN`.
    ///
    /// They are read at each lookup. An empty variable counts as not set. With none of them set the source is
    /// absent; with only some of them it is broken.
    Environment,
    /// The program's own source: the driver knows what the number means.
    Custom(u32),
    /// The first of these sources that is not absent; one that is present but broken stops the search.
    ///
    /// A source that gave credentials is the only one asked afterwards, so that a program does not change its
    /// identity on the way; [`invalidate`](crate::CredentialCache::invalidate) starts again from the first.
    Chain(Vec<Self>),
}

impl From<Credentials> for Source {
    fn from(credentials: Credentials) -> Self {
        Self::Static(credentials)
    }
}

/// The name of a source, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SourceName {
    /// [`Source::Static`].
    Static,
    /// [`Source::Environment`].
    Environment,
    /// [`Source::Custom`] with its number.
    Custom(u32),
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Static => f.write_str("fixed credentials"),
            Self::Environment => write!(f, "the environment ({}, {})", ENVIRONMENT[0], ENVIRONMENT[1]),
            Self::Custom(number) => write!(f, "custom source {number}"),
        }
    }
}

/// A source that is no chain: what a lookup asks one by one.
#[derive(Debug)]
pub(crate) enum Member {
    Static(Credentials),
    Environment,
    Custom(u32),
}

impl Member {
    /// Lists the members of a source depth first, without recursion: the nesting is not ours to bound.
    pub(crate) fn all(source: Source) -> Vec<Self> {
        let mut rest = vec![source];
        let mut members = Vec::new();
        while let Some(source) = rest.pop() {
            match source {
                Source::Static(credentials) => members.push(Self::Static(credentials)),
                Source::Environment => members.push(Self::Environment),
                Source::Custom(number) => members.push(Self::Custom(number)),
                Source::Chain(sources) => rest.extend(sources.into_iter().rev()),
            }
        }
        members
    }

    pub(crate) fn name(&self) -> SourceName {
        match self {
            Self::Static(_) => SourceName::Static,
            Self::Environment => SourceName::Environment,
            Self::Custom(number) => SourceName::Custom(*number),
        }
    }

    /// Begins a lookup.
    pub(crate) fn open(&self) -> Turn {
        match self {
            Self::Static(credentials) => Turn::Found(credentials.clone()),
            Self::Environment => Turn::Ask(Lookup::Env(ENVIRONMENT.to_vec())),
            Self::Custom(number) => Turn::Ask(Lookup::Custom(*number)),
        }
    }

    /// Goes on with the answer to its question.
    pub(crate) fn read(&self, answer: Answer) -> Turn {
        let source = self.name();
        match (self, answer) {
            (Self::Environment, Answer::Env(values)) => match <[Option<Secret>; 3]>::try_from(values) {
                Ok(values) => read_environment(values),
                Err(_) => Turn::Broken(CredentialError::Mismatch { source }),
            },
            (Self::Custom(_), Answer::Custom(credentials)) => Turn::Found(credentials),
            (_, Answer::Absent) => Turn::Absent,
            (_, Answer::Failed(reason)) => Turn::Broken(CredentialError::Failed { source, reason }),
            (_, Answer::Unavailable) => Turn::Broken(CredentialError::Unavailable { source }),
            (_, Answer::Env(_) | Answer::Custom(_)) => Turn::Broken(CredentialError::Mismatch { source }),
        }
    }
}

/// What a member says next.
#[derive(Debug, PartialEq)]
pub(crate) enum Turn {
    Ask(Lookup),
    Found(Credentials),
    Absent,
    Broken(CredentialError),
}

fn read_environment(values: [Option<Secret>; 3]) -> Turn {
    let half_set = |set, missing| {
        Turn::Broken(CredentialError::HalfSet { set: ENVIRONMENT[set], missing: ENVIRONMENT[missing] })
    };
    let [id, secret, token] = values.map(|value| value.filter(|value| !value.expose().is_empty()));
    let (id, secret) = match (id, secret) {
        (Some(id), Some(secret)) => (id, secret),
        (Some(_), None) => return half_set(0, 1),
        (None, Some(_)) => return half_set(1, 0),
        (None, None) if token.is_some() => return half_set(2, 0),
        (None, None) => return Turn::Absent,
    };
    Credentials::named(&ENVIRONMENT, String::from(id.expose()), secret, token)
        .map_or_else(Turn::Broken, Turn::Found)
}

/// Id, secret, token: the names that the vendor's SDKs read.
const ENVIRONMENT: [&str; 3] = ["OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN"];

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(values: [Option<&str>; 3]) -> Turn {
        Member::Environment.read(Answer::Env(values.map(|value| value.map(Secret::from)).to_vec()))
    }

    fn broken(set: &'static str, missing: &'static str) -> Turn {
        Turn::Broken(CredentialError::HalfSet { set, missing })
    }

    #[test]
    fn b65_environment_values() {
        let refused = |name, at| Turn::Broken(CredentialError::NotHeaderSafe { name, at });
        let plain = Credentials::new("i", "s").unwrap();
        let quoted = Credentials::new("\"i\"", "'s'").unwrap();
        let table = [
            ([None, None, None], Turn::Absent),
            ([Some(""), Some(""), Some("")], Turn::Absent),
            ([Some("i"), Some("s"), None], Turn::Found(plain.clone())),
            ([Some("i"), Some("s"), Some("")], Turn::Found(plain.clone())),
            ([Some("i"), Some("s"), Some("t")], Turn::Found(plain.with_token("t").unwrap())),
            ([Some("\"i\""), Some("'s'"), None], Turn::Found(quoted)),
            ([Some("i"), None, None], broken("OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET")),
            ([Some("i"), Some(""), Some("t")], broken("OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET")),
            ([Some(""), Some("s"), None], broken("OSS_ACCESS_KEY_SECRET", "OSS_ACCESS_KEY_ID")),
            ([None, None, Some("t")], broken("OSS_SESSION_TOKEN", "OSS_ACCESS_KEY_ID")),
            ([Some("i\n"), Some("s"), None], refused("OSS_ACCESS_KEY_ID", 1)),
            ([Some("i"), Some("s\r\n"), None], refused("OSS_ACCESS_KEY_SECRET", 1)),
            ([Some("i"), Some(" "), None], refused("OSS_ACCESS_KEY_SECRET", 0)),
            ([Some("i"), Some("s"), Some("\u{fffd}")], refused("OSS_SESSION_TOKEN", 0)),
        ];
        for (values, expected) in table {
            assert_eq!(environment(values), expected, "{values:?}");
        }
    }

    #[test]
    fn an_answer_must_fit_its_question() {
        let nobody = Credentials::anonymous();
        let mismatch = |source| Turn::Broken(CredentialError::Mismatch { source });
        let unavailable = |source| Turn::Broken(CredentialError::Unavailable { source });
        let failed = CredentialError::Failed { source: SourceName::Custom(1), reason: "why".into() };
        let table = [
            (Member::Environment, Answer::Env(vec![]), mismatch(SourceName::Environment)),
            (Member::Environment, Answer::Env(vec![None; 4]), mismatch(SourceName::Environment)),
            (Member::Environment, Answer::Custom(nobody.clone()), mismatch(SourceName::Environment)),
            (Member::Environment, Answer::Unavailable, unavailable(SourceName::Environment)),
            (Member::Environment, Answer::Absent, Turn::Absent),
            (Member::Custom(1), Answer::Env(vec![None; 3]), mismatch(SourceName::Custom(1))),
            (Member::Custom(1), Answer::Custom(nobody.clone()), Turn::Found(nobody)),
            (Member::Custom(1), Answer::Failed("why".into()), Turn::Broken(failed)),
            (Member::Custom(1), Answer::Absent, Turn::Absent),
        ];
        for (member, answer, expected) in table {
            assert_eq!(member.read(answer), expected, "{member:?}");
        }
    }

    #[test]
    fn nested_chains_are_asked_depth_first() {
        let deep = (3..20_000).fold(Source::Custom(2), |inner, _| Source::Chain(vec![inner]));
        let source = Source::Chain(vec![
            Source::Custom(1),
            Source::Chain(vec![deep, Source::Chain(vec![]), Source::Environment]),
            Credentials::anonymous().into(),
        ]);
        let names: Vec<_> = Member::all(source).iter().map(Member::name).collect();
        let expected =
            [SourceName::Custom(1), SourceName::Custom(2), SourceName::Environment, SourceName::Static];
        assert_eq!(names, expected);
    }
}
