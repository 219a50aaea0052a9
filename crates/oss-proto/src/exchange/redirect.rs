//! Where an answer sends us, and whether we go: pure functions over what the answer says.
//!
//! Nothing is taken from the answer but a host, and only one of the configured service; the request is made
//! anew from the draft.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

use bytes::Bytes;
use oss_endpoint::{Addressing, BucketName, Endpoint};
use oss_retry::Effect;
use percent_encoding::percent_decode_str;

use crate::check::check;
use crate::invalid::excerpt;
use crate::{Draft, ErrorCode, ErrorKind, Redirects, ReplyHead, Service, ServiceError};

/// Why a redirect was not followed. `Display` says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unfollowed {
    /// The settings follow none ([`Redirects::Never`]).
    Disabled,
    /// The operation is no read: whoever names another place would choose who receives its data.
    NotARead,
    /// The endpoint is a domain that is bound to the bucket (CNAME), so the service has no other.
    BoundDomain,
    /// One was followed already in this call.
    Again,
    /// The status (303) names another document, not another place of this one.
    Document,
    /// It names no place.
    Nowhere,
    /// It is no URL with scheme and host: relative, `//host`, or not to be read at all.
    NotAbsolute,
    /// It has a user or a password in front of the host.
    UserInfo,
    /// It has a fragment.
    Fragment,
    /// It leads from https to http.
    Downgrade,
    /// Its host is not one of the configured service.
    Foreign,
    /// It is on another port, which is another service.
    Port,
    /// It names another bucket or another key.
    Resource,
    /// It names the place that was asked.
    Loop,
}

impl fmt::Display for Unfollowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disabled => {
                "redirects are off: set this endpoint and its region, or allow redirects (`enabled_redirect`)"
            }
            Self::NotARead => "only reads follow one: set this endpoint and its region",
            Self::BoundDomain => {
                "the endpoint is a domain that is bound to the bucket: set the endpoint of OSS, without \
                 `use_cname`, to follow one"
            }
            Self::Again => "one was followed already: set the endpoint of the bucket",
            Self::Document => "it names another document: check what answers at this endpoint",
            Self::Nowhere => "it names no place: check what answers at this endpoint",
            Self::NotAbsolute => "it is no URL with a scheme and a host: check what answers at this endpoint",
            Self::UserInfo => "it has a user in front of its host: check what answers at this endpoint",
            Self::Fragment => "it has a fragment: check what answers at this endpoint",
            Self::Downgrade => "it leads from https to http: set this endpoint if that is meant",
            Self::Foreign => "it leads out of the service's domain: set this endpoint if that is meant",
            Self::Port => {
                "it leads to another port, which is another service: set this endpoint if that is meant"
            }
            Self::Resource => "it names another bucket or key: check what answers at this endpoint",
            Self::Loop => "it names the place that was asked: check what answers at this endpoint",
        })
    }
}

/// A place that an answer names.
pub(crate) struct Place {
    /// As it came.
    raw: String,
    /// It came in a document, as a host without a path.
    is_host: bool,
    status: u16,
}

impl Place {
    /// The place in the answer of a redirect; there may be none in it.
    pub(crate) fn of_redirect(head: &ReplyHead, body: &Bytes) -> Self {
        let status = head.status;
        match head.header("location") {
            Some(location) => Self { raw: String::from(location), is_host: false, status },
            None => {
                let error = ServiceError::read(status, head.headers(), body);
                Self { raw: error.endpoint.unwrap_or_default(), is_host: true, status }
            }
        }
    }

    /// The place where OSS says that the bucket is, in its refusal of a request to another one.
    pub(crate) fn of_refusal(kind: &ErrorKind) -> Option<Self> {
        let ErrorKind::Service(error) = kind else { return None };
        let raw = error.endpoint.clone().filter(|_| names_endpoint(&error.code))?;
        Some(Self { raw, is_host: true, status: error.status })
    }

    /// As it came, without what may be secret, made fit for one line.
    pub(crate) fn shown(&self) -> String {
        // What follows `?` may be a signature.
        let location = self.raw.split(['?', '#']).next().unwrap_or_default();
        // What precedes `@` may be a password.
        let split = location.split_once("//").map(|(scheme, rest)| (scheme, rest.split_at(path_at(rest))));
        let location = match split {
            Some((scheme, (authority, path))) if authority.contains('@') => {
                let host = authority.rsplit('@').next().unwrap_or_default();
                Cow::Owned(alloc::format!("{scheme}//{host}{path}"))
            }
            Some((_, (authority, _))) if Endpoint::parse(authority).is_ok() => Cow::Borrowed(location),
            // It is no URL, so that it may stand anywhere.
            _ => Cow::Borrowed(location.rsplit('@').next().unwrap_or_default()),
        };
        excerpt(&location, LOCATION_CHARS_MAX)
    }

