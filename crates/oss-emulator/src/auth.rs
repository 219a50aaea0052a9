//! Who sends a request: OSS signatures V4 and V1, verified slowly and obviously, from the documents alone
//! (OSS documents "Include a V4 signature in the Authorization header" and "… in a URL").

mod v1;

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::AUTHORIZATION;
use percent_encoding::utf8_percent_encode;
use sha2::{Digest as _, Sha256};

use crate::config::{AccessKey, Config};
use crate::fault::Fault;
use crate::request::Request;
use crate::time::{iso_basic, iso_extended, parse_http_date, parse_iso_basic};
use crate::xml::UNRESERVED;

pub(crate) use crate::auth::v1::signature as v1_signature;

/// Who sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    Anonymous,
    Owner,
}

/// Verifies the signature of a request, wherever it is; no signature at all is [`Identity::Anonymous`].
pub(crate) fn authenticate(request: &Request, config: &Config, now: Duration) -> Result<Identity, Fault> {
    let header = request.headers.get(AUTHORIZATION);
    let in_url = ["x-oss-signature", "x-oss-signature-version", "x-oss-credential"]
        .iter()
        .any(|name| request.query.has(name));
    let claim = match (header, in_url) {
        (Some(_), true) => {
            let why = "A request may be signed in the header or in the URL, not in both.";
            return Err(Fault::bad_authorization("", why));
        }
        (Some(value), false) => {
            let text = core::str::from_utf8(value.as_bytes()).unwrap_or("");
            if text.starts_with("OSS ") {
                refuse_both(request)?;
                return v1::check_header(text, request, config, now).map(|()| Identity::Owner);
            }
            Claim::of_header(text, request)?
        }
        (None, true) => Claim::of_url(request)?,
        (None, false) if has_v1_parameter(request) => {
            return v1::check_url(request, config, now).map(|()| Identity::Owner);
        }
        (None, false) => return Ok(Identity::Anonymous),
    };
    let key = known_key(config, &claim.scope.key_id)?;
    check_token(key, &claim.scope.key_id, claim.token.as_deref(), now)?;
    claim.check_time(key, now)?;
    claim.scope.check(&claim.long_date, config)?;
    claim.check_signature(key, request)?;
    Ok(Identity::Owner)
}

fn has_v1_parameter(request: &Request) -> bool {
    ["OSSAccessKeyId", "Signature"].iter().any(|name| request.query.has(name))
}

fn refuse_both(request: &Request) -> Result<(), Fault> {
    if has_v1_parameter(request) {
        let why = "A request may be signed in the header or in the URL, not in both.";
        return Err(Fault::bad_authorization("", why));
    }
    Ok(())
}

/// The scope of a V4 credential.
pub(crate) struct Scope {
    pub(crate) key_id: String,
    date: String,
    region: String,
    product: String,
}

impl Scope {
    /// Reads `id/yyyymmdd/region/product/aliyun_v4_request`.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        // An access key id has no slash, but reading from the right costs nothing.
        let mut parts = text.rsplitn(5, '/');
        let mut next = || parts.next().unwrap_or("").to_owned();
        let (end, product, region, date, key_id) = (next(), next(), next(), next(), next());
        if end != TERMINATOR || key_id.is_empty() {
            let why = "The credential must be id/yyyymmdd/region/product/aliyun_v4_request.";
            return Err(Fault::bad_authorization("0002-00000213", why));
        }
        if date.len() != 8 || !date.bytes().all(|byte| byte.is_ascii_digit()) {
            let why = "The date in the credential must be yyyymmdd.";
            return Err(Fault::bad_authorization("0002-00000212", why));
        }
        Ok(Self { key_id, date, region, product })
    }

    /// Compares the scope with the signing time and with what the server is.
    pub(crate) fn check(&self, long_date: &str, config: &Config) -> Result<(), Fault> {
        let (ec, why) = if self.date != long_date.get(..8).unwrap_or("") {
            ("0002-00000223", format!("The date in the credential is not the day of {long_date}."))
        } else if self.region != config.region {
            let why = format!(
                "Invalid signing region in Authorization header: the bucket is in {}.",
                config.region
            );
            ("0002-00000226", why)
        } else if self.product != config.product {
            ("0002-00000213", format!("The product in the credential must be {}.", config.product))
        } else {
            return Ok(());
        };
        Err(Fault::bad_authorization(ec, why))
    }

    /// The hexadecimal signature of a message under this scope.
    pub(crate) fn signature(&self, secret: &str, message: &[u8]) -> String {
        let day = hmac(format!("aliyun_v4{secret}").as_bytes(), self.date.as_bytes());
        let region = hmac(&day, self.region.as_bytes());
        let product = hmac(&region, self.product.as_bytes());
        let signing_key = hmac(&product, TERMINATOR.as_bytes());
        hex(&hmac(&signing_key, message))
    }
}

