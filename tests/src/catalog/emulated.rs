//! Which operations the emulator has: it is asked, with a signed request of each.

use core::time::Duration;

use http::Method;
use oss_emulator::{Config, Emulator, Verdict};
use oss_proto::{Credentials, Endpoint, Operation, Raw, Region, Scope, Service, UnixTime, compose};

use super::Entry;

/// Whether the emulator does anything but say that it does not do this.
pub(super) fn is_emulated(entry: &Entry) -> bool {
    entry.product == "core" && status(entry).is_some_and(|status| status != 501 && status != 405)
}

/// What the emulator answers to a request with dummy values; `None` when there is no such request.
fn status(entry: &Entry) -> Option<u16> {
    let region = Region::parse("cn-hangzhou").ok()?;
    let service = Service::new(Endpoint::public(&region)).with_region(region);
    let credentials = Credentials::new("ak", "sk").ok()?;
    let request = compose(&request(entry)?.draft().ok()?, &service, &credentials, NOW).ok()?;
    let now = Duration::from_secs(NOW.as_secs().unsigned_abs());
    let mut emulator = Emulator::new(Config::new("cn-hangzhou").with_access_key("ak", "sk"));
    emulator.create_bucket(BUCKET, now);
    let reply = match emulator.begin(&request.into_parts().0, now) {
        Verdict::Refuse(reply) => reply,
        Verdict::Accept(id) => emulator.end(id, now),
    };
    Some(reply.head.status().as_u16())
}

/// The least that the operation takes, without a body.
fn request(entry: &Entry) -> Option<Raw> {
    let method = Method::from_bytes(entry.method.as_bytes()).ok()?;
    let mut request = match entry.scope.as_str() {
        "S" => Raw::new("Probe", method, Scope::Service),
        "B" => Raw::new("Probe", method, Scope::Bucket).bucket(BUCKET),
        _ => Raw::new("Probe", method, Scope::Object).bucket(BUCKET).key("key"),
    };
    for (name, value) in &entry.fixed {
        request = request.query(name.clone(), value);
    }
    for name in entry.query.iter().filter_map(|name| name.strip_suffix('*')) {
        let value = if matches!(name, "position" | "partNumber") { "1" } else { "x" };
        request = request.query(name.to_owned(), value);
    }
    for name in entry.headers.iter().filter_map(|name| name.strip_suffix('*')) {
        request = request.header(name.to_lowercase(), "private");
    }
    if entry.name.contains("Copy") {
        request = request.header("x-oss-copy-source", format!("/{BUCKET}/source"));
    }
    Some(request)
}

const BUCKET: &str = "examplebucket";
const NOW: UnixTime = UnixTime::from_secs(1_702_743_657);
