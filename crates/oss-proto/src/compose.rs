//! From a draft to a signed request: addressed, dated, signed, and checked against what was asked for.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use oss_credentials::Credentials;
use oss_endpoint::{Address, BucketName, Region, encode_component};
use oss_sign::{PRESIGN_PARAMETERS, Resource, Scope, Scratch, SigningKey, UnixTime};

use crate::types::check_header_value;
use crate::wire::spec::Scope as Addressed;
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
/// The key is that of one day, region, product and secret; a change of any of them derives it anew.
#[derive(Debug, Default)]
pub struct Composer {
    key: Option<SigningKey>,
    scratch: Scratch,
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
        let mut request = request(draft, service, &address)?;
        let Some(access) = credentials.access_key() else { return Ok(request) };
        let scope = Scope { region: region(draft, service)?, product: &service.product, time: now };
        let headers = pairs(draft, &request)?;
        let query = query_pairs(draft);
        let additional: Vec<&str> = service.additional_headers.iter().map(String::as_str).collect();
        let to_sign = oss_sign::Request {
            method: draft.method.as_str(),
            resource: resource(draft, bucket),
            query: &query,
            headers: &headers,
            additional: &additional,
        };
        let key = match self.key.take() {
            Some(key) if key.is_for(&access, &scope) => key,
            _ => SigningKey::derive(&access, &scope),
        };
        let key = self.key.insert(key);
        let signed = oss_sign::sign_headers(&to_sign, &access, key, &scope, &mut self.scratch);
        let added: Vec<_> =
            signed.iter().map(|(name, value)| header(draft, name, value)).collect::<Result<_, _>>()?;
        request.headers_mut().extend(added);
        Ok(request)
    }

    pub(crate) fn scratch_and_key(&mut self) -> (&mut Scratch, &mut Option<SigningKey>) {
        (&mut self.scratch, &mut self.key)
    }
}

/// Checks everything about a draft that its types do not, and finds its bucket.
pub(crate) fn check<'a>(
    draft: &'a Draft,
    service: &'a Service,
) -> Result<Option<&'a BucketName>, InvalidRequest> {
    check_headers(draft)?;
    check_query(draft)?;
    let is_name = |name: &&String| HeaderName::from_bytes(name.as_bytes()).is_ok();
    if let Some(bad) = service.additional_headers.iter().find(|name| !is_name(name)) {
        let problem = format!("the additional header {bad:?} is no header name");
        return Err(draft.invalid("additional_headers", InvalidValue::new(problem)));
    }
    check_scope(draft, service)
}

fn check_headers(draft: &Draft) -> Result<(), InvalidRequest> {
    for (i, (name, value)) in draft.headers.iter().enumerate() {
        let is_same = |other: &str| name.eq_ignore_ascii_case(other);
        let problem = if HeaderName::from_bytes(name.as_bytes()).is_err() {
            "is no header name"
        } else if RESERVED_HEADERS.iter().any(|reserved| is_same(reserved)) {
            "is set by the client itself; remove it"
        } else if draft.headers.iter().take(i).any(|(other, _)| is_same(other)) {
            "occurs twice; give it once"
        } else {
            check_header_value(value).map_err(|problem| draft.invalid(name.clone(), problem))?;
            continue;
        };
        return Err(draft.invalid(name.clone(), InvalidValue::new(problem)));
    }
    Ok(())
}

fn check_query(draft: &Draft) -> Result<(), InvalidRequest> {
    for (i, (name, _)) in draft.query.iter().enumerate() {
        let problem = if name.is_empty() {
            "a query parameter needs a name"
        } else if is_reserved_parameter(name) {
            "belongs to the signature; remove it"
        } else if draft.query.iter().take(i).any(|(other, _)| other == name) {
            "occurs twice in the query; give it once"
        } else {
            continue;
        };
        return Err(draft.invalid(name.clone(), InvalidValue::new(problem)));
    }
    Ok(())
}

/// A request must never reach something wider than what was meant: an object's bucket, a bucket's service.
fn check_scope<'a>(draft: &'a Draft, service: &'a Service) -> Result<Option<&'a BucketName>, InvalidRequest> {
    let invalid =
        |field: &'static str, problem: &'static str| Err(draft.invalid(field, InvalidValue::new(problem)));
    let bucket = match draft.scope {
        Addressed::Service if draft.bucket.is_some() => {
            return invalid("bucket", "is named, but the operation addresses the service; remove it");
        }
        Addressed::Service => None,
        Addressed::Bucket | Addressed::Object => draft.bucket.as_ref().or(service.bucket.as_ref()),
    };
    match (draft.scope, bucket, &draft.key) {
        (Addressed::Bucket | Addressed::Object, None, _) => {
            invalid("bucket", "none is named; name one, or send the operation through a bucket")
        }
        (Addressed::Object, _, None) => {
            invalid("key", "none is named, but the operation addresses an object")
        }
        (Addressed::Service | Addressed::Bucket, _, Some(_)) => {
            invalid("key", "is named, but the operation does not address an object; remove it")
        }
        _ => Ok(bucket),
    }
}

