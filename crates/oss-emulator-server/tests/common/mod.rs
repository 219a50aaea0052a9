//! A client by hand: plain sockets, and a V4 signer of its own written from the documents.
#![allow(dead_code)] // Each test file uses its own part.
#![allow(clippy::unwrap_used)]

use core::net::SocketAddr;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use hmac::{Hmac, KeyInit as _, Mac as _};
use oss_emulator_server::{Config, Server};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest as _, Sha256};

pub(crate) const ID: &str = "test-id";
pub(crate) const SECRET: &str = "test-secret";
pub(crate) const BUCKET: &str = "examplebucket";

/// An access key, with a token when it is temporary.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
}

impl Key {
    /// The one that every server of these tests knows.
    pub(crate) fn main() -> Self {
        Self { id: ID.to_owned(), secret: SECRET.to_owned(), token: None }
    }
}

/// A server with one key and one bucket, and a client that knows the key.
pub(crate) fn server() -> (Server, Client) {
    let server = Server::start_on_thread(Config::new("cn-hangzhou").with_access_key(ID, SECRET)).unwrap();
    server.create_bucket(BUCKET);
    let client = Client { address: server.address(), now: server.now().as_secs() };
    (server, client)
}

#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    /// Seconds since the epoch at which requests are signed.
    pub(crate) now: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The first element of this name in the body.
    pub(crate) fn element(&self, name: &str) -> String {
        self.elements(name).into_iter().next().unwrap_or_default()
    }

    pub(crate) fn elements(&self, name: &str) -> Vec<String> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let text = self.text();
        text.split(&open).skip(1).map(|part| part.split(&close).next().unwrap().to_owned()).collect()
    }

    /// The first member of this name in a body of JSON, without escapes.
    pub(crate) fn json(&self, name: &str) -> String {
        let text = self.text();
        let rest = text.split_once(&format!("\"{name}\"")).map_or("", |(_, rest)| rest);
        rest.split('"').nth(1).unwrap_or_default().to_owned()
    }

    /// Status and, for an error, its code.
    pub(crate) fn outcome(&self) -> String {
        format!("{} {}", self.status, self.element("Code")).trim().to_owned()
    }

    pub(crate) fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("the head ends");
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").or_else(|| line.split_once(':')).unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Self { status, headers, body: bytes[end + 4..].to_vec() }
    }
}

impl Client {
    /// A signed request for `key` in the bucket; an empty key is the bucket, and so on.
    pub(crate) fn call(
        &self,
        method: &str,
        key: &str,
        query: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answer {
        self.send(method, &object(key), query, headers, b"")
    }

    pub(crate) fn put(&self, key: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.send("PUT", &object(key), &[], headers, body)
    }

    pub(crate) fn post(&self, key: &str, query: &[(&str, &str)], body: &[u8]) -> Answer {
        self.send("POST", &object(key), query, &[], body)
    }

    /// A signed request for a resource, `/`, `/bucket/` or `/bucket/key`, not yet encoded.
    pub(crate) fn send(
        &self,
        method: &str,
        resource: &str,
        query: &[(&str, &str)],
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let length = body.len().to_string();
        let mut headers = headers.to_vec();
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("transfer-encoding")) {
            headers.push(("Content-Length", &length));
        }
        let head = self.signed_head(method, resource, query, &headers);
        self.exchange(&[head.as_bytes(), body].concat())
    }

