//! Calls to STS, signed as the documents say: RPC 1.0 in the query or the body, and ACS3.

use base64ct::{Base64, Encoding as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::utf8_percent_encode;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::{Answer, Bench, UNRESERVED};

/// Where the parameters of a call are, and how it is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    RpcQuery,
    RpcBody,
    Acs3Query,
    Acs3Body,
}

pub(crate) const WAYS: [Way; 4] = [Way::RpcQuery, Way::RpcBody, Way::Acs3Query, Way::Acs3Body];

/// An access key, with a token or without.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
}

impl Key {
    pub(crate) fn new(id: &str, secret: &str, token: Option<&str>) -> Self {
        Self { id: id.to_owned(), secret: secret.to_owned(), token: token.map(str::to_owned) }
    }

    /// The credentials of an answer in JSON.
    pub(crate) fn of(answer: &Answer) -> Self {
        let token = answer.json("SecurityToken");
        Self { id: answer.json("AccessKeyId"), secret: answer.json("AccessKeySecret"), token: Some(token) }
    }
}

/// A call of an action, and what a test changes in it.
#[derive(Clone, Debug)]
pub(crate) struct Sts<'t> {
    pub(crate) way: Way,
    pub(crate) key: Key,
    pub(crate) action: &'t str,
    pub(crate) nonce: String,
    pub(crate) signed_at: String,
    pub(crate) version: &'t str,
    /// Comes behind the parameters, after they were signed.
    pub(crate) smuggled: &'t str,
}

impl<'t> Sts<'t> {
    pub(crate) fn new(way: Way, action: &'t str, bench: &mut Bench) -> Self {
        bench.calls += 1;
        Self {
            way,
            key: Key::new("id", super::SECRET, None),
            action,
            nonce: format!("nonce-{}", bench.calls),
            signed_at: super::iso_seconds(bench.now),
            version: "2015-04-01",
            smuggled: "",
        }
    }

    pub(crate) fn send(&self, bench: &mut Bench, parameters: &[(&str, &str)]) -> Answer {
        match self.way {
            Way::RpcQuery | Way::RpcBody => self.rpc(bench, parameters),
            Way::Acs3Query | Way::Acs3Body => self.acs3(bench, parameters),
        }
    }

    fn rpc(&self, bench: &mut Bench, parameters: &[(&str, &str)]) -> Answer {
        let mut pairs = parameters.to_vec();
        pairs.extend([
            ("Action", self.action),
            ("Version", self.version),
            ("AccessKeyId", &self.key.id),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureVersion", "1.0"),
            ("SignatureNonce", &self.nonce),
            ("Timestamp", &self.signed_at),
        ]);
        if !parameters.iter().any(|(name, _)| *name == "Format") {
            pairs.push(("Format", "JSON"));
        }
        pairs.extend(self.key.token.as_deref().map(|token| ("SecurityToken", token)));
        pairs.sort_unstable();
        let method = if self.way == Way::RpcQuery { "GET" } else { "POST" };
        let text = format!("{method}&%2F&{}", encoded(&query(&pairs)));
        let mut mac = Hmac::<Sha1>::new_from_slice(format!("{}&", self.key.secret).as_bytes()).unwrap();
        mac.update(text.as_bytes());
        let signature = Base64::encode_string(&mac.finalize().into_bytes());
        pairs.push(("Signature", &signature));
        let text = query(&pairs) + self.smuggled;
        match self.way {
            Way::RpcQuery => bench.raw(method, "/", &text, &[], b""),
            _ => bench.raw(method, "/", "", &[FORM], text.as_bytes()),
        }
    }

    fn acs3(&self, bench: &mut Bench, parameters: &[(&str, &str)]) -> Answer {
        let mut pairs = parameters.to_vec();
        pairs.sort_unstable();
        let (query, body) = match self.way {
            Way::Acs3Query => (query(&pairs), String::new()),
            _ => (String::new(), query(&pairs)),
        };
        let digest = hex(&Sha256::digest(&body));
        let mut headers = vec![
            ("host", "127.0.0.1"),
            ("x-acs-action", self.action),
            ("x-acs-content-sha256", &digest),
            ("x-acs-date", &self.signed_at),
            ("x-acs-signature-nonce", &self.nonce),
            ("x-acs-version", self.version),
        ];
        headers.extend(self.key.token.as_deref().map(|token| ("x-acs-security-token", token)));
        headers.sort_unstable();
        let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical = format!("POST\n/\n{query}\n{lines}\n{names}\n{digest}");
        let text = format!("ACS3-HMAC-SHA256\n{}", hex(&Sha256::digest(canonical)));
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.secret.as_bytes()).unwrap();
        mac.update(text.as_bytes());
        let signature = hex(&mac.finalize().into_bytes());
        let id = &self.key.id;
        let authorization =
            format!("ACS3-HMAC-SHA256 Credential={id},SignedHeaders={names},Signature={signature}");
        headers.retain(|(name, _)| *name != "host");
        headers.push(("authorization", &authorization));
        headers.push(FORM);
        let (query, body) = match self.way {
            Way::Acs3Query => (query + self.smuggled, body),
            _ => (query, body + self.smuggled),
        };
        bench.raw("POST", "/", &query, &headers, body.as_bytes())
    }
}

pub(crate) fn query(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
