//! The bodies of the fuzz targets: any bytes in, a value or a typed error out, and laws that hold for both.
//!
//! `fuzz/fuzz_targets` calls them under libFuzzer; `cargo test` replays the committed corpora through them.

mod addresses;
mod credentials;
mod documents;
mod exchange;
mod fetch;
mod heads;
mod json;
mod signatures;
mod transfers;

pub use addresses::{endpoint, object_key};
pub use credentials::credentials;
pub use documents::{error_document, headers_to_error, lists, xml};
pub use exchange::{DOCUMENTS, KINDS, exchange};
pub use fetch::fetch;
pub use heads::{answer_head, http_date};
pub use json::json;
pub use signatures::{explain, presigned, sign_v1, sign_v4};
pub use transfers::checkpoint;

use http::{HeaderMap, HeaderName, HeaderValue};

/// The body of a fuzz target: it panics when a law does not hold.
pub type Body = fn(&[u8]);

/// Every fuzz target: its name, which is also that of its file and of its corpus, and its body.
pub const TARGETS: &[(&str, Body)] = &[
    ("answer_head", answer_head),
    ("checkpoint", checkpoint),
    ("credentials", credentials),
    ("endpoint", endpoint),
    ("error_document", error_document),
    ("exchange", exchange),
    ("explain", explain),
    ("fetch", fetch),
    ("headers_to_error", headers_to_error),
    ("http_date", http_date),
    ("json", json),
    ("lists", lists),
    ("object_key", object_key),
    ("presigned", presigned),
    ("sign_v1", sign_v1),
    ("sign_v4", sign_v4),
    ("xml", xml),
];

/// Decisions, one after the other; 0 when there are no more, which always leads to an end.
struct Chance<'a>(&'a [u8]);

impl Chance<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.byte()) % choices.len()]
    }

    fn is_over(&self) -> bool {
        self.0.is_empty()
    }
}

/// The header map that lines of `name: value` make, and what follows the first empty line. What cannot stand
/// in a header is passed over: no transport hands it on.
fn headers(bytes: &[u8]) -> (HeaderMap, &[u8]) {
    let mut headers = HeaderMap::new();
    let mut rest = bytes;
    while !rest.is_empty() && headers.len() < HEADERS_MAX {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let (line, more) = rest.split_at(end);
        rest = more.get(1..).unwrap_or_default();
        if line.is_empty() {
            break;
        }
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let name = HeaderName::from_bytes(parts.next().unwrap_or_default());
        let value = HeaderValue::from_bytes(parts.next().unwrap_or_default().trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    (headers, rest)
}

/// A message is for a line of a log.
fn is_one_line(message: &str) {
    assert!(!message.contains(char::is_control), "a message is one line: {message:?}");
}

fn is_short_line(message: &str) {
    is_one_line(message);
    assert!(message.len() <= MESSAGE_BYTES_MAX, "a message is short: {} bytes", message.len());
}

/// CRC-64/XZ, bit by bit, so that it owes nothing to the code under test.
fn slow_crc64(bytes: &[u8]) -> u64 {
    !bytes.iter().fold(u64::MAX, |crc, byte| {
        (0..8).fold(crc ^ u64::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xC96C_5795_D787_0F42 } else { crc >> 1 }
        })
    })
}

const HEADERS_MAX: usize = 128;
const MESSAGE_BYTES_MAX: usize = 8192;
const SECRET: &str = "fuzz-secret-that-must-never-be-shown";
const TOKEN: &str = "fuzz-token-that-must-never-be-shown";
