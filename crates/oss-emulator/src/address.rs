//! From host name and path to service, bucket or object (SPEC: addressing style).

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};

use percent_encoding::{AsciiSet, percent_decode_str, utf8_percent_encode};

use crate::config::Config;
use crate::fault::Fault;
use crate::xml::UNRESERVED;

/// What a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Service,
    Bucket(String),
    Object { bucket: String, key: String },
}

impl Target {
    /// Reads the host (with or without a port) and the raw path. Keys are decoded once and otherwise left
    /// alone: `..`, `//` and `%2E` are parts of a key, never of a path.
    pub(crate) fn of(host: &str, raw_path: &str, config: &Config) -> Result<Self, Fault> {
        let path = decoded(raw_path.strip_prefix('/').unwrap_or(raw_path))?;
        let host = without_port(host).trim_end_matches('.').to_ascii_lowercase();
        match Style::of(&host, config)? {
            Style::Path => {
                let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
                Ok(Self::new(bucket.to_owned(), key.to_owned()))
            }
            Style::Bucket(bucket) => Ok(Self::new(bucket, path)),
            Style::Service if path.is_empty() => Ok(Self::Service),
            Style::Service => {
                let why = "Please use virtual hosted style to access.";
                Err(Fault::new(403, "SecondLevelDomainForbidden", "", why))
            }
        }
    }

    pub(crate) fn bucket(&self) -> &str {
        match self {
            Self::Service => "",
            Self::Bucket(bucket) | Self::Object { bucket, .. } => bucket,
        }
    }

    pub(crate) fn key(&self) -> &str {
        if let Self::Object { key, .. } = self { key } else { "" }
    }

    /// The canonical URI of a signature: always `/bucket/key`, whatever the style.
    pub(crate) fn canonical_uri(&self) -> String {
        match self {
            Self::Service => "/".to_owned(),
            Self::Bucket(bucket) => alloc::format!("/{}/", encoded_path(bucket)),
            Self::Object { bucket, key } => {
                alloc::format!("/{}/{}", encoded_path(bucket), encoded_path(key))
            }
        }
    }

    /// Checks the names against the vendor's rules ("Bucket naming conventions", "Object naming
    /// conventions").
    pub(crate) fn check_names(&self) -> Result<(), Fault> {
        if !matches!(self, Self::Service) && !is_bucket_name(self.bucket()) {
            let why = "The specified bucket is not valid.";
            return Err(
                Fault::new(400, "InvalidBucketName", "0015-00000001", why).with("BucketName", self.bucket())
            );
        }
        if let Self::Object { key, .. } = self {
            check_key(key)?;
        }
        Ok(())
    }

    fn new(bucket: String, key: String) -> Self {
        match (bucket.is_empty(), key.is_empty()) {
            (true, true) => Self::Service,
            (_, true) => Self::Bucket(bucket),
            (_, false) => Self::Object { bucket, key },
        }
    }
}

/// Reads `x-oss-copy-source`: `/bucket/key`, the key encoded, the first slash optional.
pub(crate) fn copy_source(header: &str) -> Result<(String, String, Option<String>), Fault> {
    let (path, version) = match header.split_once("?versionId=") {
        Some((path, version)) => (path, Some(version.to_owned())),
        None => (header, None),
    };
    let path = decoded(path.strip_prefix('/').unwrap_or(path))?;
    match path.split_once('/') {
        Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
            Ok((bucket.to_owned(), key.to_owned(), version))
        }
        _ => {
            let why = "Copy Source must mention the source bucket and key: /sourcebucket/sourcekey.";
            Err(Fault::invalid_argument("x-oss-copy-source", header, "", why))
        }
    }
}

pub(crate) fn is_bucket_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let edge = |byte: Option<&u8>| byte.is_some_and(|byte| *byte != b'-');
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && edge(bytes.first())
        && edge(bytes.last())
}

