//! Where a request goes: its host, kept from request to request, and its URL.

use alloc::format;
use alloc::string::String;

use bytes::Bytes;
use http::uri::{Authority, InvalidUri, Parts, PathAndQuery, Scheme};
use oss_endpoint::{Addressing, BucketName};

use super::{SCHEME_BYTES_MAX, push_query, query_pairs};
use crate::{Draft, InvalidRequest, InvalidValue, Service};

/// The host of the last request.
#[derive(Debug, Default)]
pub(crate) struct Target(Option<Last>);

#[derive(Debug)]
struct Last {
    service: Service,
    bucket: Option<BucketName>,
    authority: Authority,
}

impl Target {
    /// The host of a request, with the bucket in front where it belongs there.
    pub(crate) fn authority(
        &mut self,
        draft: &Draft,
        service: &Service,
        bucket: Option<&BucketName>,
    ) -> Result<Authority, InvalidRequest> {
        if let Some(last) = &self.0
            && last.service.is_same(service)
            && last.bucket.as_ref() == bucket
        {
            return Ok(last.authority.clone());
        }
        let text = service.endpoint.address(bucket, None).authority;
        let authority = Authority::from_maybe_shared(Bytes::from(text)).map_err(invalid(draft))?;
        let (service, bucket) = (service.clone(), bucket.cloned());
        self.0 = Some(Last { service, bucket, authority: authority.clone() });
        Ok(authority)
    }
}

/// The URL of a request; `signed` are the resource and the query that were signed by V4.
///
/// # Errors
/// When it is too long.
pub(crate) fn uri(
    draft: &Draft,
    service: &Service,
    bucket: Option<&BucketName>,
    authority: Authority,
    signed: Option<(&str, &str)>,
) -> Result<http::Uri, InvalidRequest> {
    let (text, path_bytes) = match signed.and_then(|signed| signed_target(service, bucket, signed)) {
        Some((path, query)) => (joined(path, query), path.len()),
        None => unsigned_target(draft, service, bucket),
    };
    let bytes = text.len();
    if SCHEME_BYTES_MAX + authority.as_str().len() + bytes > URL_BYTES_MAX {
        let problem = format!("is of {bytes} bytes without the host; shorten the key or the query");
        return Err(draft.invalid("url", InvalidValue::new(problem)));
    }
    let target = PathAndQuery::from_maybe_shared(Bytes::from(text)).map_err(invalid(draft))?;
    let mut parts = Parts::default();
    parts.scheme = Some(match service.endpoint.scheme() {
        oss_endpoint::Scheme::Http => Scheme::HTTP,
        oss_endpoint::Scheme::Https => Scheme::HTTPS,
    });
    parts.authority = Some(authority);
    parts.path_and_query = Some(target);
    let uri = http::Uri::from_parts(parts).expect("a URL of all three parts is one");
    // A last look: the request goes to this path and nowhere else, whatever was read out of the text.
    if uri.path().len() != path_bytes || uri.path_and_query().map(|all| all.as_str().len()) != Some(bytes) {
        let problem = format!("came out as {uri}, cut short; this is a defect of ours, please report it");
        return Err(draft.invalid("url", InvalidValue::new(problem)));
    }
    Ok(uri)
}

/// Path and query as they were signed. What was signed begins with the bucket, wherever that is sent.
fn signed_target<'a>(
    service: &Service,
    bucket: Option<&BucketName>,
    (resource, query): (&'a str, &'a str),
) -> Option<(&'a str, &'a str)> {
    let path = match (bucket, service.endpoint.addressing()) {
        (None, _) | (_, Addressing::Path) => resource,
        (Some(bucket), Addressing::VirtualHosted | Addressing::Cname) => {
            resource.strip_prefix('/')?.strip_prefix(bucket.as_str())?
        }
        _ => return None,
    };
    Some((path, query))
}

fn joined(path: &str, query: &str) -> String {
    // One byte too many, and the text would have to be shared at once.
    let mark = if query.is_empty() { "" } else { "?" };
    let mut text = String::with_capacity(path.len() + mark.len() + query.len());
    [path, mark, query].into_iter().for_each(|piece| text.push_str(piece));
    text
}

/// Path and query with the length of the path.
fn unsigned_target(draft: &Draft, service: &Service, bucket: Option<&BucketName>) -> (String, usize) {
    let mut text = service.endpoint.address(bucket, draft.key.as_ref()).path;
    let path_bytes = text.len();
    push_query(&mut text, query_pairs(draft));
    (text, path_bytes)
}

fn invalid(draft: &Draft) -> impl Fn(InvalidUri) -> InvalidRequest {
    |error| draft.invalid("url", InvalidValue::new(format!("{error}; shorten the key or the query")))
}

/// What `http::Uri` takes; OSS itself takes less.
const URL_BYTES_MAX: usize = u16::MAX as usize - 1;
