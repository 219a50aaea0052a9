//! STS, version 2015-04-01: `AssumeRole`, `AssumeRoleWithOIDC` and `GetCallerIdentity`, with the RPC 1.0 and
//! ACS3-HMAC-SHA256 signatures (documents "AssumeRole", "AssumeRoleWithOIDC", "GetCallerIdentity", "Request
//! syntax and signature method V2 for RPC APIs", "V3 request structure and signature").

mod acs3;
mod actions;
mod parameters;
mod role;
mod rpc;
mod speech;

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, Method};

use crate::address::{Target, without_port};
use crate::config::Config;
use crate::peers::{CLEAN_EVERY, Desk, header};
use crate::reply::Reply;
use crate::request::host;
use crate::sts::parameters::Parameters;
use crate::sts::speech::{Format, Refusal};

pub use crate::sts::role::Role;

/// What STS can be told to answer in place of its work, whoever calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StsRefusal {
    /// 400 `Throttling.User`: more than 100 calls in a second.
    Throttling,
    /// 500 `InternalError`.
    InternalError,
    /// 503 `ServiceUnavailable`.
    Unavailable,
}

/// Whether a request is one to STS: to a host of STS, or to `/` of the service with what no request to OSS
/// has there (`Action`, a header `x-acs-action`, an ACS3 signature, a form that is no upload).
pub(crate) fn takes(head: &Parts, config: &Config) -> bool {
    let host = host(head);
    let name = without_port(&host).to_ascii_lowercase();
    if name.ends_with(".aliyuncs.com") && (name.starts_with("sts.") || name.starts_with("sts-vpc.")) {
        return true;
    }
    let query = head.uri.query().unwrap_or("");
    let has_action = query.split('&').any(|pair| pair.split('=').next() == Some("Action"));
    let starts =
        |name: &str, prefix: &str| header(&head.headers, name).is_some_and(|value| value.starts_with(prefix));
    let is_call = has_action
        || head.headers.contains_key("x-acs-action")
        || starts(AUTHORIZATION.as_str(), acs3::ALGORITHM)
        || (head.method == Method::POST && starts(CONTENT_TYPE.as_str(), FORM));
    is_call && matches!(Target::of(&host, head.uri.path(), config), Ok(Target::Service))
}

/// A request whose body is on its way.
#[derive(Clone)]
pub(crate) struct Call {
    method: Method,
    host: String,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Vec<u8>,
    is_too_long: bool,
}

impl Call {
    pub(crate) fn new(head: &Parts) -> Self {
        Self {
            method: head.method.clone(),
            host: host(head),
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or("").to_owned(),
            headers: head.headers.clone(),
            body: Vec::new(),
            is_too_long: false,
        }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.body.len() + bytes.len() > BODY_BYTES_MAX {
            self.is_too_long = true;
        } else {
            self.body.extend_from_slice(bytes);
        }
    }

    /// Does what the call asks for, when it may ask.
    pub(crate) fn answer(&self, desk: &mut Desk<'_>) -> Reply {
        let request_id = desk.ids.rule_id().to_ascii_uppercase();
        let parameters = Parameters::of(self);
        let format = parameters.as_ref().map_or(Format::Json, Parameters::format);
        let outcome = parameters.and_then(|parameters| actions::perform(self, &parameters, desk));
        if outcome.is_err() {
            desk.state.counters.sts_refused += 1;
        }
        match outcome {
            Ok(answer) => answer.reply(format, &request_id, desk.now),
            Err(refusal) => refusal.reply(format, &request_id, &self.host, desk.now),
        }
    }

    fn header(&self, name: &str) -> Option<String> {
        header(&self.headers, name)
    }

    /// ACS3 says in headers what RPC says in parameters.
    fn is_acs3(&self) -> bool {
        self.headers.contains_key("x-acs-action")
            || self.header(AUTHORIZATION.as_str()).is_some_and(|value| value.starts_with(acs3::ALGORITHM))
    }
}

impl fmt::Debug for Call {
    /// Without query, headers and body, which hold signatures and tokens.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Call({} to STS)", self.method)
    }
}

/// What STS keeps between calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// The nonces of each access key, with the time at which they came.
    nonces: BTreeMap<(String, String), Duration>,
    /// What the next calls are answered, and how many of them.
    refusal: Option<(StsRefusal, u32)>,
}

impl State {
    pub(crate) fn refuse(&mut self, refusal: StsRefusal, calls: u32) {
        self.refusal = (calls > 0).then_some((refusal, calls));
    }

    fn next_refusal(&mut self) -> Option<StsRefusal> {
        let (refusal, calls) = self.refusal?;
        self.refuse(refusal, calls - 1);
        Some(refusal)
    }

    /// Takes a nonce once for an access key; forgets it when no request with it could be in time any more.
    fn take_nonce(&mut self, key_id: &str, nonce: &str, now: Duration) -> Result<(), Refusal> {
        if (self.nonces.len() as u64).is_multiple_of(CLEAN_EVERY) {
            self.nonces.retain(|_, came| came.saturating_add(NONCE_MEMORY) >= now);
        }
        let name = (key_id.to_owned(), nonce.to_owned());
        let came = self.nonces.insert(name, now);
        if came.is_some_and(|came| came.saturating_add(NONCE_MEMORY) >= now) {
            let why = "Specified signature nonce was used already.";
            return Err(Refusal::new(400, "SignatureNonceUsed", why));
        }
        Ok(())
    }
}

const FORM: &str = "application/x-www-form-urlencoded";
/// The longest parameter is an OIDC token of 20,000 characters, each of which may be encoded in three.
const BODY_BYTES_MAX: usize = 128 * 1024;
/// Twice the longest window in which a request is in time.
const NONCE_MEMORY: Duration = Duration::from_secs(2 * 31 * 60);

#[cfg(test)]
#[path = "sts_tests.rs"]
mod tests;