pub(crate) fn check_key(key: &str) -> Result<(), Fault> {
    let ec = match key.as_bytes() {
        [] => "0016-00000001",
        [b'/' | b'\\', ..] => "0016-00000005",
        bytes if bytes.len() > KEY_BYTES_MAX => "0016-00000002",
        _ => return Ok(()),
    };
    Err(invalid_object_name(ec))
}

/// Percent-decodes once; `+` stays a plus.
pub(crate) fn decoded(text: &str) -> Result<String, Fault> {
    match percent_decode_str(text).decode_utf8() {
        Ok(decoded) => Ok(decoded.into_owned()),
        Err(_) => Err(invalid_object_name("0016-00000002")),
    }
}

fn invalid_object_name(ec: &'static str) -> Fault {
    Fault::new(400, "InvalidObjectName", ec, "The specified object is not valid.")
}

fn encoded_path(text: &str) -> String {
    utf8_percent_encode(text, PATH).collect()
}

enum Style {
    Path,
    Bucket(String),
    /// A domain of OSS itself, which does not take path style.
    Service,
}

impl Style {
    fn of(host: &str, config: &Config) -> Result<Self, Fault> {
        if let Some(bucket) = config.cnames.get(host) {
            return Ok(Self::Bucket(bucket.clone()));
        }
        if is_ip(host) || host == "localhost" || !host.contains('.') {
            return Ok(Self::Path);
        }
        for domain in &config.domains {
            match host.strip_suffix(domain.as_str()) {
                Some("") if domain.ends_with(OSS_DOMAIN) => return Ok(Self::Service),
                Some("") => return Ok(Self::Path),
                Some(bucket) if bucket.ends_with('.') => {
                    return Ok(Self::Bucket(bucket.trim_end_matches('.').to_owned()));
                }
                _ => {}
            }
        }
        if host.ends_with(OSS_DOMAIN) {
            return Err(wrong_endpoint(host, config));
        }
        Err(Fault::no_such_bucket(host))
    }
}

/// The host is OSS's, but of another region.
fn wrong_endpoint(host: &str, config: &Config) -> Fault {
    let labels: Vec<&str> = host.split('.').collect();
    let bucket = if labels.len() > 3 { labels[0] } else { "" };
    let why = "The bucket you are attempting to access must be addressed using the specified endpoint. \
               Please send all future requests to this endpoint.";
    Fault::access_denied("0003-00001403", why)
        .with("Bucket", bucket)
        .with("Endpoint", alloc::format!("oss-{}.aliyuncs.com", config.region))
}

/// Whether buckets are path segments at this host.
pub(crate) fn is_path_style(host: &str, config: &Config) -> bool {
    let host = without_port(host).trim_end_matches('.').to_ascii_lowercase();
    matches!(Style::of(&host, config), Ok(Style::Path))
}

pub(crate) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        // A colon inside brackets is part of an IPv6 address.
        Some((name, port)) if !port.ends_with(']') && (!name.contains(':') || name.ends_with(']')) => name,
        _ => host,
    }
}

fn is_ip(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.parse::<Ipv4Addr>().is_ok() || bare.parse::<Ipv6Addr>().is_ok()
}

const OSS_DOMAIN: &str = ".aliyuncs.com";
const KEY_BYTES_MAX: usize = 1023;
/// Like the names of a query, but with the slashes of the path.
const PATH: &AsciiSet = &UNRESERVED.remove(b'/');

#[cfg(test)]
mod tests {
    use super::*;

    fn target(host: &str, path: &str) -> Result<Target, Fault> {
        let config = Config::new("cn-hangzhou")
            .with_cname("files.example.com", "mapped")
            .with_domain("oss.corp.example");
        Target::of(host, path, &config)
    }

    fn object(bucket: &str, key: &str) -> Target {
        Target::Object { bucket: bucket.to_owned(), key: key.to_owned() }
    }