    /// The head of a signed request, up to and with the empty line.
    pub(crate) fn signed_head(
        &self,
        method: &str,
        resource: &str,
        query: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> String {
        self.signed_head_as(&Key::main(), method, resource, query, headers)
    }

    pub(crate) fn signed_head_as(
        &self,
        key: &Key,
        method: &str,
        resource: &str,
        query: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> String {
        let date = iso_basic(self.now);
        let mut signed = headers.to_vec();
        signed.push(("x-oss-date", &date));
        signed.push(("x-oss-content-sha256", "UNSIGNED-PAYLOAD"));
        signed.extend(key.token.as_deref().map(|token| ("x-oss-security-token", token)));
        let scope = format!("{}/cn-hangzhou/oss/aliyun_v4_request", &date[..8]);
        let signature = signature(&key.secret, method, resource, query, &signed, &date, &scope);
        let id = &key.id;
        let authorization = format!("OSS4-HMAC-SHA256 Credential={id}/{scope},Signature={signature}");
        signed.push(("Authorization", &authorization));
        self.head(method, &target(resource, query), &signed)
    }

    /// A presigned target: path and query.
    pub(crate) fn presigned(&self, method: &str, resource: &str, seconds: u64) -> String {
        self.presigned_as(&Key::main(), method, resource, seconds)
    }

    pub(crate) fn presigned_as(&self, key: &Key, method: &str, resource: &str, seconds: u64) -> String {
        let date = iso_basic(self.now);
        let scope = format!("{}/cn-hangzhou/oss/aliyun_v4_request", &date[..8]);
        let (credential, expires) = (format!("{}/{scope}", key.id), seconds.to_string());
        let mut query = vec![
            ("x-oss-signature-version", "OSS4-HMAC-SHA256"),
            ("x-oss-credential", &credential),
            ("x-oss-date", &date),
            ("x-oss-expires", &expires),
        ];
        query.extend(key.token.as_deref().map(|token| ("x-oss-security-token", token)));
        let signature = signature(&key.secret, method, resource, &query, &[], &date, &scope);
        query.push(("x-oss-signature", &signature));
        target(resource, &query)
    }

    /// A head with a raw request target and no more headers than these.
    pub(crate) fn head(&self, method: &str, raw_target: &str, headers: &[(&str, &str)]) -> String {
        let mut text = format!("{method} {raw_target} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            text += &format!("Host: {}\r\n", self.address);
        }
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        text + "\r\n"
    }

    /// Sends these bytes and reads until the server closes.
    pub(crate) fn exchange(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        Answer::read(&answer)
    }
}

pub(crate) fn object(key: &str) -> String {
    format!("/{BUCKET}/{key}")
}

pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

fn target(resource: &str, query: &[(&str, &str)]) -> String {
    let pairs = query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    let query = pairs.collect::<Vec<_>>().join("&");
    let path = utf8_percent_encode(resource, PATH);
    if query.is_empty() { path.to_string() } else { format!("{path}?{query}") }
}

fn signature(
    secret: &str,
    method: &str,
    resource: &str,
    query: &[(&str, &str)],
    headers: &[(&str, &str)],
    date: &str,
    scope: &str,
) -> String {
    let mut pairs: Vec<_> = query.iter().map(|(name, value)| (encoded(name), encoded(value))).collect();
    pairs.sort();
    let pairs = pairs.into_iter().map(|(name, value)| match value.as_str() {
        "" => name,
        _ => format!("{name}={value}"),
    });
    let query = pairs.collect::<Vec<_>>().join("&");
    let mut signed: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
        .filter(|(name, _)| name.starts_with("x-oss-") || name == "content-type" || name == "content-md5")
        .collect();
    signed.sort();
    let lines: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let path = utf8_percent_encode(resource, PATH);
    let canonical = format!("{method}\n{path}\n{query}\n{lines}\n\nUNSIGNED-PAYLOAD");
    let digest = hex(&Sha256::digest(canonical));
    let string_to_sign = format!("OSS4-HMAC-SHA256\n{date}\n{scope}\n{digest}");
    v4(secret, scope, &string_to_sign)
}

/// The signature of a message under a scope.
pub(crate) fn v4(secret: &str, scope: &str, message: &str) -> String {
    let mut key = format!("aliyun_v4{secret}").into_bytes();
    for part in scope.split('/') {
        key = hmac(&key, part);
    }
    hex(&hmac(&key, message))
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// From the days since the epoch, after Howard Hinnant's `civil_from_days`.
pub(crate) fn iso_basic(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &UNRESERVED.remove(b'/');
