//! `ACS3-HMAC-SHA256`, the newer signature of Alibaba Cloud's interfaces other than OSS.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    AccessKey, UnixTime,
    canonical::{text, trim},
    encode::sorted_query,
    scratch::hex,
};

/// A call to an interface such as STS, to be signed with the secret itself; no key is derived.
///
/// `Debug` shows only names, as a policy or a token may be among the values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Acs3Call<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The host that the call goes to, as in the `host` header.
    pub host: &'a str,
    /// The path, encoded; `/` for an interface like that of STS.
    pub path: &'a str,
    /// The query, decoded.
    pub query: &'a [(&'a str, &'a str)],
    /// The `content-type` header, if the call has one.
    pub content_type: Option<&'a str>,
    /// The body; empty for none.
    pub body: &'a [u8],
    /// The name of the action.
    pub action: &'a str,
    /// The version of the interface; `2015-04-01` for STS.
    pub version: &'a str,
    /// A text that no call of this key had before; a retry needs a new one.
    pub nonce: &'a str,
    /// The moment of signing; it may be 15 minutes off.
    pub time: UnixTime,
}

impl Acs3Call<'_> {
    /// The headers to add, `authorization` last; `host` and `content-type` are signed and must be sent as
    /// given.
    ///
    /// Source: the document "V3 request structure and signature". The values of `x-acs-security-token` and
    /// `authorization` are secrets.
    #[must_use]
    pub fn sign(&self, key: &AccessKey<'_>) -> Vec<(&'static str, String)> {
        let digest = digest(self.body);
        let mut added = Vec::from([
            ("x-acs-action", self.action.to_owned()),
            ("x-acs-content-sha256", digest.clone()),
            ("x-acs-date", self.time.iso_extended().as_str().to_owned()),
        ]);
        added.extend(key.token().map(|token| ("x-acs-security-token", token.to_owned())));
        added.push(("x-acs-signature-nonce", self.nonce.to_owned()));
        added.push(("x-acs-version", self.version.to_owned()));

        let content_type = self.content_type.map(|value| ("content-type", value));
        let headers = content_type.into_iter().chain([("host", self.host)]);
        let headers = headers.chain(added.iter().map(|(name, value)| (*name, value.as_str())));
        // The token is among the lines, so they have room from the start and are wiped.
        let line = |(name, value): (&str, &str)| name.len() + value.len() + 2;
        let room = headers.clone().map(line).sum();
        let (mut lines, mut names) = (Zeroizing::new(String::with_capacity(room)), String::new());
        for (name, value) in headers {
            [name, ":", trim(value), "\n"].into_iter().for_each(|part| lines.push_str(part));
            let separator = if names.is_empty() { "" } else { ";" };
            names.push_str(separator);
            names.push_str(name);
        }
        let query = sorted_query(self.query);
        let canonical =
            Zeroizing::new([self.method, self.path, text(&query), &lines, &names, &digest].join("\n"));
        let to_sign = format!("{ALGORITHM}\n{}", self::digest(canonical.as_bytes()));
        let mac =
            Hmac::<Sha256>::new_from_slice(key.secret.as_bytes()).expect("HMAC takes a key of any length");
        let signature = digits(&mac.chain_update(to_sign).finalize().into_bytes().into());
        let authorization =
            format!("{ALGORITHM} Credential={},SignedHeaders={names},Signature={signature}", key.id);
        added.push(("authorization", authorization));
        added
    }
}

impl fmt::Debug for Acs3Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acs3Call")
            .field("method", &self.method)
            .field("host", &self.host)
            .field("action", &self.action)
            .field("query", &crate::Names(self.query))
            .finish_non_exhaustive()
    }
}

fn digest(bytes: &[u8]) -> String {
    digits(&Sha256::digest(bytes).into())
}

fn digits(digest: &[u8; 32]) -> String {
    hex(digest).map(char::from).iter().collect()
}

const ALGORITHM: &str = "ACS3-HMAC-SHA256";

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked examples of the vendor's document.
    #[test]
    fn the_examples_of_the_document_are_reproduced() {
        let table = [
            (
                "2023-10-26T10:22:32Z",
                "3156853299f313e23d1673dc12e1703d",
                "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0",
            ),
            (
                "2023-10-26T09:01:01Z",
                "d410180a5abf7fe235dd9b74aca91fc0",
                "e521358f7776c97df52e6b2891a8bc73026794a071b50c3323388c4e0df64804",
            ),
        ];
        for (time, nonce, signature) in table {
            let call = Acs3Call {
                method: "POST",
                host: "ecs.cn-shanghai.aliyuncs.com",
                path: "/",
                query: &[
                    ("RegionId", "cn-shanghai"),
                    ("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"),
                ],
                content_type: None,
                body: b"",
                action: "RunInstances",
                version: "2014-05-26",
                nonce,
                time: UnixTime::parse_iso_extended(time).expect("a date"),
            };
            let key = AccessKey { id: "YourAccessKeyId", secret: "YourAccessKeySecret", token: None };
            let added = call.sign(&key);
            let expected = format!(
                "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;\
                 x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature={signature}"
            );
            assert_eq!(added.last(), Some(&("authorization", expected)));
            let with = Acs3Call { content_type: Some("application/json"), body: b"{}", ..call };
            let with = with.sign(&AccessKey { token: Some("token"), ..key });
            let (_, authorization) = with.last().expect("the signature is last");
            let names = "SignedHeaders=content-type;host;x-acs-action;x-acs-content-sha256;x-acs-date;\
                         x-acs-security-token;x-acs-signature-nonce;x-acs-version,";
            assert!(authorization.contains(names), "{authorization}");
            let shown = format!("{call:?}");
            assert!(shown.contains("RegionId") && !shown.contains("win2019"), "{shown}");
        }
    }
}
