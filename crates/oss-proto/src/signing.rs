//! Which signature a request carries, and why OSS may compute another one.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use oss_credentials::Credentials;
use oss_endpoint::Region;
use oss_sign::{
    AccessKey, Explanation, PresignError, Request, Scope, Scratch, Signed, SigningKey, Theirs, UnixTime,
    explain, presign_query, sign_headers,
};
#[cfg(feature = "v1")]
use oss_sign::{presign_query_v1, sign_headers_v1};

use crate::check::check;
use crate::compose::{Composer, Headers, additional, content_length, query_pairs, to_sign};
use crate::{Draft, InvalidRequest, InvalidValue, Service, ServiceError};

/// The version of the signature (`signature_version`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureVersion {
    /// `OSS4-HMAC-SHA256`: for one day, region and product; needs a region.
    #[default]
    V4,
    /// `HMAC-SHA1` with the secret itself, for private clouds and old accounts; needs no region.
    ///
    /// OSS has closed it to new users on 2025-03-01, and on 2025-09-01 ended its maintenance and closed it to
    /// new buckets (announcement "Signature V1 is being phased out"). Where it is closed, OSS answers
    /// `AccessDenied`, EC 0002-00000080.
    #[cfg(feature = "v1")]
    V1,
}

/// Signs, and keeps the derived key and the buffers.
#[derive(Debug, Default)]
pub(crate) struct Signer {
    key: KeptKey,
    scratch: Scratch,
}

impl Signer {
    pub(crate) fn with_key(key: Option<SigningKey>) -> Self {
        Self { key: KeptKey { key, origin: None }, scratch: Scratch::default() }
    }

    pub(crate) fn key(&self) -> Option<&SigningKey> {
        self.key.key.as_ref()
    }

    /// Signs a request for its headers.
    pub(crate) fn sign(
        &mut self,
        draft: &Draft,
        service: &Service,
        identity: Identity<'_>,
        now: UnixTime,
        request: &Request<'_>,
    ) -> Result<Signed<'_>, InvalidRequest> {
        match service.signature {
            SignatureVersion::V4 => {
                let scope = scope(draft, service, now)?;
                let key = self.key.of(service, identity, &scope);
                Ok(sign_headers(request, &identity.1, key, &scope, &mut self.scratch))
            }
            #[cfg(feature = "v1")]
            SignatureVersion::V1 => Ok(sign_headers_v1(request, &identity.1, now, &[], &mut self.scratch)),
        }
    }

    /// Signs a request for its URL.
    pub(crate) fn sign_url(
        &mut self,
        draft: &Draft,
        service: &Service,
        identity: Identity<'_>,
        (now, valid_for): (UnixTime, Duration),
        request: &Request<'_>,
    ) -> Result<Signed<'_>, InvalidRequest> {
        let invalid = |error: PresignError| draft.invalid("valid_for", InvalidValue::new(error.to_string()));
        let access = &identity.1;
        match service.signature {
            SignatureVersion::V4 => {
                let scope = scope(draft, service, now)?;
                let key = self.key.of(service, identity, &scope);
                presign_query(request, access, key, &scope, valid_for, &mut self.scratch).map_err(invalid)
            }
            #[cfg(feature = "v1")]
            SignatureVersion::V1 => {
                if valid_for < Duration::from_secs(1) {
                    return Err(invalid(PresignError::TooShort { asked: valid_for }));
                }
                if draft.key.is_none() {
                    // OSS refuses it with AccessDenied, EC 0002-00000079.
                    let problem = "V1 signs no URL of a bucket or of the service; sign it with V4";
                    return Err(draft.invalid("signature", InvalidValue::new(problem)));
                }
                let expires = ends_at(now, valid_for);
                Ok(presign_query_v1(request, access, expires, &[], &mut self.scratch))
            }
        }
    }
}

/// Credentials and their parts, for a signer.
pub(crate) type Identity<'a> = (&'a Credentials, AccessKey<'a>);

/// The derived key of the last signature, and what it was derived from.
#[derive(Debug, Default)]
struct KeptKey {
    key: Option<SigningKey>,
    origin: Option<Origin>,
}

impl KeptKey {
    /// The key for this service, secret and day: the kept one, or the one to keep.
    fn of(
        &mut self,
        service: &Service,
        (credentials, access): Identity<'_>,
        scope: &Scope<'_>,
    ) -> &SigningKey {
        let day = scope.time.as_secs().div_euclid(SECS_PER_DAY);
        // To know them again costs less than the digest by which the key knows what it is for.
        let is_known = self.origin.as_ref().is_some_and(|origin| origin.is(service, &access, day));
        if !is_known {
            self.key = self.key.take().filter(|key| key.is_for(&access, scope));
            self.origin = Some(Origin { service: service.clone(), credentials: credentials.clone(), day });
        }
        self.key.get_or_insert_with(|| SigningKey::derive(&access, scope))
    }
}

