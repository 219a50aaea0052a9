//! Signature ACS3-HMAC-SHA256, verified slowly and obviously from the document "V3 request structure and
//! signature": HMAC-SHA256 over method, path, query, named headers and the digest of the body.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::AUTHORIZATION;
use percent_encoding::utf8_percent_encode;
use sha2::{Digest as _, Sha256};

use crate::auth::hex;
use crate::sts::Call;
use crate::sts::actions::{Proof, check_time};
use crate::sts::parameters::decoded;
use crate::sts::speech::Refusal;
use crate::xml::UNRESERVED;

/// Reads what the headers prove, and checks what can be checked without the secret.
pub(crate) fn proof(call: &Call, now: Duration) -> Result<Proof, Refusal> {
    let authorization = call.header(AUTHORIZATION.as_str()).unwrap_or_default();
    let claim = Claim::parse(&authorization)?;
    let required = |name: &'static str| call.header(name).ok_or_else(|| Refusal::missing(name));
    let date = required("x-acs-date")?;
    let nonce = required("x-acs-signature-nonce")?;
    let digest = required("x-acs-content-sha256")?;
    check_time(&date, LATE_MAX, now)?;
    // "Every common header of the request except Authorization must be signed."
    let common = call.headers.keys().map(http::HeaderName::as_str);
    let mut common = common.filter(|name| name.starts_with("x-acs-") || *name == "host");
    let is_signed = |name: &str| claim.signed.iter().any(|other| other == name);
    if let Some(name) = common.find(|name| !is_signed(name)) {
        let why = format!("The header {name} is sent, and is not among the signed headers.");
        return Err(Refusal::new(400, "IncompleteSignature", why));
    }
    if digest != hex(&Sha256::digest(&call.body)) {
        let why = "x-acs-content-sha256 is not the SHA-256 of the body.";
        return Err(Refusal::new(400, "SignatureDoesNotMatch", why));
    }
    let canonical = canonical_request(call, &claim.signed, &digest);
    Ok(Proof {
        key_id: claim.key_id,
        nonce,
        signature: claim.signature,
        token: call.header("x-acs-security-token"),
        string_to_sign: format!("{ALGORITHM}\n{}", hex(&Sha256::digest(canonical.as_bytes()))),
        canonical_request: Some(canonical),
    })
}

/// The hexadecimal HMAC-SHA256 under the secret itself.
pub(crate) fn signature(secret: &str, string_to_sign: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(string_to_sign.as_bytes());
    hex(&mac.finalize().into_bytes())
}

/// What `Authorization` says.
struct Claim {
    key_id: String,
    signed: Vec<String>,
    signature: String,
}

impl Claim {
    fn parse(authorization: &str) -> Result<Self, Refusal> {
        let incomplete = || {
            let why = "The request signature does not conform to Aliyun standards.";
            Refusal::new(400, "IncompleteSignature", why)
        };
        let rest = authorization.strip_prefix(ALGORITHM).ok_or_else(incomplete)?;
        let pairs: Vec<(&str, &str)> =
            rest.split(',').filter_map(|pair| pair.trim().split_once('=')).collect();
        let value = |name: &str| {
            let pair = pairs.iter().find(|(other, value)| *other == name && !value.is_empty());
            pair.map(|(_, value)| value.to_string()).ok_or_else(incomplete)
        };
        let signed = value("SignedHeaders")?;
        let mut signed: Vec<String> = signed.split(';').map(str::to_ascii_lowercase).collect();
        signed.sort_unstable();
        Ok(Self { key_id: value("Credential")?, signed, signature: value("Signature")? })
    }
}

fn canonical_request(call: &Call, signed: &[String], digest: &str) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
    let mut query: Vec<String> = decoded(&call.query)
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    query.sort_unstable();
    let lines = signed.iter().map(|name| {
        let value = match name.as_str() {
            "host" => Some(call.host.clone()),
            name => call.header(name),
        };
        format!("{name}:{}\n", value.unwrap_or_default())
    });
    let (method, path, query) = (call.method.as_str(), &call.path, query.join("&"));
    let (lines, signed) = (lines.collect::<String>(), signed.join(";"));
    format!("{method}\n{path}\n{query}\n{lines}\n{signed}\n{digest}")
}

pub(crate) const ALGORITHM: &str = "ACS3-HMAC-SHA256";
/// "The time must be within 15 minutes before the request is received."
const LATE_MAX: Duration = Duration::from_secs(15 * 60);
