//! From a draft to a signed request: addressed, dated, signed, and checked against what was asked for.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT,
};
use oss_credentials::Credentials;
use oss_endpoint::{Address, BucketName, push_component};
use oss_sign::{Resource, Scratch, Signed, SigningKey, UnixTime};

use crate::check::{check, is_lower_header_name};
use crate::types::is_printable;
use crate::{Draft, InvalidRequest, InvalidValue, Payload, Service};

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

/// Composes requests, and keeps the derived signing key and its buffers between them.
///
/// The key is that of one day, region, product and secret; a change of any of them derives it anew. V1 has no
/// such key.
#[derive(Debug, Default)]
pub struct Composer {
    pub(crate) key: Option<SigningKey>,
    pub(crate) scratch: Scratch,
}

impl Composer {
    /// A composer without a key.
    pub fn new() -> Self {
        Self::default()
    }

    /// A composer that tries this key first.
    pub fn with_key(key: Option<SigningKey>) -> Self {
        Self { key, scratch: Scratch::default() }
    }

    /// The key of the last signature.
    pub fn key(&self) -> Option<&SigningKey> {
        self.key.as_ref()
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
        let bucket = check(draft, service)?;
        let address = service.endpoint.address(bucket, draft.key.as_ref());
        let query = query_pairs(draft);
        let length = content_length(draft);
        let mut headers = Headers::of(draft, service, &address, length.as_deref());
        if let Some(access) = credentials.access_key() {
            let additional = additional(service);
            let to_sign = to_sign(draft, bucket, &query, &headers.pairs, &additional);
            let signed = self.sign(draft, service, &access, now, &to_sign)?;
            headers.pairs.extend(signed.iter());
        }
        assemble(draft, &address, &query, &headers)
    }
}

/// The headers of a request in their order.
pub(crate) struct Headers<'a> {
    pub(crate) pairs: Vec<(&'a str, &'a str)>,
    /// Where those of the draft begin.
    draft_at: usize,
}

impl<'a> Headers<'a> {
    pub(crate) fn of(
        draft: &'a Draft,
        service: &'a Service,
        address: &'a Address,
        length: Option<&'a str>,
    ) -> Self {
        let mut pairs = Vec::with_capacity(draft.headers.len() + draft.default_headers.len() + OTHERS_MAX);
        pairs.push(("host", &*address.authority));
        pairs.extend(length.map(|length| ("content-length", length)));
        let draft_at = pairs.len();
        let own = draft.headers.iter();
        let missing = draft.default_headers.iter().filter(|(name, _)| draft.header(name).is_none());
        pairs.extend(own.chain(missing).map(|(name, value)| (name.as_ref(), value.as_str())));
        pairs.extend(detected_content_type(draft).map(|kind| ("content-type", kind)));
        if !service.user_agent.is_empty() && draft.header("user-agent").is_none() {
            pairs.push(("user-agent", &*service.user_agent));
        }
        Self { pairs, draft_at }
    }

    /// The name of a header; one that the tables of operations know costs no allocation.
    fn name(&self, draft: &Draft, index: usize) -> Option<HeaderName> {
        let (name, _) = self.pairs.get(index)?;
        let own = index.checked_sub(self.draft_at).and_then(|index| draft.headers.get(index));
        if let Some((Cow::Borrowed(name), _)) = own
            && is_lower_header_name(name)
        {
            // It panics at what is no name in lower case, which this is.
            return Some(HeaderName::from_static(name));
        }
        known_name(name)
    }
}

/// The request of its parts.
///
/// All texts are written into one buffer, and the URL and the values are pieces of it: one allocation instead
/// of one for each.
fn assemble(
    draft: &Draft,
    address: &Address,
    query: &[(&str, &str)],
    headers: &Headers<'_>,
) -> Result<http::Request<()>, InvalidRequest> {
    let value_bytes: usize = headers.pairs.iter().map(|(_, value)| value.len()).sum();
    let mut text = String::with_capacity(url_bytes(address, query.iter().copied()) + value_bytes);
    push_url(&mut text, address, query.iter().copied());
    let url_end = text.len();
    for (_, value) in &headers.pairs {
        text.push_str(value);
    }
    let is_clean = is_printable(text.as_bytes().get(url_end..).unwrap_or_default());
    let text = Bytes::from(text);
    let map = room(draft, headers.pairs.len())?;
    let mut values = Values { draft, text: &text, at: url_end, is_clean, map };
    for (index, (name, value)) in headers.pairs.iter().enumerate() {
        values.take(name, headers.name(draft, index), value.len())?;
    }
    let mut request = http::Request::new(());
    *request.method_mut() = draft.method.clone();
    *request.headers_mut() = values.map;
    *request.uri_mut() = uri(draft, address, text.slice(..url_end))?;
    Ok(request)
}

