//! A client without a socket: signs with V1 (written from the documents) and calls the emulator.
#![allow(dead_code)] // Each test file uses its own part.
#![allow(clippy::unwrap_used)]

pub(crate) mod sts;

use core::time::Duration;

use base64ct::{Base64, Encoding as _};
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use md5::{Digest as _, Md5};
use oss_emulator::{Config, Emulator, Reply, Verdict};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha1::Sha1;

pub(crate) const BUCKET: &str = "examplebucket";
pub(crate) const SECRET: &str = "secret";

/// An emulator with one key and one bucket, and a clock that the test sets.
pub(crate) struct Bench {
    pub(crate) emulator: Emulator,
    pub(crate) now: Duration,
    /// How many nonces were used.
    pub(crate) calls: u64,
}

/// An answer with its whole body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> &str {
        core::str::from_utf8(&self.body).unwrap()
    }

    /// The first element of this name in the body.
    pub(crate) fn element(&self, name: &str) -> String {
        self.elements(name).into_iter().next().unwrap_or_default()
    }

    pub(crate) fn elements(&self, name: &str) -> Vec<String> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        self.text().split(&open).skip(1).map(|part| part.split(&close).next().unwrap().to_owned()).collect()
    }

    /// The first member of this name in a body of JSON, without escapes.
    pub(crate) fn json(&self, name: &str) -> String {
        let rest = self.text().split_once(&format!("\"{name}\"")).map_or("", |(_, rest)| rest);
        rest.split('"').nth(1).unwrap_or_default().to_owned()
    }

    /// Status and, for an error in JSON, its code.
    pub(crate) fn said(&self) -> String {
        format!("{} {}", self.status, self.json("Code")).trim().to_owned()
    }

    /// Status and, for an error, its code.
    pub(crate) fn outcome(&self) -> String {
        format!("{} {}", self.status, self.element("Code")).trim().to_owned()
    }
}

impl Bench {
    pub(crate) fn new(seed: u64) -> Self {
        Self::with(|config| config.with_seed(seed))
    }

    pub(crate) fn with(change: impl FnOnce(Config) -> Config) -> Self {
        let now = Duration::from_secs(1_700_000_000);
        let config = change(Config::new("cn-hangzhou").with_access_key("id", SECRET));
        let mut emulator = Emulator::new(config);
        emulator.create_bucket(BUCKET, now);
        Self { emulator, now, calls: 0 }
    }

    /// A signed request for a key of the bucket; an empty key is the bucket. The query is `a&b=c`, encoded.
    pub(crate) fn call(
        &mut self,
        method: &str,
        key: &str,
        query: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        self.send(method, &format!("/{BUCKET}/{key}"), query, headers, body)
    }

    pub(crate) fn get(&mut self, key: &str, query: &str) -> Answer {
        self.call("GET", key, query, &[], b"")
    }

    pub(crate) fn put(&mut self, key: &str, query: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.call("PUT", key, query, headers, body.as_bytes())
    }

    pub(crate) fn post(&mut self, key: &str, query: &str, body: &str) -> Answer {
        self.call("POST", key, query, &[], body.as_bytes())
    }

    pub(crate) fn delete(&mut self, key: &str, query: &str) -> Answer {
        self.call("DELETE", key, query, &[], b"")
    }

    pub(crate) fn send(
        &mut self,
        method: &str,
        resource: &str,
        query: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let (date, md5) = (http_date(self.now), Base64::encode_string(&Md5::digest(body)));
        let mut all = headers.to_vec();
        all.push(("x-oss-date", &date));
        if !body.is_empty() {
            all.push(("content-md5", &md5));
        }
        let text = string_to_sign(method, resource, query, &all, &date);
        let authorization = format!("OSS id:{}", v1_signature(&text));
        all.push(("authorization", &authorization));
        self.raw(method, resource, query, &all, body)
    }

    /// A request as it stands, without a signature of its own.
    pub(crate) fn raw(
        &mut self,
        method: &str,
        resource: &str,
        query: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let separator = if query.is_empty() { "" } else { "?" };
        let target = format!("{}{separator}{query}", utf8_percent_encode(resource, PATH));
        let mut request = http::Request::builder().method(method).uri(target).header("host", "127.0.0.1");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.header("content-length", body.len()).body(()).unwrap().into_parts();
        let Reply { head, body, .. } = match self.emulator.begin(&head, self.now) {
            Verdict::Refuse(reply) => reply,
            Verdict::Accept(id) => {
                self.emulator.push(id, Bytes::copy_from_slice(body));
                self.emulator.end(id, self.now)
            }
        };
        Answer { status: head.status().as_u16(), headers: head.headers().clone(), body: body.into_bytes() }
    }
}

pub(crate) fn v1_signature(text: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    Base64::encode_string(&mac.finalize().into_bytes())
}

fn string_to_sign(method: &str, resource: &str, query: &str, headers: &[(&str, &str)], date: &str) -> String {
    let header = |name| headers.iter().find(|(other, _)| *other == name).map_or("", |(_, value)| value);
    let mut signed: Vec<_> = headers.iter().filter(|(name, _)| name.starts_with("x-oss-")).collect();
    signed.sort();
    let lines: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let is_signed = |pair: &&str| !PLAIN.iter().any(|name| pair.starts_with(name));
    let decoded =
        |pair: &str| percent_decode_str(pair.trim_end_matches('=')).decode_utf8().unwrap().into_owned();
    let mut subs: Vec<String> = query.split('&').filter(is_signed).map(decoded).collect();
    subs.sort_unstable();
    let separator = if query.is_empty() || subs.is_empty() { "" } else { "?" };
    let (md5, kind) = (header("content-md5"), header("content-type"));
    format!("{method}\n{md5}\n{kind}\n{date}\n{lines}{resource}{separator}{}", subs.join("&"))
}

/// `2023-11-14T22:13:20Z`.
pub(crate) fn iso_seconds(now: Duration) -> String {
    let date = http_date(now);
    let (day, month, year, time) = (&date[5..7], &date[8..11], &date[12..16], &date[17..25]);
    let names = "JanFebMarAprMayJunJulAugSepOctNovDec";
    format!("{year}-{:02}-{day}T{time}Z", names.find(month).unwrap() / 3 + 1)
}

/// After Howard Hinnant's `civil_from_days`.
fn http_date(now: Duration) -> String {
    let seconds = now.as_secs();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (era, day_of_era) = ((days + 719_468) / 146_097, (days + 719_468) % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = (shifted + 2) % 12;
    let year = year_of_era + era * 400 + u64::from(month < 2);
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][days as usize % 7];
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{weekday}, {day:02} {} {year:04} {hour:02}:{minute:02}:{second:02} GMT", names[month as usize])
}

/// Parameters that signature V1 leaves out.
const PLAIN: [&str; 17] = [
    "accessmonitor",
    "category",
    "delimiter",
    "encoding-type",
    "fetch-owner",
    "key-marker",
    "list-type",
    "marker",
    "max-",
    "part-number-marker",
    "prefix",
    "regions",
    "rule-id",
    "start-after",
    "tag-",
    "upload-id-marker",
    "version-id-marker",
];
pub(crate) const UNRESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &UNRESERVED.remove(b'/');
