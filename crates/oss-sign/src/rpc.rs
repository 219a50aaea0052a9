//! The signature of Alibaba Cloud's RPC interface, version 1.0: HMAC-SHA1 over the parameters.

use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::fmt;

use zeroize::Zeroizing;

use crate::{
    AccessKey, UnixTime,
    encode::{Pen, sorted_query},
    sha1_mac::{SIGNATURE_BYTES, hmac_sha1},
};

/// A call to an RPC interface such as STS, to be signed.
///
/// `Debug` shows only the names of the parameters: a policy or a token may be among their values.
///
/// ```
/// use oss_sign::{AccessKey, RpcCall, UnixTime};
///
/// let call = RpcCall {
///     method: "POST",
///     action: "AssumeRole",
///     version: "2015-04-01",
///     parameters: &[("RoleArn", "acs:ram::1:role/r"), ("RoleSessionName", "s")],
///     nonce: "a-text-that-was-never-used-before",
///     time: UnixTime::from_secs(1_701_605_532),
/// };
/// let added = call.sign(&AccessKey { id: "ak", secret: "sk", token: None });
/// assert_eq!(added.last().map(|(name, _)| *name), Some("Signature"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RpcCall<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// The name of the action.
    pub action: &'a str,
    /// The version of the interface; `2015-04-01` for STS.
    pub version: &'a str,
    /// The action's own parameters, decoded, wherever they are sent: in the query or as a form.
    pub parameters: &'a [(&'a str, &'a str)],
    /// A text that no call of this key had before; a retry needs a new one.
    pub nonce: &'a str,
    /// The moment of signing; the call holds for 31 minutes after it.
    pub time: UnixTime,
}

impl RpcCall<'_> {
    /// The parameters to add to the action's own: the common ones, with JSON as the format of the answer, and
    /// `Signature` last.
    ///
    /// Source: the RAM document "STS signature mechanism". The values of `SecurityToken` and `Signature` are
    /// secrets.
    #[must_use]
    pub fn sign(&self, key: &AccessKey<'_>) -> Vec<(&'static str, String)> {
        let mut added = Vec::from([
            ("Action", self.action.to_owned()),
            ("Version", self.version.to_owned()),
            ("Format", "JSON".to_owned()),
            ("AccessKeyId", key.id.to_owned()),
            ("SignatureMethod", "HMAC-SHA1".to_owned()),
            ("SignatureVersion", "1.0".to_owned()),
            ("SignatureNonce", self.nonce.to_owned()),
            ("Timestamp", self.time.iso_extended().as_str().to_owned()),
        ]);
        added.extend(key.token().map(|token| ("SecurityToken", token.to_owned())));
        let own = added.iter().map(|(name, value)| (*name, value.as_str()));
        let all = self.parameters.iter().copied().chain(own).collect::<Vec<_>>();
        let signature = rpc_signature(self.method, &all, key.secret);
        added.push(("Signature", signature));
        added
    }
}

impl fmt::Debug for RpcCall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RpcCall")
            .field("method", &self.method)
            .field("action", &self.action)
            .field("parameters", &crate::Names(self.parameters))
            .finish_non_exhaustive()
    }
}

/// The value of `Signature` over all other parameters of a call, decoded and in any order.
#[must_use]
pub fn rpc_signature(method: &str, parameters: &[(&str, &str)], secret: &str) -> String {
    let canonical = sorted_query(parameters);
    let mut to_sign = Zeroizing::new(alloc::vec![0; method.len() + 5 + 3 * canonical.len() + Pen::SLACK]);
    let mut pen = Pen::new(&mut to_sign, 0);
    pen.push(method.as_bytes());
    pen.push(b"&%2F&");
    pen.component(&canonical);
    let end = pen.at();
    let mut key = Zeroizing::new(Vec::with_capacity(secret.len() + 1));
    key.extend_from_slice(secret.as_bytes());
    key.push(b'&');
    hmac_sha1(&key, &to_sign[..end], &mut [0; SIGNATURE_BYTES]).to_owned()
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    const STS: [(&str, &str); 10] = [
        ("SignatureVersion", "1.0"),
        ("Format", "JSON"),
        ("Timestamp", "2015-09-01T05:57:34Z"),
        ("RoleArn", "acs:ram::1234567890123:role/firstrole"),
        ("RoleSessionName", "client"),
        ("AccessKeyId", "testid"),
        ("SignatureMethod", "HMAC-SHA1"),
        ("Version", "2015-04-01"),
        ("Action", "AssumeRole"),
        ("SignatureNonce", "571f8fb8-506e-11e5-8e12-b8e8563dc8d2"),
    ];

    /// The worked examples of the vendor's documents.
    #[test]
    fn the_examples_of_the_documents_are_reproduced() {
        assert_eq!(rpc_signature("GET", &STS, "testsecret"), "gNI7b0AyKZHxDgjBGPDgJ1Ce3L4=");
        let mut ecs = [
            ("Timestamp", "2016-02-23T12:46:24Z"),
            ("Format", "XML"),
            ("AccessKeyId", "testid"),
            ("Action", "DescribeRegions"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureNonce", "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"),
            ("Version", "2014-05-26"),
            ("SignatureVersion", "1.0"),
        ];
        assert_eq!(rpc_signature("GET", &ecs, "testsecret"), "OLeaidS1JvxuMvnyHOwuJ+uX5qY=");
        // As the page misspells it.
        ecs[0].0 = "TimeStamp";
        assert_eq!(rpc_signature("GET", &ecs, "testsecret"), "CT9X0VtwR86fNWSnsc6v8YGOjuE=");
    }

    #[test]
    fn a_call_adds_what_it_signs() {
        let time = UnixTime::parse_iso_extended("2015-09-01T05:57:34Z").expect("a date");
        let call = RpcCall {
            method: "GET",
            action: "AssumeRole",
            version: "2015-04-01",
            parameters: &[("RoleArn", STS[3].1), ("RoleSessionName", "client")],
            nonce: STS[9].1,
            time,
        };
        let key = AccessKey { id: "testid", secret: "testsecret", token: None };
        let added = call.sign(&key);
        assert_eq!(added.last(), Some(&("Signature", "gNI7b0AyKZHxDgjBGPDgJ1Ce3L4=".to_owned())));
        let with_token = call.sign(&AccessKey { token: Some("token"), ..key });
        assert!(with_token.contains(&("SecurityToken", "token".to_owned())));
        assert_ne!(with_token.last(), added.last());
        let shown = format!("{call:?}");
        assert!(shown.contains("RoleArn") && !shown.contains("firstrole"), "{shown}");
    }

    #[test]
    fn a_space_in_a_policy_is_encoded_twice_as_percent_20() {
        let parameters = [
            ("Action", "AssumeRole"),
            ("Format", "JSON"),
            ("Version", "2015-04-01"),
            ("Timestamp", "2023-12-03T12:12:12Z"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureVersion", "1.0"),
            ("SignatureNonce", "nonce-1"),
            ("AccessKeyId", "ak"),
            ("RoleArn", "acs:ram::1234567890:role/example"),
            ("RoleSessionName", "session"),
            ("DurationSeconds", "3600"),
            ("Policy", r#"{"Statement": [{"Effect": "Allow"}]}"#),
        ];
        assert_eq!(rpc_signature("GET", &parameters, "sk"), "VMo3SWBDO6QOvrCxmou87Jh4cBc=");
        assert_eq!(rpc_signature("POST", &parameters, "sk"), "yQjP6fq2G3MDtnmdZJ8qvDSX+SM=");
    }
}