/// Takes one header value after the other from the buffer.
struct Values<'a> {
    draft: &'a Draft,
    text: &'a Bytes,
    at: usize,
    /// All values are; otherwise each is looked at.
    is_clean: bool,
    map: HeaderMap,
}

impl Values<'_> {
    fn take(&mut self, name: &str, parsed: Option<HeaderName>, bytes: usize) -> Result<(), InvalidRequest> {
        let invalid = |problem| Err(self.draft.invalid(String::from(name), InvalidValue::new(problem)));
        let Some(parsed) = parsed else { return invalid("is no header name") };
        let end = self.at + bytes;
        let value = self.text.slice(self.at..end);
        if !self.is_clean && !is_printable(&value) {
            return invalid("cannot stand in a header");
        }
        let Ok(mut value) = HeaderValue::from_maybe_shared(value) else {
            return invalid("cannot stand in a header");
        };
        value.set_sensitive(matches!(name, "authorization" | "x-oss-security-token"));
        self.at = end;
        match self.map.try_append(parsed, value) {
            Ok(_) => Ok(()),
            Err(_) => invalid("is one header too many; send fewer"),
        }
    }
}

fn room(draft: &Draft, headers: usize) -> Result<HeaderMap, InvalidRequest> {
    HeaderMap::try_with_capacity(headers)
        .map_err(|_| draft.invalid("headers", InvalidValue::new("are too many; send fewer")))
}

/// A header name; those that almost every request has are not read anew.
fn known_name(name: &str) -> Option<HeaderName> {
    const OSS_DATE: HeaderName = HeaderName::from_static("x-oss-date");
    const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-oss-content-sha256");
    const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-oss-security-token");
    Some(match name {
        "host" => HOST,
        "content-length" => CONTENT_LENGTH,
        "content-type" => CONTENT_TYPE,
        "user-agent" => USER_AGENT,
        "authorization" => AUTHORIZATION,
        "x-oss-date" => OSS_DATE,
        "x-oss-content-sha256" => CONTENT_SHA256,
        "x-oss-security-token" => SECURITY_TOKEN,
        _ => return HeaderName::from_bytes(name.as_bytes()).ok(),
    })
}

/// The URI of a URL of ours.
fn uri(draft: &Draft, address: &Address, url: Bytes) -> Result<http::Uri, InvalidRequest> {
    let uri = http::Uri::from_maybe_shared(url).map_err(|error| {
        draft.invalid("url", InvalidValue::new(format!("{error}; shorten the key or the query")))
    })?;
    // A last look: whatever was composed above, the request goes to this host and this path and nowhere else.
    if uri.authority().map(http::uri::Authority::as_str) != Some(&address.authority)
        || uri.path() != address.path
    {
        let problem = format!(
            "came out as {uri} where {address} was meant; this is a defect of ours, please report it"
        );
        return Err(draft.invalid("url", InvalidValue::new(problem)));
    }
    Ok(uri)
}

pub(crate) fn resource<'a>(draft: &'a Draft, bucket: Option<&'a BucketName>) -> Resource<'a> {
    match (bucket, &draft.key) {
        (Some(bucket), Some(key)) => Resource::Object { bucket: bucket.as_str(), key: key.as_str() },
        (Some(bucket), None) => Resource::Bucket(bucket.as_str()),
        (None, _) => Resource::Service,
    }
}

pub(crate) fn query_pairs(draft: &Draft) -> Vec<(&str, &str)> {
    draft.query.iter().map(|(name, value)| (name.as_ref(), value.as_str())).collect()
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

pub(crate) fn content_length(draft: &Draft) -> Option<String> {
    let length = match (&draft.body, &draft.method) {
        (Payload::Empty, &http::Method::PUT | &http::Method::POST) => Some(0),
        (Payload::Empty, _) => None,
        (body, _) => body.len(),
    };
    length.map(|length| length.to_string())
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
