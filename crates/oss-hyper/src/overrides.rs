//! What a single call does differently from its client.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use oss_proto::{Draft, Service};

use crate::{Account, CredentialsProvider, Retryer};

/// What some calls do differently from their client, for [`Client::with`](crate::Client::with) and
/// [`Bucket::with`](crate::Bucket::with); the names are those of [`Config`](crate::Config).
///
/// ```no_run
/// use core::time::Duration;
/// use oss_hyper::{Bucket, Overrides};
///
/// # async fn call(bucket: Bucket) -> Result<(), oss_hyper::Error> {
/// let impatient = Overrides::new().retry_max_attempts(1).operation_timeout(Duration::from_secs(2));
/// bucket.with(&impatient).head("example.txt").await?;
///
/// let traced = Overrides::new().header("x-oss-meta-trace", "4711");
/// bucket.with(&traced).put("example.txt", "hello").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    readwrite_timeout: Option<Duration>,
    operation_timeout: Option<Duration>,
    pub(crate) retryer: Option<Retryer>,
    retry_max_attempts: Option<u32>,
    disable_upload_crc64_check: Option<bool>,
    disable_download_crc64_check: Option<bool>,
    additional_headers: Option<Vec<String>>,
    /// Made once, so that its credentials are kept between the calls it is put into.
    pub(crate) identity: Option<Account>,
    pub(crate) extras: Extras,
}

/// Headers and query parameters that an operation does not model.
#[derive(Clone, Default)]
pub(crate) struct Extras {
    headers: Vec<(String, String)>,
    query: Vec<(String, String)>,
}

impl Overrides {
    /// Nothing is different.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How long the peer may be silent.
    #[must_use]
    pub fn readwrite_timeout(mut self, timeout: Duration) -> Self {
        self.readwrite_timeout = Some(timeout);
        self
    }

    /// How long the whole call may take, retries included.
    #[must_use]
    pub fn operation_timeout(mut self, timeout: Duration) -> Self {
        self.operation_timeout = Some(timeout);
        self
    }

    /// How many attempts there are in all, the first included; 0 means 1. It beats the retryer's own number.
    #[must_use]
    pub fn retry_max_attempts(mut self, attempts: u32) -> Self {
        self.retry_max_attempts = Some(attempts);
        self
    }

    /// Whether and when an attempt is repeated.
    #[must_use]
    pub fn retryer(mut self, retryer: impl Into<Retryer>) -> Self {
        self.retryer = Some(retryer.into());
        self
    }

    /// Whether the CRC-64 of uploads is left unchecked.
    #[must_use]
    pub fn disable_upload_crc64_check(mut self, disable: bool) -> Self {
        self.disable_upload_crc64_check = Some(disable);
        self
    }

    /// Whether the CRC-64 of downloads is left unchecked.
    #[must_use]
    pub fn disable_download_crc64_check(mut self, disable: bool) -> Self {
        self.disable_download_crc64_check = Some(disable);
        self
    }

    /// Another identity. Connections, retry budget and what was learned about the clock stay those of the
    /// client.
    ///
    /// Its credentials are kept with these overrides and their clones, whichever client they are put into:
    /// make them once, not for each call, or each call asks the provider anew.
    #[must_use]
    pub fn credentials_provider(mut self, provider: impl Into<CredentialsProvider>) -> Self {
        self.identity = Some(Account::new(provider));
        self
    }

    /// The headers that are signed besides those that V4 always signs, instead of the client's.
    #[must_use]
    pub fn additional_headers<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.additional_headers = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// A header more, or another value for one of the operation's.
    ///
    /// What frames the message or signs it is the client's own: the call refuses it.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.extras.headers.push((name.into(), value.into()));
        self
    }

    /// A query parameter more, or another value for one of the operation's: decoded, and signed as all are.
    #[must_use]
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.extras.query.push((name.into(), value.into()));
        self
    }

    /// The service as these calls see it.
    pub(crate) fn of(&self, service: &Service) -> Service {
        service.clone().with(|settings| {
            if let Some(timeout) = self.readwrite_timeout {
                settings.timeouts.idle = timeout;
            }
            if let Some(timeout) = self.operation_timeout {
                settings.timeouts.operation = Some(timeout);
            }
            if let Some(retryer) = &self.retryer {
                settings.retry = retryer.policy;
            }
            if let Some(attempts) = self.retry_max_attempts {
                settings.retry.max_attempts = attempts;
            }
            if let Some(disable) = self.disable_upload_crc64_check {
                settings.checks_upload_crc64 = !disable;
            }
            if let Some(disable) = self.disable_download_crc64_check {
                settings.checks_download_crc64 = !disable;
            }
            if let Some(names) = &self.additional_headers {
                settings.additional_headers.clone_from(names);
            }
        })
    }
}

impl Extras {
    /// Adds others, which win.
    pub(crate) fn extend(&mut self, others: &Self) {
        self.headers.extend(others.headers.iter().cloned());
        self.query.extend(others.query.iter().cloned());
    }

    /// Puts them into a draft, where the last word on a name is the one that counts.
    pub(crate) fn apply(&self, draft: &mut Draft) {
        for (name, value) in &self.headers {
            draft.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            draft.headers.push((Cow::Owned(name.to_ascii_lowercase()), value.clone()));
        }
        for (name, value) in &self.query {
            draft.query.retain(|(known, _)| known != name);
            draft.query.push((Cow::Owned(name.clone()), value.clone()));
        }
    }
}

/// The names alone: what an operation does not model may be a secret of somebody's.
impl fmt::Debug for Extras {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn names(pairs: &[(String, String)]) -> Vec<&str> {
            pairs.iter().map(|(name, _)| name.as_str()).collect()
        }
        f.debug_struct("Extras")
            .field("headers", &names(&self.headers))
            .field("query", &names(&self.query))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_is_shown_without_its_values() {
        let overrides = Overrides::new().header("x-gateway-token", "hidden").query("ticket", "hidden too");
        let shown = format!("{overrides:?}");
        assert!(shown.contains("x-gateway-token") && shown.contains("ticket"), "{shown}");
        assert!(!shown.contains("hidden"), "{shown}");
    }
}
