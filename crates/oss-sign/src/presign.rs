//! V4 in the query of a URL.

use core::time::Duration;

use crate::{
    AccessKey, PresignError, Request, Scope, Scratch, Signed, SigningKey,
    canonical::trim,
    scratch::{Added, Name, Span, hex},
    v4::{ALGORITHM, CONTENT_SHA256, UNSIGNED_PAYLOAD, sign_digest, write_scope},
};

/// The parameters that a presigned URL may carry.
///
/// [`presign_query`] does not sign any that the request has already: remove them from it, then add the new
/// ones.
pub const PRESIGN_PARAMETERS: [&str; 7] = [
    "x-oss-signature-version",
    "x-oss-date",
    "x-oss-expires",
    "x-oss-credential",
    "x-oss-security-token",
    "x-oss-additional-headers",
    "x-oss-signature",
];

/// Signs a request for a URL that is valid from `scope.time` for `valid_for` (V4).
///
/// To add to the query: [`PRESIGN_PARAMETERS`] in their order, without the token and the additional headers
/// where there are none. Parameters of these names in the request are not signed. The lifetime counts in
/// whole seconds; a fraction is dropped. A URL signed with a token also ends with the token, whatever its
/// lifetime.
///
/// The payload is `UNSIGNED-PAYLOAD`, or the request's own `x-oss-content-sha256`. Every signed header
/// ([`Signed::signed_headers`]) must be sent with the URL. `signing` must be [for](SigningKey::is_for) `key`
/// and `scope`.
///
/// # Errors
///
/// Before anything is signed: [`PresignError::TooShort`] below one second, [`PresignError::TooLong`] above
/// 604,800 seconds (7 days), or above 43,200 (12 hours) when the key has a security token. Both limits are
/// those of the OSS document on V4 signatures in URLs.
pub fn presign_query<'s>(
    request: &Request<'_>,
    key: &AccessKey<'_>,
    signing: &SigningKey,
    scope: &Scope<'_>,
    valid_for: Duration,
    scratch: &'s mut Scratch,
) -> Result<Signed<'s>, PresignError> {
    let expires = expires(key, valid_for)?;
    let date = scope.time.iso_basic_halves();
    scratch.prepare(request, key, scope);
    let additional = scratch.collect_headers(request);
    scratch.add(const { &Name::new("x-oss-signature-version") }, ALGORITHM.as_bytes());
    scratch.add_date(date);
    scratch.add_number(const { &Name::new("x-oss-expires") }, expires);
    let (in_scope, start) = write_scope(&mut scratch.values, "", key, scope, date);
    let value = Span { start, end: in_scope.end };
    scratch.added.push(Added { name: const { &Name::new("x-oss-credential") }, value });
    if let Some(token) = key.token() {
        scratch.add(const { &Name::new("x-oss-security-token") }, token.as_bytes());
    }
    if !additional.is_empty() {
        let name = const { &Name::new("x-oss-additional-headers") };
        scratch.added.push(Added { name, value: additional });
    }
    for (index, (name, _)) in request.query.iter().enumerate() {
        if !(name.starts_with("x-oss-") && PRESIGN_PARAMETERS.contains(name)) {
            scratch.add_pair(index, name);
        }
    }
    scratch.add_own_pairs();
    scratch.write_canonical(request, additional, payload(request));
    let digest = sign_digest(scratch, &scratch.canonical_digest(), signing, in_scope, date);
    let signature = scratch.values.write(|pen| pen.array(hex(&digest)));
    scratch.added.push(Added { name: const { &Name::new("x-oss-signature") }, value: signature });
    Ok(Signed { scratch, signature })
}

fn expires(key: &AccessKey<'_>, valid_for: Duration) -> Result<u64, PresignError> {
    let limit = if key.token().is_some() { VALID_MAX_WITH_TOKEN } else { VALID_MAX };
    if valid_for > limit {
        return Err(PresignError::TooLong { asked: valid_for, limit });
    }
    match valid_for.as_secs() {
        0 => Err(PresignError::TooShort { asked: valid_for }),
        secs => Ok(secs),
    }
}

fn payload<'a>(request: &Request<'a>) -> &'a str {
    let mut own = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(CONTENT_SHA256));
    own.find_map(|(_, value)| Some(trim(value)).filter(|value| !value.is_empty())).unwrap_or(UNSIGNED_PAYLOAD)
}

const VALID_MAX: Duration = Duration::from_secs(604_800);
const VALID_MAX_WITH_TOKEN: Duration = Duration::from_secs(43_200);

#[cfg(test)]
mod tests {
    use alloc::{
        string::{String, ToString},
        vec::Vec,
    };

    use super::*;
    use crate::{Resource, UnixTime};

