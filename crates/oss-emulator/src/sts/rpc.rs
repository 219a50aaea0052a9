//! Signature RPC 1.0, verified slowly and obviously from the document "Request syntax and signature method V2
//! for RPC APIs": HMAC-SHA1 over the sorted parameters.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use base64ct::{Base64, Encoding as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::utf8_percent_encode;
use sha1::Sha1;

use crate::sts::Call;
use crate::sts::actions::{Proof, check_time};
use crate::sts::parameters::Parameters;
use crate::sts::speech::Refusal;
use crate::xml::UNRESERVED;

/// Reads what the parameters prove, and checks what can be checked without the secret.
pub(crate) fn proof(call: &Call, parameters: &Parameters, now: Duration) -> Result<Proof, Refusal> {
    let required = |name| parameters.required(name).map(String::from);
    let (key_id, signature) = (required("AccessKeyId")?, required("Signature")?);
    let (method, version) = (required("SignatureMethod")?, required("SignatureVersion")?);
    let (nonce, timestamp) = (required("SignatureNonce")?, required("Timestamp")?);
    if method != "HMAC-SHA1" {
        let why = "Specified signature method is not valid.";
        return Err(Refusal::new(400, "InvalidSignatureMethod", why));
    }
    if version != "1.0" {
        let why = "Specified signature version is not valid.";
        return Err(Refusal::new(400, "InvalidSignatureVersion", why));
    }
    check_time(&timestamp, LATE_MAX, now)?;
    Ok(Proof {
        key_id,
        nonce,
        signature,
        token: parameters.value("SecurityToken").map(String::from),
        string_to_sign: string_to_sign(call.method.as_str(), parameters.pairs()),
        canonical_request: None,
    })
}

/// `METHOD&%2F&` and the sorted parameters without the signature, encoded twice.
pub(crate) fn string_to_sign(method: &str, pairs: &[(String, String)]) -> String {
    let mut pairs: Vec<&(String, String)> = pairs.iter().filter(|(name, _)| name != "Signature").collect();
    pairs.sort();
    let pairs: Vec<String> =
        pairs.into_iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    format!("{method}&{}&{}", encoded("/"), encoded(&pairs.join("&")))
}

/// Base64 of the HMAC-SHA1 under the secret and a `&`.
pub(crate) fn signature(secret: &str, string_to_sign: &str) -> String {
    let key = format!("{secret}&");
    let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(string_to_sign.as_bytes());
    Base64::encode_string(&mac.finalize().into_bytes())
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).collect()
}

/// "Requests are valid for 31 minutes after the timestamp."
const LATE_MAX: Duration = Duration::from_secs(31 * 60);
