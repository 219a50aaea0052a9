//! An identity to sign with, parsed when it is made.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

use oss_sign::{AccessKey, UnixTime};

use crate::{CredentialError, Secret};

/// An identity to sign with: an AccessKey, perhaps with a session token, or nobody.
///
/// What can be built can be sent: an empty id, secret or token is refused, and so is a value with anything
/// but visible ASCII in it, since no header could carry it. A clone shares the same memory, so handing one to
/// every attempt copies no secret; the secrets are wiped when the last clone is dropped. Two credentials are
/// equal when they sign alike until the same moment; the [`generation`](Self::generation) does not count.
///
/// ```
/// use oss_credentials::Credentials;
///
/// let credentials = Credentials::new("an-id", "a-secret")?.with_token("a-token")?;
/// assert_eq!(credentials.access_key_id(), Some("an-id"));
/// assert!(!format!("{credentials:?}").contains("a-secret"));
/// # Ok::<(), oss_credentials::CredentialError>(())
/// ```
#[derive(Clone)]
pub struct Credentials {
    parts: Arc<Parts>,
    generation: Generation,
}

impl Credentials {
    /// Makes credentials of an AccessKey that lives until it is revoked.
    ///
    /// # Errors
    ///
    /// [`CredentialError::Empty`] or [`CredentialError::NotHeaderSafe`]; neither shows a value.
    pub fn new(id: impl Into<String>, secret: impl Into<Secret>) -> Result<Self, CredentialError> {
        Self::named(&PART_NAMES, id.into(), secret.into(), None)
    }

    /// Makes the credentials of nobody: requests go out unsigned, as for a public bucket.
    pub fn anonymous() -> Self {
        Self::from_parts(Parts { keys: None, expiration: None })
    }

    /// Adds the session token that STS gave with the AccessKey; its length has no limit.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new); credentials of nobody refuse a token, for want of an access key id.
    pub fn with_token(mut self, token: impl Into<Secret>) -> Result<Self, CredentialError> {
        let [id_name, _, token_name] = PART_NAMES;
        let token = header_safe(token_name, token.into())?;
        let keys = Arc::make_mut(&mut self.parts).keys.as_mut();
        keys.ok_or(CredentialError::Empty { name: id_name })?.token = Some(token);
        Ok(self)
    }

    /// Sets the moment from which the service refuses these credentials.
    pub fn with_expiration(mut self, expiration: UnixTime) -> Self {
        Arc::make_mut(&mut self.parts).expiration = Some(expiration);
        self
    }

    /// Says whether these are the credentials of nobody, which sign nothing.
    pub fn is_anonymous(&self) -> bool {
        self.parts.keys.is_none()
    }

    /// Returns the id of the AccessKey, which travels in the clear in each signed request; nobody has none.
    pub fn access_key_id(&self) -> Option<&str> {
        Some(&self.parts.keys.as_ref()?.id)
    }

    /// Returns the secret of the AccessKey; nobody has none.
    pub fn access_key_secret(&self) -> Option<&Secret> {
        Some(&self.parts.keys.as_ref()?.secret)
    }

    /// Returns the session token, which only temporary credentials have.
    pub fn security_token(&self) -> Option<&Secret> {
        self.parts.keys.as_ref()?.token.as_ref()
    }

    /// Returns the moment from which the service refuses these credentials, as their source told it.
    pub fn expiration(&self) -> Option<UnixTime> {
        self.parts.expiration
    }

    /// Returns which of its cache's credentials these are, to [name them](crate::Need::instead_of) when they
    /// fail.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// Lends the parts to a signer; `None` when there is nothing to sign with.
    pub fn access_key(&self) -> Option<AccessKey<'_>> {
        let keys = self.parts.keys.as_ref()?;
        let token = keys.token.as_ref().map(Secret::expose);
        Some(AccessKey { id: &keys.id, secret: keys.secret.expose(), token })
    }

    /// Makes credentials of parts whose names, id first, the errors will use.
    pub(crate) fn named(
        names: &[&'static str; 3],
        id: String,
        secret: Secret,
        token: Option<Secret>,
    ) -> Result<Self, CredentialError> {
        check(names[0], &id)?;
        let secret = header_safe(names[1], secret)?;
        let token = token.map(|token| header_safe(names[2], token)).transpose()?;
        Ok(Self::from_parts(Parts { keys: Some(Keys { id, secret, token }), expiration: None }))
    }

    pub(crate) fn stamped(mut self, generation: Generation) -> Self {
        self.generation = generation;
        self
    }

    fn from_parts(parts: Parts) -> Self {
        Self { parts: Arc::new(parts), generation: Generation::default() }
    }
}

impl PartialEq for Credentials {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl Eq for Credentials {}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(keys) = &self.parts.keys else {
            return f.write_str("Credentials(anonymous)");
        };
        f.debug_struct("Credentials")
            .field("access_key_id", &"***")
            .field("access_key_secret", &keys.secret)
            .field("security_token", &keys.token)
            .field("expiration", &self.parts.expiration)
            .field("generation", &self.generation.0)
            .finish()
    }
}