fn is_reserved_parameter(name: &str) -> bool {
    PRESIGN_PARAMETERS.contains(&name) || V1_PARAMETERS.contains(&name)
}

pub(crate) fn region<'a>(draft: &Draft, service: &'a Service) -> Result<&'a str, InvalidRequest> {
    service.region.as_ref().map(Region::as_str).ok_or_else(|| {
        let problem = "signature V4 needs the region of the bucket, such as `cn-hangzhou`; set it";
        draft.invalid("region", InvalidValue::new(problem))
    })
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

/// The URL of a draft; its parts are encoded here, once.
pub(crate) fn url<'a>(address: &Address, query: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut url = format!("{}://{}{}", address.scheme, address.authority, address.path);
    for (i, (name, value)) in query.enumerate() {
        url.push(if i == 0 { '?' } else { '&' });
        url.push_str(&encode_component(name));
        if !value.is_empty() {
            url.push('=');
            url.push_str(&encode_component(value));
        }
    }
    url
}

/// The request without its signature.
fn request(draft: &Draft, service: &Service, address: &Address) -> Result<http::Request<()>, InvalidRequest> {
    let url = url(address, draft.query.iter().map(|(name, value)| (name.as_ref(), value.as_str())));
    let uri = http::Uri::from_maybe_shared(Bytes::from(url)).map_err(|error| {
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
    let mut request = http::Request::new(());
    *request.method_mut() = draft.method.clone();
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.reserve(draft.headers.len() + 10);
    headers.extend([header(draft, "host", &address.authority)?]);
    if let Some(len) = content_length(draft) {
        headers.extend([header(draft, "content-length", &len.to_string())?]);
    }
    for (name, value) in &draft.headers {
        headers.extend([header(draft, name, value)?]);
    }
    for (name, value) in draft.default_headers.iter().filter(|(name, _)| draft.header(name).is_none()) {
        headers.extend([header(draft, name, value)?]);
    }
    if let Some(kind) = detected_content_type(draft) {
        headers.extend([header(draft, "content-type", kind)?]);
    }
    if !service.user_agent.is_empty() && draft.header("user-agent").is_none() {
        headers.extend([header(draft, "user-agent", &service.user_agent)?]);
    }
    Ok(request)
}

fn content_length(draft: &Draft) -> Option<u64> {
    match (&draft.body, &draft.method) {
        (Payload::Empty, &http::Method::PUT | &http::Method::POST) => Some(0),
        (Payload::Empty, _) => None,
        (body, _) => body.len(),
    }
}

fn detected_content_type(draft: &Draft) -> Option<&'static str> {
    if !draft.detects_content_type || draft.header("content-type").is_some() {
        return None;
    }
    let key = draft.key.as_ref()?;
    Some(crate::media::content_type(key.as_str()).unwrap_or("application/octet-stream"))
}

fn header(draft: &Draft, name: &str, value: &str) -> Result<(HeaderName, HeaderValue), InvalidRequest> {
    let field = || Cow::Owned(String::from(name));
    let bad_name = |_| draft.invalid(field(), InvalidValue::new("is no header name"));
    let bad_value = |_| draft.invalid(field(), InvalidValue::new("cannot stand in a header"));
    let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(bad_name)?;
    let mut value = HeaderValue::from_str(value).map_err(bad_value)?;
    value.set_sensitive(matches!(name, "authorization" | "x-oss-security-token"));
    Ok((parsed, value))
}

/// The headers of a request as the signer takes them.
fn pairs<'a>(
    draft: &Draft,
    request: &'a http::Request<()>,
) -> Result<Vec<(&'a str, &'a str)>, InvalidRequest> {
    let pair = |(name, value): (&'a HeaderName, &'a HeaderValue)| match value.to_str() {
        Ok(value) => Ok((name.as_str(), value)),
        Err(_) => Err(draft.invalid(name.to_string(), InvalidValue::new("is not printable ASCII"))),
    };
    request.headers().iter().map(pair).collect()
}

/// Headers that only the client itself may set; a caller's would break the framing or the signature.
const RESERVED_HEADERS: [&str; 17] = [
    "authorization",
    "connection",
    "content-length",
    "date",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-oss-content-sha256",
    "x-oss-date",
    "x-oss-security-token",
    "x-oss-signature",
];

/// What a V1 presigned URL adds; a stale one pasted into the query must not be taken for ours.
const V1_PARAMETERS: [&str; 4] = ["Expires", "OSSAccessKeyId", "Signature", "security-token"];
