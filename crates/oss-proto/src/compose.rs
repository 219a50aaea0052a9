//! From a draft to a signed request: addressed, dated, signed, and checked against what was asked for.

mod digits;
mod shapes;
mod target;

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use oss_credentials::Credentials;
use oss_endpoint::{Address, BucketName, push_component};
use oss_sign::{Resource, Signed, SigningKey, UnixTime};

use crate::check::check_all_but_headers;
use crate::signing::Signer;
use crate::{Draft, InvalidRequest, Payload, Service};

use digits::Digits;
use shapes::Shapes;
use target::Target;

/// Makes the request of a draft: with its URL, headers and signature, ready to be sent as it is.
///
/// The signing key is derived anew; a [`Composer`] keeps it for the next request.
///
/// # Errors
/// When the draft cannot be expressed: no bucket where one is needed, a header that injects, no region for
/// V4.
pub fn compose(
    draft: &Draft,
    service: &Service,
    credentials: &Credentials,
    now: UnixTime,
) -> Result<http::Request<()>, InvalidRequest> {
    Composer::new().compose(draft, service, credentials, now)
}

/// Composes requests, and keeps what is costly to make for the next one: the derived signing key, the
/// signer's buffers, the names of the headers, the host.
///
/// The key is that of one day, region, product and secret; a change of any of them derives it anew. V1 has no
/// such key. A composer holds on to the credentials and the service of its last request, to know them again.
#[derive(Debug, Default)]
pub struct Composer {
    pub(crate) signer: Signer,
    target: Target,
    shapes: Shapes,
    /// Empty between requests, with room for the next one.
    query: Vec<(&'static str, &'static str)>,
    pairs: Vec<(&'static str, &'static str)>,
}

impl Composer {
    /// A composer without a key.
    pub fn new() -> Self {
        Self::default()
    }

    /// A composer that tries this key first.
    pub fn with_key(key: Option<SigningKey>) -> Self {
        Self { signer: Signer::with_key(key), ..Self::default() }
    }

    /// The key of the last signature.
    pub fn key(&self) -> Option<&SigningKey> {
        self.signer.key()
    }

    /// As [`compose`].
    ///
    /// # Errors
    /// As [`compose`].
    pub fn compose(
        &mut self,
        draft: &Draft,
        service: &Service,
        credentials: &Credentials,
        now: UnixTime,
    ) -> Result<http::Request<()>, InvalidRequest> {
        let bucket = check_all_but_headers(draft, service)?;
        let authority = self.target.authority(draft, service, bucket)?;
        let mut query = core::mem::take(&mut self.query);
        query.extend(query_pairs(draft));
        let length = content_length(draft);
        let pairs = core::mem::take(&mut self.pairs);
        let mut headers = Headers::of(draft, service, authority.as_str(), length.as_ref(), pairs);
        let mut target = None;
        if let Some(access) = credentials.access_key() {
            let additional = additional(service);
            let to_sign = to_sign(draft, bucket, &query, &headers.pairs, &additional);
            let signed = self.signer.sign(draft, service, (credentials, access), now, &to_sign)?;
            headers.pairs.extend(signed.iter());
            target = signed.target();
        }
        let mut request = http::Request::new(());
        *request.method_mut() = draft.method.clone();
        self.shapes.fill(request.headers_mut(), draft, &headers)?;
        (self.query, self.pairs) = (emptied(query), emptied(headers.pairs));
        *request.uri_mut() = target::uri(draft, service, bucket, authority, target)?;
        Ok(request)
    }
}

/// The headers of a request in their order.
pub(crate) struct Headers<'a> {
    pub(crate) pairs: Vec<(&'a str, &'a str)>,
    /// Which of them are the draft's own.
    own: Range<usize>,
    /// Values that need no copy, with their places.
    fixed: [Option<(usize, &'static str)>; 2],
}

impl<'a> Headers<'a> {
    pub(crate) fn of(
        draft: &'a Draft,
        service: &'a Service,
        authority: &'a str,
        length: Option<&'a Digits>,
        mut pairs: Vec<(&'a str, &'a str)>,
    ) -> Self {
        pairs.reserve(draft.headers.len() + draft.default_headers.len() + OTHERS_MAX);
        pairs.push(("host", authority));
        pairs.extend(length.map(|length| ("content-length", length.as_str())));
        let start = pairs.len();
        pairs.extend(draft.headers.iter().map(|(name, value)| (name.as_ref(), value.as_str())));
        let own = start..pairs.len();
        let missing = draft.default_headers.iter().filter(|(name, _)| draft.header(name).is_none());
        pairs.extend(missing.map(|(name, value)| (name.as_ref(), value.as_str())));
        let mut fixed = [None; 2];
        if let Some(kind) = detected_content_type(draft) {
            fixed[0] = Some((pairs.len(), kind));
            pairs.push(("content-type", kind));
        }
        if !service.user_agent.is_empty() && draft.header("user-agent").is_none() {
            if let Cow::Borrowed(agent) = service.user_agent {
                fixed[1] = Some((pairs.len(), agent));
            }
            pairs.push(("user-agent", &*service.user_agent));
        }
        Self { pairs, own, fixed }
    }

    /// The value at this place, if it needs no copy.
    fn fixed_at(&self, index: usize) -> Option<&'static str> {
        let (name, value) = self.pairs[index];
        // What V4 signs in place of a digest of the body.
        if name == "x-oss-content-sha256" && value == "UNSIGNED-PAYLOAD" {
            return Some("UNSIGNED-PAYLOAD");
        }
        self.fixed.iter().flatten().find(|(at, _)| *at == index).map(|(_, value)| *value)
    }
}