    const KEY: AccessKey<'static> = AccessKey { id: "ak", secret: "sk", token: None };
    const SCOPE: Scope<'static> =
        Scope { region: "cn-hangzhou", product: "oss", time: UnixTime::from_secs(1_702_743_657) };
    const REQUEST: Request<'static> = Request {
        method: "GET",
        resource: Resource::Object { bucket: "examplebucket", key: "exampleobject" },
        query: &[],
        headers: &[],
        additional: &[],
    };
    const HOUR: Duration = Duration::from_secs(3_600);

    fn presigned<'s>(
        request: &Request<'_>,
        key: &AccessKey<'_>,
        valid_for: Duration,
        scratch: &'s mut Scratch,
    ) -> Result<Signed<'s>, PresignError> {
        let signing = SigningKey::derive(key, &SCOPE);
        presign_query(request, key, &signing, &SCOPE, valid_for, scratch)
    }

    #[test]
    fn b31_the_lifetime_is_checked_before_signing() {
        let (day, second) = (Duration::from_secs(86_400), Duration::from_secs(1));
        let nano = Duration::from_nanos(1);
        let limit = |with_token| if with_token { day / 2 } else { day * 7 };
        for token in [None, Some(""), Some("token")] {
            let key = AccessKey { token, ..KEY };
            let limit = limit(token == Some("token"));
            let mut scratch = Scratch::new();
            for asked in [Duration::ZERO, nano, second - nano] {
                let error = presigned(&REQUEST, &key, asked, &mut scratch).unwrap_err();
                assert_eq!(error, PresignError::TooShort { asked });
            }
            for asked in [limit + nano, limit + second, Duration::MAX] {
                let error = presigned(&REQUEST, &key, asked, &mut scratch).unwrap_err();
                assert_eq!(error, PresignError::TooLong { asked, limit });
            }
            assert!(scratch.canonical.written().is_empty());
            for (asked, secs) in [(second, 1), (second * 2 - nano, 1), (limit, limit.as_secs())] {
                let signed =
                    presigned(&REQUEST, &key, asked, &mut scratch).expect("a lifetime within limits");
                let expires =
                    signed.iter().find(|(name, _)| *name == "x-oss-expires").map(|(_, value)| value);
                assert_eq!(expires, Some(secs.to_string().as_str()));
            }
        }
    }

    #[test]
    fn parameters_are_added_in_their_order() {
        let (mut scratch, mut full) = (Scratch::new(), Scratch::new());
        let signed = presigned(&REQUEST, &KEY, HOUR, &mut scratch).expect("an hour is allowed");
        let added = signed.iter().collect::<Vec<_>>();
        let expected = [
            ("x-oss-signature-version", "OSS4-HMAC-SHA256"),
            ("x-oss-date", "20231216T162057Z"),
            ("x-oss-expires", "3600"),
            ("x-oss-credential", "ak/20231216/cn-hangzhou/oss/aliyun_v4_request"),
            ("x-oss-signature", signed.signature()),
        ];
        assert_eq!(added, expected);
        assert_eq!(signed.signed_headers().count(), 0);

        let key = AccessKey { token: Some("to/ken"), ..KEY };
        let headers =
            [("Range", "bytes=0-9"), ("content-type", "text/plain"), ("host", "h"), ("a", "not signed")];
        let request = Request { headers: &headers, additional: &["range", "Host"], ..REQUEST };
        let signed = presigned(&request, &key, HOUR, &mut full).expect("an hour is allowed");
        assert!(signed.iter().map(|(name, _)| name).eq(PRESIGN_PARAMETERS));
        assert_eq!(signed.iter().nth(4), Some(("x-oss-security-token", "to/ken")));
        assert_eq!(signed.iter().nth(5), Some(("x-oss-additional-headers", "host;range")));
        // B32: who holds the URL must send these.
        let must_send = signed.signed_headers().collect::<Vec<_>>();
        assert_eq!(must_send, ["content-type", "host", "range"]);
    }

    #[test]
    fn b30_parameters_of_an_earlier_signature_are_not_signed() {
        let (mut scratch, mut again) = (Scratch::new(), Scratch::new());
        let query = [("versionId", "1")];
        let first =
            presigned(&Request { query: &query, ..REQUEST }, &KEY, HOUR, &mut scratch).expect("an hour");
        let stale = PRESIGN_PARAMETERS.map(|name| (name, "stale"));
        let query = stale.into_iter().chain(query).collect::<Vec<_>>();
        let second =
            presigned(&Request { query: &query, ..REQUEST }, &KEY, HOUR, &mut again).expect("an hour");
        assert_eq!(second.canonical_request(), first.canonical_request());
        assert_eq!(second.signature(), first.signature());
        // Names are case-sensitive in a query: the first is another parameter, as is any other of OSS.
        let query = [("X-Oss-Date", "1"), ("x-oss-process", "p")];
        let other =
            presigned(&Request { query: &query, ..REQUEST }, &KEY, HOUR, &mut again).expect("an hour");
        assert!(other.canonical_request().contains("\nX-Oss-Date=1&x-oss-credential="));
        assert!(other.canonical_request().contains("&x-oss-process=p&x-oss-signature-version="));
    }

    #[test]
    fn the_payload_is_the_requests_own_when_it_has_one() {
        type Headers<'a> = &'a [(&'a str, &'a str)];
        let table: [(Headers<'_>, &str, &str); 4] = [
            (&[], "\n\n\nUNSIGNED-PAYLOAD", ""),
            (
                &[("X-Oss-Content-Sha256", " abc\t")],
                "x-oss-content-sha256:abc\n\n\nabc",
                "x-oss-content-sha256",
            ),
            (
                &[("x-oss-content-sha256", " ")],
                "x-oss-content-sha256:\n\n\nUNSIGNED-PAYLOAD",
                "x-oss-content-sha256",
            ),
            (&[("content-sha256", "abc")], "\n\n\nUNSIGNED-PAYLOAD", ""),
        ];
        for (headers, tail, signed_header) in table {
            let mut scratch = Scratch::new();
            let request = Request { headers, ..REQUEST };
            let signed = presigned(&request, &KEY, HOUR, &mut scratch).expect("an hour is allowed");
            assert!(signed.canonical_request().ends_with(tail), "{}", signed.canonical_request());
            assert_eq!(signed.signed_headers().collect::<String>(), signed_header);
        }
    }
}