pub(crate) fn known_key<'c>(config: &'c Config, id: &str) -> Result<&'c AccessKey, Fault> {
    config.key(id).ok_or_else(|| unknown_key(id))
}

pub(crate) fn check_token(
    key: &AccessKey,
    id: &str,
    token: Option<&str>,
    now: Duration,
) -> Result<(), Fault> {
    match (&key.token, token) {
        (None, None) => Ok(()),
        (None, Some(_)) => {
            let why = "The access key and the security token do not belong together.";
            Err(Fault::new(403, "AccessKeyIdAndSecurityTokenNotMatch", "0002-00000004", why))
        }
        // OSS does not find a temporary key that comes without its token.
        (Some(_), None) => Err(unknown_key(id)),
        (Some(expected), Some(token)) if expected.text != token => {
            let why = "The security token you provided is invalid.";
            Err(Fault::new(403, "InvalidSecurityToken", "0002-00000006", why))
        }
        (Some(expected), Some(_)) if now >= expected.expires_at => {
            let why = "The security token you provided has expired.";
            Err(Fault::new(403, "SecurityTokenExpired", "0002-00000007", why))
        }
        (Some(_), Some(_)) => Ok(()),
    }
}

fn unknown_key(id: &str) -> Fault {
    let why = "The OSS Access Key Id you provided does not exist in our records.";
    Fault::new(403, "InvalidAccessKeyId", "0002-00000902", why).with("OSSAccessKeyId", id)
}

fn check_skew(time: Duration, now: Duration) -> Result<(), Fault> {
    if time.as_secs().abs_diff(now.as_secs()) <= SKEW_SECS_MAX {
        return Ok(());
    }
    let why = "The difference between the request time and the current time is too large.";
    Err(Fault::new(403, "RequestTimeTooSkewed", "0002-00000504", why)
        .with("MaxAllowedSkewMilliseconds", (SKEW_SECS_MAX * 1000).to_string())
        .with("RequestTime", iso_extended(time))
        .with("ServerTime", iso_extended(now)))
}

/// What a signed request says about itself.
struct Claim {
    scope: Scope,
    additional: Vec<String>,
    signature: String,
    token: Option<String>,
    /// The signing time as text, for the string to sign.
    long_date: String,
    time: Duration,
    /// Seconds that a URL is valid; `None` in the header form.
    lifetime: Option<u64>,
    payload: String,
}

impl Claim {
    fn of_header(value: &str, request: &Request) -> Result<Self, Fault> {
        let parts = Parts::of_authorization(value)?;
        let scope = Scope::parse(&parts.credential)?;
        let (long_date, time) = signing_time(request)?;
        let payload = request.header("x-oss-content-sha256").unwrap_or("");
        if payload != UNSIGNED_PAYLOAD {
            let why = "x-oss-content-sha256 must be UNSIGNED-PAYLOAD";
            return Err(Fault::invalid_argument("x-oss-content-sha256", payload, "0002-00000214", why));
        }
        Ok(Self {
            scope,
            additional: additional_headers(parts.additional.as_deref(), request)?,
            signature: parts.signature,
            token: request.header("x-oss-security-token").map(ToOwned::to_owned),
            long_date,
            time,
            lifetime: None,
            payload: payload.to_owned(),
        })
    }