/// Holds on to what it is compared with, so that the same address is the same thing.
#[derive(Debug)]
struct Origin {
    service: Service,
    credentials: Credentials,
    day: i64,
}

impl Origin {
    fn is(&self, service: &Service, access: &AccessKey<'_>, day: i64) -> bool {
        let secret = self.credentials.access_key().map(|access| access.secret);
        self.day == day
            && self.service.is_same(service)
            && secret.is_some_and(|secret| core::ptr::eq(secret, access.secret))
    }
}

impl Composer {
    /// Why OSS found another signature than that of this draft at this time, in a sentence; `None` when it
    /// was not signed.
    ///
    /// It is composed once more, so that nothing has to be kept of a request that succeeds.
    pub(crate) fn explain(
        &mut self,
        draft: &Draft,
        service: &Service,
        credentials: &Credentials,
        now: UnixTime,
        error: &ServiceError,
    ) -> Option<String> {
        let access = credentials.access_key()?;
        let bucket = check(draft, service).ok()?;
        let address = service.endpoint.address(bucket, draft.key.as_ref());
        let query: Vec<_> = query_pairs(draft).collect();
        let length = content_length(draft);
        let headers = Headers::of(draft, service, &address.authority, length.as_ref(), Vec::new());
        let additional = additional(service);
        let request = to_sign(draft, bucket, &query, &headers.pairs, &additional);
        let ours = self.signer.sign(draft, service, (credentials, access), now, &request).ok()?;
        let field = |name| error.field(name).unwrap_or_default();
        let theirs = Theirs {
            string_to_sign: field("StringToSign"),
            canonical_request: field("CanonicalRequest"),
            access_key_id: field("OSSAccessKeyId"),
            signature_provided: field("SignatureProvided"),
        };
        let text = explain(&theirs, &ours, access.id).to_string();
        let is_secret =
            [access.secret, access.token.unwrap_or_default()].into_iter().any(|s| shows(&text, s));
        // A peer may put what it was sent where the comparison expects no secret.
        Some(if is_secret { Explanation::Unknown.to_string() } else { text })
    }
}

/// The end of what is valid from now on.
pub(crate) fn ends_at(now: UnixTime, valid_for: Duration) -> UnixTime {
    now.saturating_add(i64::try_from(valid_for.as_secs()).unwrap_or(i64::MAX))
}

/// Why OSS does not take the region of a request, in a sentence.
pub(crate) fn explain_region(service: &Service, host: &str) -> Option<String> {
    let ours = scope_region(service)?;
    // `bucket.oss-cn-hangzhou-internal.aliyuncs.com`
    let mut labels = host.split(['.', ':']).filter_map(|label| label.strip_prefix("oss-"));
    let theirs = labels.next().map(|label| label.strip_suffix("-internal").unwrap_or(label));
    Some(match theirs.filter(|theirs| *theirs != ours && Region::parse(*theirs).is_ok()) {
        Some(theirs) => format!(
            "signed for the region `{ours}`, but the endpoint is of `{theirs}`: set the region of the bucket"
        ),
        None => format!("signed for the region `{ours}`, which is not that of the bucket: set that one"),
    })
}

/// By how much the clock here is wrong, in a sentence.
pub(crate) fn explain_clock(ahead_secs: i64) -> String {
    let (seconds, side) = (ahead_secs.unsigned_abs(), if ahead_secs < 0 { "behind" } else { "ahead of" });
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let amount = match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes} min"),
        _ => format!("{hours} h {minutes} min"),
    };
    format!("the clock here is {amount} {side} that of OSS: set it right")
}

/// Whether a text shows a secret, or the beginning of one; a very short one is no secret.
fn shows(text: &str, secret: &str) -> bool {
    let beginning = secret.char_indices().nth(SECRET_CHARS_MIN).map_or(secret, |(end, _)| &secret[..end]);
    secret.chars().nth(SECRET_CHARS_MIN - 1).is_some() && text.contains(beginning)
}

fn scope<'a>(draft: &Draft, service: &'a Service, time: UnixTime) -> Result<Scope<'a>, InvalidRequest> {
    let region = scope_region(service).ok_or_else(|| {
        let problem = "signature V4 needs the region of the bucket, such as `cn-hangzhou`; set it";
        draft.invalid("region", InvalidValue::new(problem))
    })?;
    Ok(Scope { region, product: &service.product, time })
}

/// What stands in a scope as the region.
fn scope_region(service: &Service) -> Option<&str> {
    match &service.cloud_box {
        Some(cloud_box) => Some(cloud_box.as_str()),
        None => service.region.as_ref().map(Region::as_str),
    }
}

const SECS_PER_DAY: i64 = 86_400;
/// Shorter ones occur in any sentence.
const SECRET_CHARS_MIN: usize = 8;