pub(crate) fn resource<'a>(draft: &'a Draft, bucket: Option<&'a BucketName>) -> Resource<'a> {
    match (bucket, &draft.key) {
        (Some(bucket), Some(key)) => Resource::Object { bucket: bucket.as_str(), key: key.as_str() },
        (Some(bucket), None) => Resource::Bucket(bucket.as_str()),
        (None, _) => Resource::Service,
    }
}

pub(crate) fn query_pairs(draft: &Draft) -> impl Iterator<Item = (&str, &str)> {
    draft.query.iter().map(|(name, value)| (name.as_ref(), value.as_str()))
}

/// The list without its items, for items that live for another time; it keeps its room.
fn emptied(mut pairs: Vec<(&str, &str)>) -> Vec<(&'static str, &'static str)> {
    pairs.clear();
    // Collected in place.
    pairs.into_iter().map(|_| ("", "")).collect()
}

pub(crate) fn additional(service: &Service) -> Vec<&str> {
    service.additional_headers.iter().map(String::as_str).collect()
}

/// The parts of a request that its signature covers.
pub(crate) fn to_sign<'a>(
    draft: &'a Draft,
    bucket: Option<&'a BucketName>,
    query: &'a [(&'a str, &'a str)],
    headers: &'a [(&'a str, &'a str)],
    additional: &'a [&'a str],
) -> oss_sign::Request<'a> {
    let method = draft.method.as_str();
    oss_sign::Request { method, resource: resource(draft, bucket), query, headers, additional }
}

/// The URL of a draft; its parts are encoded here, once.
pub(crate) fn url(address: &Address, query: &[(&str, &str)], signed: Option<&Signed<'_>>) -> String {
    let pairs = || query.iter().copied().chain(signed.into_iter().flat_map(Signed::iter));
    let mut url = String::with_capacity(url_bytes(address, pairs()));
    push_url(&mut url, address, pairs());
    url
}

fn push_url<'a>(url: &mut String, address: &Address, query: impl Iterator<Item = (&'a str, &'a str)>) {
    for piece in [address.scheme.as_str(), "://", &*address.authority, &*address.path] {
        url.push_str(piece);
    }
    push_query(url, query);
}

fn push_query<'a>(url: &mut String, query: impl Iterator<Item = (&'a str, &'a str)>) {
    for (i, (name, value)) in query.enumerate() {
        url.push(if i == 0 { '?' } else { '&' });
        push_component(url, name);
        if !value.is_empty() {
            url.push('=');
            push_component(url, value);
        }
    }
}

/// At least the length of a URL, when every byte of its query is encoded.
fn url_bytes<'a>(address: &Address, query: impl Iterator<Item = (&'a str, &'a str)>) -> usize {
    let query = query.map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum::<usize>();
    SCHEME_BYTES_MAX + address.authority.len() + address.path.len() + query
}

pub(crate) fn content_length(draft: &Draft) -> Option<Digits> {
    let length = match (&draft.body, &draft.method) {
        (Payload::Empty, &http::Method::PUT | &http::Method::POST) => Some(0),
        (Payload::Empty, _) => None,
        (body, _) => body.len(),
    };
    length.map(Digits::of)
}

fn detected_content_type(draft: &Draft) -> Option<&'static str> {
    if !draft.detects_content_type || draft.header("content-type").is_some() {
        return None;
    }
    let key = draft.key.as_ref()?;
    Some(crate::media::content_type(key.as_str()).unwrap_or("application/octet-stream"))
}

/// Of `https://`.
const SCHEME_BYTES_MAX: usize = 8;
/// How many headers a request has besides those of its draft: four of its own, four of its signature.
const OTHERS_MAX: usize = 8;