/// Counts the credentials of one cache: each that differs from the one before has the next number.
///
/// Credentials that no cache gave out have the number that no cache uses, the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(u64);

impl Generation {
    pub(crate) fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

#[derive(Clone, PartialEq, Eq)]
struct Parts {
    keys: Option<Keys>,
    expiration: Option<UnixTime>,
}

#[derive(Clone, PartialEq, Eq)]
struct Keys {
    id: String,
    secret: Secret,
    token: Option<Secret>,
}

fn header_safe(name: &'static str, value: Secret) -> Result<Secret, CredentialError> {
    check(name, value.expose())?;
    Ok(value)
}

/// The first byte that is not visible ASCII is an error, by its position: to show it could show a secret.
fn check(name: &'static str, value: &str) -> Result<(), CredentialError> {
    if value.is_empty() {
        return Err(CredentialError::Empty { name });
    }
    match value.bytes().position(|byte| !byte.is_ascii_graphic()) {
        Some(at) => Err(CredentialError::NotHeaderSafe { name, at }),
        None => Ok(()),
    }
}

const PART_NAMES: [&str; 3] = ["access key id", "access key secret", "security token"];

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn parts_come_back_as_they_were_given() {
        let at = UnixTime::from_secs(1_700_000_000);
        let all = Credentials::new("id", "secret").unwrap().with_token("token").unwrap().with_expiration(at);
        assert_eq!(all.access_key_id(), Some("id"));
        assert_eq!(all.access_key_secret().unwrap().expose(), "secret");
        assert_eq!(all.security_token().unwrap().expose(), "token");
        assert_eq!(all.expiration(), Some(at));
        let key = all.access_key().unwrap();
        assert_eq!((key.id, key.secret, key.token), ("id", "secret", Some("token")));
        assert!(!all.is_anonymous());
    }

    #[test]
    fn nobody_has_no_parts_and_takes_no_token() {
        let nobody = Credentials::anonymous();
        assert!(nobody.is_anonymous());
        assert!(nobody.access_key().is_none());
        assert_eq!((nobody.access_key_id(), nobody.expiration()), (None, None));
        assert!(nobody.access_key_secret().is_none() && nobody.security_token().is_none());
        assert_eq!(nobody.with_token("t"), Err(CredentialError::Empty { name: "access key id" }));
    }

    #[test]
    fn b55_parts_that_no_header_can_carry_are_refused() {
        let table = [
            ("", "s", CredentialError::Empty { name: "access key id" }),
            ("i", "", CredentialError::Empty { name: "access key secret" }),
            ("i d", "s", CredentialError::NotHeaderSafe { name: "access key id", at: 1 }),
            ("id\r\nx-oss-acl: public", "s", CredentialError::NotHeaderSafe { name: "access key id", at: 2 }),
            ("i", "secret\n", CredentialError::NotHeaderSafe { name: "access key secret", at: 6 }),
            ("i", "a\tb", CredentialError::NotHeaderSafe { name: "access key secret", at: 1 }),
            ("i", "a\u{0}", CredentialError::NotHeaderSafe { name: "access key secret", at: 1 }),
            ("i", "a\u{7f}", CredentialError::NotHeaderSafe { name: "access key secret", at: 1 }),
            ("密", "s", CredentialError::NotHeaderSafe { name: "access key id", at: 0 }),
        ];
        for (id, secret, expected) in table {
            assert_eq!(Credentials::new(id, secret), Err(expected), "{id:?}");
        }
        let good = Credentials::new("i", "s").unwrap();
        assert_eq!(good.clone().with_token(""), Err(CredentialError::Empty { name: "security token" }));
        let refused = CredentialError::NotHeaderSafe { name: "security token", at: 1 };
        assert_eq!(good.with_token("t\r"), Err(refused));
        assert!(Credentials::new("!~", "\"quoted\"").is_ok());
    }

    #[test]
    fn b67_debug_shows_no_part() {
        let full = Credentials::new("MARKid", "MARKsecret").unwrap().with_token("MARKtoken").unwrap();
        let shown = format!("{full:?} {full:#?}");
        assert!(shown.contains("***") && !shown.contains("MARK"), "{shown}");
        assert_eq!(format!("{:?}", Credentials::anonymous()), "Credentials(anonymous)");
    }

    #[test]
    fn a_clone_keeps_its_parts_when_the_other_changes() {
        let plain = Credentials::new("i", "s").unwrap();
        let with_token = plain.clone().with_token("t").unwrap();
        assert!(plain.security_token().is_none());
        assert_ne!(plain, with_token);
        assert_eq!(plain, plain.clone().stamped(Generation(3)));
        assert_ne!(plain, plain.clone().with_expiration(UnixTime::from_secs(1)));
        assert_eq!(Generation(u64::MAX).next(), Generation(0));
    }
}