    fn of_url(request: &Request) -> Result<Self, Fault> {
        let query = &request.query;
        let required = |name: &'static str| match query.value(name) {
            Some(value) if !value.is_empty() => Ok(value),
            _ => Err(Fault::invalid_argument(name, "", "0002-00000215", "The parameter is required.")),
        };
        let version = required("x-oss-signature-version")?;
        if version != ALGORITHM {
            let why = "Only OSS4-HMAC-SHA256 is supported.";
            return Err(Fault::invalid_argument("x-oss-signature-version", version, "0002-00000218", why));
        }
        let scope = Scope::parse(required("x-oss-credential")?)?;
        let long_date = required("x-oss-date")?;
        let time = parse_iso_basic(long_date).ok_or_else(|| bad_date(long_date))?;
        let expires = required("x-oss-expires")?;
        let lifetime = expires.parse().ok().filter(|seconds| (1..=URL_SECS_MAX).contains(seconds));
        let Some(lifetime) = lifetime else {
            let why = "x-oss-expires must be between 1 and 604800 seconds";
            return Err(Fault::invalid_argument("x-oss-expires", expires, "0002-00000232", why));
        };
        refuse_contradictions(request)?;
        Ok(Self {
            scope,
            additional: additional_headers(query.value("x-oss-additional-headers"), request)?,
            signature: required("x-oss-signature")?.to_owned(),
            token: query.value("x-oss-security-token").map(ToOwned::to_owned),
            long_date: long_date.to_owned(),
            time,
            lifetime: Some(lifetime),
            payload: request.header("x-oss-content-sha256").unwrap_or(UNSIGNED_PAYLOAD).to_owned(),
        })
    }

    fn check_time(&self, key: &AccessKey, now: Duration) -> Result<(), Fault> {
        let (time, now_secs) = (self.time.as_secs(), now.as_secs());
        let Some(lifetime) = self.lifetime else {
            return check_skew(self.time, now);
        };
        if key.token.is_some() && lifetime > URL_SECS_MAX_STS {
            let why = "x-oss-expires must be between 1 and 43200 seconds with a security token";
            return Err(Fault::invalid_argument(
                "x-oss-expires",
                &lifetime.to_string(),
                "0002-00000232",
                why,
            ));
        }
        let ends = time.saturating_add(lifetime);
        let (ec, why) = if now_secs.saturating_add(SKEW_SECS_MAX) < time {
            ("0002-00000235", "Request is not valid yet.")
        } else if now_secs > ends {
            ("0002-00000236", "Request has expired.")
        } else {
            return Ok(());
        };
        Err(Fault::access_denied(ec, why)
            .with("Expires", iso_extended(Duration::from_secs(ends)))
            .with("ServerTime", iso_extended(now)))
    }

    fn string_to_sign(&self, canonical: &[u8]) -> String {
        let Scope { date, region, product, .. } = &self.scope;
        let scope = format!("{date}/{region}/{product}/{TERMINATOR}");
        format!("{ALGORITHM}\n{}\n{scope}\n{}", self.long_date, hex(&Sha256::digest(canonical)))
    }

    fn check_signature(&self, key: &AccessKey, request: &Request) -> Result<(), Fault> {
        let canonical = canonical_request(self, request, false);
        let string_to_sign = self.string_to_sign(&canonical);
        let is_signature_of =
            |text: &str| self.scope.signature(&key.secret, text.as_bytes()) == self.signature;
        if is_signature_of(&string_to_sign) {
            return Ok(());
        }
        // The documents leave open whether an empty value is signed with its equals sign. Most clients leave
        // the sign out even where they send it, one does not.
        let as_sent = canonical_request(self, request, true);
        if as_sent != canonical && is_signature_of(&self.string_to_sign(&as_sent)) {
            return Ok(());
        }
        let why = "The request signature we calculated does not match the signature you provided. Check your \
                   key and signing method.";
        let ec = if self.lifetime.is_some() { "0002-00000201" } else { "0002-00000040" };
        Err(Fault::new(403, "SignatureDoesNotMatch", ec, why)
            .with("OSSAccessKeyId", &self.scope.key_id)
            .with("SignatureProvided", &self.signature)
            .with("StringToSign", &string_to_sign)
            .with("StringToSignBytes", spaced_hex(string_to_sign.as_bytes()))
            .with("CanonicalRequest", String::from_utf8_lossy(&canonical))
            .with("CanonicalRequestBytes", spaced_hex(&canonical)))
    }
}

/// The pairs of an `Authorization` header; they come in any order, with or without spaces.
struct Parts {
    credential: String,
    additional: Option<String>,
    signature: String,
}

impl Parts {
    fn of_authorization(value: &str) -> Result<Self, Fault> {
        let Some(rest) = value.strip_prefix(ALGORITHM).and_then(|rest| rest.strip_prefix(' ')) else {
            return Err(Fault::bad_authorization("0002-00000202", "Unsupported authorization type."));
        };
        let (mut credential, mut additional, mut signature) = (None, None, None);
        for pair in rest.split(',').map(str::trim) {
            let Some((name, text)) = pair.split_once('=') else {
                return Err(Fault::bad_authorization("0002-00000203", "A pair has no equals sign."));
            };
            let slot = match name {
                "Credential" => &mut credential,
                "AdditionalHeaders" => &mut additional,
                "Signature" => &mut signature,
                _ => return Err(Fault::bad_authorization("0002-00000204", "Unknown name in Authorization.")),
            };
            if slot.replace(text.to_owned()).is_some() {
                return Err(Fault::bad_authorization("0002-00000202", "A name is given twice."));
            }
        }
        match (credential, signature) {
            (Some(credential), Some(signature)) => Ok(Self { credential, additional, signature }),
            _ => Err(Fault::bad_authorization("0002-00000202", "Credential or Signature is missing.")),
        }
    }
}