    #[test]
    fn hosts_and_paths() {
        let bucket = || Target::Bucket("b".to_owned());
        for (host, path, expected) in [
            ("127.0.0.1:9000", "/", Target::Service),
            ("127.0.0.1:9000", "/b", bucket()),
            ("127.0.0.1", "/b/", bucket()),
            ("[::1]:80", "/b/k", object("b", "k")),
            ("localhost:80", "/b/k/l", object("b", "k/l")),
            ("oss-server:80", "/b/k", object("b", "k")),
            ("b.localhost:80", "/k", object("b", "k")),
            ("b.localhost", "/", bucket()),
            ("B.OSS-cn-hangzhou.aliyuncs.com", "/k", object("b", "k")),
            ("b.oss-cn-hangzhou-internal.aliyuncs.com", "/k", object("b", "k")),
            ("b.cn-hangzhou.oss.aliyuncs.com", "/k", object("b", "k")),
            ("b.oss-accelerate.aliyuncs.com", "/k", object("b", "k")),
            ("oss-cn-hangzhou.aliyuncs.com", "/", Target::Service),
            ("files.example.com", "/b/k", object("mapped", "b/k")),
            ("b.oss.corp.example:8080", "/k", object("b", "k")),
            ("oss.corp.example", "/b/k", object("b", "k")),
        ] {
            assert_eq!(target(host, path).unwrap(), expected, "{host} {path}");
        }
    }

    #[test]
    fn keys_are_never_paths() {
        for (path, key) in [
            ("/b/../x", "../x"),
            ("/b/%2E%2E/x", "../x"),
            ("/b/./x//y/", "./x//y/"),
            ("/b/a%20b+c%25%2B", "a b+c%+"),
            ("/b/%E4%B8%AD%F0%9F%A6%86", "中🦆"),
            ("/b//x", "/x"),
            ("/b/a%2Fb", "a/b"),
        ] {
            assert_eq!(target("127.0.0.1", path).unwrap(), object("b", key), "{path}");
        }
    }

    #[test]
    fn refuses_hosts_and_names() {
        let code = |host: &str, path: &str| {
            let fault = target(host, path).and_then(|target| target.check_names()).unwrap_err();
            fault.document("", "").split("Code>").nth(1).unwrap().trim_end_matches("</").to_owned()
        };
        for (host, path, expected) in [
            ("oss-cn-hangzhou.aliyuncs.com", "/b/k", "SecondLevelDomainForbidden"),
            ("b.oss-cn-beijing.aliyuncs.com", "/k", "AccessDenied"),
            ("unknown.example.com", "/k", "NoSuchBucket"),
            ("127.0.0.1", "/Bucket/k", "InvalidBucketName"),
            ("127.0.0.1", "/b/k", "InvalidBucketName"),
            ("a.b.localhost", "/k", "InvalidBucketName"),
            ("127.0.0.1", "/-ab/k", "InvalidBucketName"),
            ("127.0.0.1", "//k", "InvalidBucketName"),
            ("127.0.0.1", "/abc//k", "InvalidObjectName"),
            ("127.0.0.1", "/abc/%5Ck", "InvalidObjectName"),
            ("127.0.0.1", "/abc/%FF", "InvalidObjectName"),
        ] {
            assert_eq!(code(host, path), expected, "{host} {path}");
        }
        assert!(check_key(&"k".repeat(1023)).is_ok() && check_key(&"k".repeat(1024)).is_err());
    }

    #[test]
    fn copy_sources() {
        let source = |text| copy_source(text).ok();
        let expected = |version: Option<&str>| {
            Some(("b".to_owned(), "a b+中".to_owned(), version.map(ToOwned::to_owned)))
        };
        assert_eq!(source("/b/a%20b%2B%E4%B8%AD"), expected(None));
        assert_eq!(source("b/a%20b+%E4%B8%AD?versionId=null"), expected(Some("null")));
        assert_eq!(source("/b/"), None);
        assert_eq!(source("b"), None);
    }
}