    /// The service at the place, or why we do not go there.
    pub(crate) fn follow(
        &self,
        draft: &Draft,
        effect: Effect,
        service: &Service,
    ) -> Result<Service, Unfollowed> {
        if service.redirects == Redirects::Never {
            return Err(Unfollowed::Disabled);
        }
        let is_read = draft.method == http::Method::GET || draft.method == http::Method::HEAD;
        if effect != Effect::Read || !is_read {
            return Err(Unfollowed::NotARead);
        }
        if service.endpoint.addressing() == Addressing::Cname {
            return Err(Unfollowed::BoundDomain);
        }
        if self.status == 303 {
            return Err(Unfollowed::Document);
        }
        let bucket = check(draft, service).map_err(|_| Unfollowed::Resource)?;
        let (named, path) = self.parse(service)?;
        let (endpoint, has_label) = without_bucket(named, bucket)?;
        check_host(&service.endpoint, &endpoint)?;
        if path.is_some_and(|path| !is_path_of(path, bucket.filter(|_| !has_label), draft)) {
            return Err(Unfollowed::Resource);
        }
        let endpoint = endpoint.with_addressing(service.endpoint.addressing());
        if is_same_place(&endpoint, &service.endpoint) {
            return Err(Unfollowed::Loop);
        }
        let region = endpoint.region();
        Ok(service.clone().with(|settings| {
            settings.endpoint = endpoint;
            if region.is_some() {
                settings.region = region;
            }
        }))
    }

    /// What it names: an endpoint, and the path if it is a URL.
    fn parse(&self, service: &Service) -> Result<(Endpoint, Option<&str>), Unfollowed> {
        let raw = self.raw.as_str();
        if raw.is_empty() {
            return Err(Unfollowed::Nowhere);
        }
        if raw.contains('#') {
            return Err(Unfollowed::Fragment);
        }
        let Some((scheme, rest)) = raw.split_once("://") else {
            let host = Endpoint::parse(raw).ok().filter(|_| self.is_host).ok_or(Unfollowed::NotAbsolute)?;
            return Ok((host.with_scheme(service.endpoint.scheme()), None));
        };
        let (authority, after) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(Unfollowed::UserInfo);
        }
        let endpoint = Endpoint::parse(&alloc::format!("{scheme}://{authority}"));
        let endpoint = endpoint.map_err(|_| Unfollowed::NotAbsolute)?;
        // The query is ours, whatever it says.
        let path = after.split('?').next().unwrap_or_default();
        Ok((endpoint, (!self.is_host).then_some(path)))
    }
}

/// Whether a code is one that OSS names the endpoint of a bucket with.
fn names_endpoint(code: &ErrorCode) -> bool {
    matches!(code.as_str(), "AccessDenied" | "PermanentRedirect" | "TemporaryRedirect")
}

/// The endpoint without the bucket in front, and whether it was there.
fn without_bucket(named: Endpoint, bucket: Option<&BucketName>) -> Result<(Endpoint, bool), Unfollowed> {
    let rest = bucket.and_then(|bucket| named.host().strip_prefix(bucket.as_str())?.strip_prefix('.'));
    let Some(rest) = rest else { return Ok((named, false)) };
    let authority = named.authority();
    let port = authority.get(named.host().len()..).unwrap_or_default();
    let endpoint = Endpoint::parse(&alloc::format!("{}://{rest}{port}", named.scheme()));
    Ok((endpoint.map_err(|_| Unfollowed::NotAbsolute)?, true))
}

/// Whether `theirs` is a place of our service: by host, by port, and not in the clear where ours is not.
fn check_host(ours: &Endpoint, theirs: &Endpoint) -> Result<(), Unfollowed> {
    use oss_endpoint::Scheme::{Http, Https};
    if !ours.is_same_service(theirs) {
        return Err(Unfollowed::Foreign);
    }
    let is_upgrade = match (ours.scheme(), theirs.scheme()) {
        (Https, Http) => return Err(Unfollowed::Downgrade),
        (Http, Https) => ours.port() == Http.port() && theirs.port() == Https.port(),
        _ => false,
    };
    // Behind an address there may be anything on any port.
    let may_upgrade = ours.ip().is_none() && ours.host() != "localhost";
    if ours.port() == theirs.port() || is_upgrade && may_upgrade { Ok(()) } else { Err(Unfollowed::Port) }
}

/// Whether a path is that of the draft's resource; `bucket` is the one that must stand in it.
fn is_path_of(path: &str, bucket: Option<&BucketName>, draft: &Draft) -> bool {
    let mut rest: &[u8] = &Cow::from(percent_decode_str(path));
    if rest.is_empty() {
        rest = b"/";
    }
    let Some(after) = rest.strip_prefix(b"/") else { return false };
    rest = after;
    if let Some(bucket) = bucket {
        let Some(after) = rest.strip_prefix(bucket.as_str().as_bytes()) else { return false };
        rest = match after.strip_prefix(b"/") {
            Some(after) => after,
            None if after.is_empty() => after,
            None => return false,
        };
    }
    rest == draft.key.as_ref().map_or("", |key| key.as_str()).as_bytes()
}

fn is_same_place(one: &Endpoint, other: &Endpoint) -> bool {
    one.scheme() == other.scheme() && one.host() == other.host() && one.port() == other.port()
}

/// Where the authority ends.
fn path_at(rest: &str) -> usize {
    rest.find(['/', '\\']).unwrap_or(rest.len())
}

const LOCATION_CHARS_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_password_or_a_signature_is_not_shown() {
        let cases = [
            ("https://host/a@b?x-oss-signature=hidden", "https://host/a@b"),
            ("https://u:hidden@host/a@b", "https://host/a@b"),
            ("//u:hidden@host/k", "//host/k"),
            ("u:hidden@host/k", "host/k"),
            ("https:\\\\u:hidden@host/k", "host/k"),
            ("https://u:hid/den@host/k", "host/k"),
            ("oss-cn-beijing.aliyuncs.com", "oss-cn-beijing.aliyuncs.com"),
        ];
        for (raw, expected) in cases {
            let place = Place { raw: String::from(raw), is_host: false, status: 307 };
            assert_eq!(place.shown(), expected, "{raw}");
        }
    }
}