/// `x-oss-date` when it is sent, else `Date`.
fn signing_time(request: &Request) -> Result<(String, Duration), Fault> {
    if let Some(text) = request.header("x-oss-date") {
        let time = parse_iso_basic(text).ok_or_else(|| bad_date(text))?;
        return Ok((text.to_owned(), time));
    }
    let Some(text) = request.header("date") else {
        let why = "The request has neither x-oss-date nor Date.";
        return Err(Fault::bad_authorization("0002-00000503", why));
    };
    let time = parse_http_date(text).ok_or_else(|| bad_date(text))?;
    Ok((iso_basic(time), time))
}

pub(crate) fn bad_date(text: &str) -> Fault {
    let why = "The date must look like 20231216T162057Z.";
    Fault::invalid_argument("x-oss-date", text, "0002-00000505", why)
}

/// The names that are signed on top of the default ones, sorted.
fn additional_headers(list: Option<&str>, request: &Request) -> Result<Vec<String>, Fault> {
    let Some(list) = list else { return Ok(Vec::new()) };
    if list.trim().is_empty() {
        let why = "AdditionalHeaders must not be empty: leave it out.";
        return Err(Fault::bad_authorization("0002-00000209", why));
    }
    let mut names: Vec<String> = list.split(';').map(|name| name.trim().to_ascii_lowercase()).collect();
    names.sort_unstable();
    names.dedup();
    for name in &names {
        if is_signed_by_default(name) {
            let why = "AdditionalHeaders must not list a header that is always signed.";
            return Err(Fault::invalid_argument("AdditionalHeaders", name, "0002-00000077", why));
        }
        if !request.headers.contains_key(name.as_str()) {
            let why = "AdditionalHeaders lists a header that the request does not have.";
            return Err(Fault::invalid_argument("AdditionalHeaders", name, "0002-00000078", why));
        }
    }
    Ok(names)
}

/// A name that is in the query and among the signed headers must have one value.
fn refuse_contradictions(request: &Request) -> Result<(), Fault> {
    for (name, value) in request.query.pairs() {
        let header = if is_signed_by_default(name) { request.header(name) } else { None };
        if header.is_some_and(|header| header != value) {
            let why = "The header and the query parameter of this name differ.";
            return Err(Fault::invalid_argument("header", name, "", why));
        }
    }
    Ok(())
}

pub(crate) fn v1_refused(ec: &'static str) -> Fault {
    Fault::access_denied(ec, "V1 signature is forbidden here: use signature V4.")
}

fn canonical_request(claim: &Claim, request: &Request, as_sent: bool) -> Vec<u8> {
    let encoded = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
    let mut query: Vec<(String, String, bool)> = request
        .query
        .pairs_as_sent()
        .filter(|(name, ..)| claim.lifetime.is_none() || *name != "x-oss-signature")
        .map(|(name, value, has_equals)| (encoded(name), encoded(value), has_equals))
        .collect();
    query.sort_unstable();
    let query: Vec<String> = query
        .into_iter()
        .map(|(name, value, has_equals)| match value.is_empty() && !(as_sent && has_equals) {
            true => name,
            false => format!("{name}={value}"),
        })
        .collect();

    let mut headers: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    for (name, value) in &request.headers {
        let name = name.as_str();
        if is_signed_by_default(name) || claim.additional.iter().any(|other| other == name) {
            let value = value.as_bytes().trim_ascii();
            match headers.get_mut(name) {
                Some(joined) => joined.extend_from_slice(&[b",", value].concat()),
                None => drop(headers.insert(name, value.to_owned())),
            }
        }
    }

    let mut text = Vec::new();
    let lines = [request.method.as_str(), &request.target.canonical_uri(), &query.join("&")];
    for line in lines {
        text.extend_from_slice(line.as_bytes());
        text.push(b'\n');
    }
    for (name, value) in headers {
        text.extend_from_slice(&[name.as_bytes(), b":", &value, b"\n"].concat());
    }
    text.push(b'\n');
    text.extend_from_slice(format!("{}\n{}", claim.additional.join(";"), claim.payload).as_bytes());
    text
}

fn is_signed_by_default(name: &str) -> bool {
    name.starts_with("x-oss-") || name == "content-type" || name == "content-md5"
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn spaced_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(" ")
}

pub(crate) const ALGORITHM: &str = "OSS4-HMAC-SHA256";
const TERMINATOR: &str = "aliyun_v4_request";
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
pub(crate) const SKEW_SECS_MAX: u64 = 15 * 60;
pub(crate) const URL_SECS_MAX: u64 = 7 * 24 * 3600;
const URL_SECS_MAX_STS: u64 = 12 * 3600;

#[cfg(test)]
#[path = "auth_tests.rs"]
mod tests;
