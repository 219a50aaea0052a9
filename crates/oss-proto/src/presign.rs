//! URLs that carry their signature: the same pipeline as a request, stopped before sending.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use oss_credentials::Credentials;
use oss_sign::UnixTime;

use crate::check::check;
use crate::compose::{Composer, additional, query_pairs, to_sign, url};
use crate::signing::ends_at;
use crate::{Draft, InvalidRequest, InvalidValue, Service};

/// Makes a URL with which anyone may make the draft's request, until it expires.
///
/// `valid_for` is 1 second to 7 days; 12 hours with an STS token, whose own end also bounds it. The body is
/// not part of it. Source: [V4 in
/// URLs](https://help.aliyun.com/zh/oss/developer-reference/add-signatures-to-urls).
///
/// Signature V1 has no upper limit, and is for objects only.
///
/// # Errors
/// When the draft cannot be expressed, or the URL would outlive what signs it.
///
/// ```
/// use core::time::Duration;
/// use oss_proto::{Credentials, Endpoint, GetObject, Operation, Region, Service, UnixTime, presign};
///
/// let region = Region::parse("cn-hangzhou")?;
/// let service = Service::new(Endpoint::public(&region)).with_region(region);
/// let credentials = Credentials::new("my-key-id", "my-secret")?;
/// let draft = GetObject::new("examplebucket", "example.txt").draft()?;
/// let now = UnixTime::from_secs(1_702_743_657);
///
/// let presigned = presign(&draft, &service, &credentials, now, Duration::from_secs(900))?;
/// let shown = presigned.to_string();
/// assert_eq!(shown, "GET https://examplebucket.oss-cn-hangzhou.aliyuncs.com/example.txt?***");
/// assert!(presigned.expose_url().contains("x-oss-signature="));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn presign(
    draft: &Draft,
    service: &Service,
    credentials: &Credentials,
    now: UnixTime,
    valid_for: Duration,
) -> Result<Presigned, InvalidRequest> {
    Composer::new().presign(draft, service, credentials, now, valid_for)
}

/// A request that its holder may make until it expires. `Debug` and `Display` hide the query, which holds the
/// signature.
#[derive(Clone, PartialEq, Eq)]
pub struct Presigned {
    method: http::Method,
    url: String,
    expires: Option<UnixTime>,
    headers: Vec<(String, String)>,
    signed: Vec<String>,
}

impl Presigned {
    /// The HTTP method that was signed.
    pub fn method(&self) -> &http::Method {
        &self.method
    }

    /// The URL with its signature: whoever has it may make the request.
    pub fn expose_url(&self) -> &str {
        &self.url
    }

    /// When it expires; `None` for a URL without a signature (anonymous credentials).
    pub fn expires(&self) -> Option<UnixTime> {
        self.expires
    }

    /// The headers of the request. The holder must send those that were [signed](Self::is_signed) with
    /// exactly these values; without the others the request is another one, such as a whole object instead of
    /// a range.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// Whether the signature covers this header of the request.
    pub fn is_signed(&self, name: &str) -> bool {
        self.signed.iter().any(|signed| signed.eq_ignore_ascii_case(name))
    }

    fn without_query(&self) -> &str {
        self.url.split('?').next().unwrap_or_default()
    }
}

impl fmt::Display for Presigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}?***", self.method, self.without_query())
    }
}

impl fmt::Debug for Presigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Presigned({self})")
    }
}

impl Composer {
    /// As [`presign`].
    ///
    /// # Errors
    /// As [`presign`].
    pub fn presign(
        &mut self,
        draft: &Draft,
        service: &Service,
        credentials: &Credentials,
        now: UnixTime,
        valid_for: Duration,
    ) -> Result<Presigned, InvalidRequest> {
        let bucket = check(draft, service)?;
        let address = service.endpoint.address(bucket, draft.key.as_ref());
        let query: Vec<_> = query_pairs(draft).collect();
        let method = draft.method.clone();
        let Some(access) = credentials.access_key() else {
            let url = url(&address, &query, None);
            let (headers, signed) = (owned(&draft.headers), Vec::new());
            return Ok(Presigned { method, url, expires: None, headers, signed });
        };
        let expires = ends_at(now, valid_for);
        if let Some(end) = credentials.expiration().filter(|end| *end < expires) {
            let problem =
                format!("the credentials end at {}, before the URL would; shorten it", end.iso_extended());
            return Err(draft.invalid("valid_for", InvalidValue::new(problem)));
        }
        let mut headers: Vec<(&str, &str)> =
            draft.headers.iter().map(|(name, value)| (name.as_ref(), value.as_str())).collect();
        let additional = additional(service);
        if additional.iter().any(|name| name.eq_ignore_ascii_case("host")) {
            headers.push(("host", &address.authority));
        }
        let to_sign = to_sign(draft, bucket, &query, &headers, &additional);
        let signed =
            self.signer.sign_url(draft, service, (credentials, access), (now, valid_for), &to_sign)?;
        let url = url(&address, &query, Some(&signed));
        let signed = signed.signed_headers().map(String::from).collect();
        Ok(Presigned { method, url, expires: Some(expires), headers: owned(&draft.headers), signed })
    }
}

fn owned(headers: &[(alloc::borrow::Cow<'static, str>, String)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.to_string(), value.clone())).collect()
}
