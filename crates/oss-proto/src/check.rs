//! What is checked about a draft before it is composed: what its types do not rule out.

use alloc::format;
use alloc::string::String;

use oss_endpoint::{Addressing, BucketName};
use oss_sign::PRESIGN_PARAMETERS;

use crate::types::check_header_value;
use crate::wire::spec::Scope as Addressed;
use crate::{Draft, InvalidRequest, InvalidValue, Service};

/// Checks everything about a draft that its types do not, and finds its bucket.
pub(crate) fn check<'a>(
    draft: &'a Draft,
    service: &'a Service,
) -> Result<Option<&'a BucketName>, InvalidRequest> {
    check_header_names(draft)?;
    for (name, value) in &draft.headers {
        check_header_value(value).map_err(|problem| draft.invalid(name.clone(), problem))?;
    }
    check_all_but_headers(draft, service)
}

/// The same without the headers of the draft.
pub(crate) fn check_all_but_headers<'a>(
    draft: &'a Draft,
    service: &'a Service,
) -> Result<Option<&'a BucketName>, InvalidRequest> {
    check_query(draft)?;
    let is_name = |name: &&String| is_header_name(name);
    if let Some(bad) = service.additional_headers.iter().find(|name| !is_name(name)) {
        let problem = format!("the additional header {bad:?} is no header name");
        return Err(draft.invalid("additional_headers", InvalidValue::new(problem)));
    }
    check_scope(draft, service)
}

/// Checks that each header of a draft has a name that it may have, and that no other header has.
pub(crate) fn check_header_names(draft: &Draft) -> Result<(), InvalidRequest> {
    for (i, (name, _)) in draft.headers.iter().enumerate() {
        let is_same = |other: &str| name.eq_ignore_ascii_case(other);
        let problem = if !is_header_name(name) {
            "is no header name"
        } else if RESERVED_HEADERS.iter().any(|reserved| is_same(reserved)) {
            "is set by the client itself; remove it"
        } else if draft.headers.iter().take(i).any(|(other, _)| is_same(other)) {
            "occurs twice; give it once"
        } else {
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
        // OSS takes such a request for one of the bucket behind the domain: ListBuckets would list objects.
        Addressed::Service if service.endpoint.addressing() == Addressing::Cname => {
            let problem = "is a domain bound to one bucket (`use_cname`), and this operation is not about a \
                           bucket; send it to the endpoint of a region";
            return invalid("endpoint", problem);
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
    // Few names begin as these do; the others are told by their first byte.
    matches!(name.as_bytes(), [b'x' | b'E' | b'O' | b'S' | b's', ..])
        && (PRESIGN_PARAMETERS.contains(&name) || V1_PARAMETERS.contains(&name))
}

/// A name as it may stand in a request (RFC 9110, section 5.6.2), of at most 64 KiB.
pub(crate) fn is_header_name(name: &str) -> bool {
    is_name(name, &TOKEN)
}

/// The same, without capital letters.
pub(crate) fn is_lower_header_name(name: &str) -> bool {
    is_name(name, &LOWER_TOKEN)
}

fn is_name(name: &str, may_have: &[bool; 256]) -> bool {
    (1..=HEADER_NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(|byte| may_have[usize::from(byte)])
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
const HEADER_NAME_BYTES_MAX: usize = (1 << 16) - 1;
/// By byte: whether a token may have it (RFC 9110, section 5.6.2).
const TOKEN: [bool; 256] = token(true);
const LOWER_TOKEN: [bool; 256] = token(false);

const fn token(has_capitals: bool) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        table[byte as usize] =
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || (has_capitals && byte.is_ascii_uppercase());
        byte += 1;
    }
    let mut marks: &[u8] = b"!#$%&'*+-.^_`|~";
    while let [mark, rest @ ..] = marks {
        table[*mark as usize] = true;
        marks = rest;
    }
    table
}
