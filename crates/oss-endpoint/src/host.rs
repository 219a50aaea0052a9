//! The host of an endpoint: a name or an address, in the form in which it is sent and signed.

use alloc::format;
use alloc::string::{String, ToString};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::bucket::BUCKET_BYTES_MAX;

/// A host as it stands in a URL, and the address it is, if it is one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Host {
    pub(crate) text: String,
    pub(crate) ip: Option<IpAddr>,
}

impl Host {
    /// Takes a name that one of our own formulas made.
    pub(crate) fn known(text: String) -> Self {
        Self { text, ip: None }
    }

    /// Parses a host. An IPv6 address stands in brackets. The reason of a refusal says what to do.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if let Some(inner) = text.strip_prefix('[') {
            return inner.strip_suffix(']').and_then(ipv6).ok_or(ODD_IPV6);
        }
        let text = text.to_ascii_lowercase();
        if let Some(fault) = name_fault(&text) {
            return Err(fault);
        }
        if !ends_in_number(&text) {
            return Ok(Self { text, ip: None });
        }
        let ip = ipv4(&text).ok_or(ODD_IPV4)?;
        Ok(Self { text, ip: Some(IpAddr::V4(ip)) })
    }

    /// A bucket's name cannot stand in front of an address; in front of `localhost` it resolves on few
    /// systems.
    pub(crate) fn takes_bucket(&self) -> bool {
        self.ip.is_none() && self.text != "localhost"
    }
}

/// RFC 5952 form; `Ipv6Addr` knows no zone, so `%eth0` and `%25eth0` are refused.
fn ipv6(inner: &str) -> Option<Host> {
    let ip: Ipv6Addr = inner.parse().ok()?;
    Some(Host { text: format!("[{ip}]"), ip: Some(IpAddr::V6(ip)) })
}

fn name_fault(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("name a host, as in `https://oss-cn-hangzhou.aliyuncs.com`");
    }
    if text.len() > HOST_BYTES_MAX {
        return Some("use a host of at most 189 bytes, which leaves room for the name of a bucket");
    }
    if !text.is_ascii() {
        return Some("write an internationalised host in its `xn--` form");
    }
    if text.contains(':') {
        return Some("write an IPv6 address in brackets, as in `https://[::1]:8080`");
    }
    if text.ends_with('.') {
        return Some("remove the dot at the end of the host");
    }
    if !text.split('.').all(is_label) {
        return Some("use a host of a-z, 0-9, `-`, `_` and single dots");
    }
    None
}

/// RFC 1123, section 2.1, and the `_` of container networks.
fn is_label(label: &str) -> bool {
    (1..=LABEL_BYTES_MAX).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Whether a resolver may read the name as an IPv4 address: its last label is a number of some base. No
/// top-level domain is.
fn ends_in_number(text: &str) -> bool {
    let last = text.rsplit('.').next().unwrap_or(text);
    let digits = last.strip_prefix("0x").unwrap_or(last);
    let hexadecimal = digits.len() < last.len();
    digits.bytes().all(|byte| byte.is_ascii_digit() || hexadecimal && byte.is_ascii_hexdigit())
}

/// Four decimal numbers, or two or three of them, which every resolver completes with zeros: `1.2` is
/// `1.0.0.2`. The short form is kept as it is written, as the official SDKs keep it, while the address is
/// known for what it is.
fn ipv4(text: &str) -> Option<Ipv4Addr> {
    let (head, last) = text.rsplit_once('.')?;
    let zeros = match head.split('.').count() {
        1 => ".0.0",
        2 => ".0",
        _ => "",
    };
    format!("{head}{zeros}.{last}").parse().ok()
}

/// Splits an authority into the host and the text after the colon, if there is a colon.
pub(crate) fn split_port(authority: &str) -> (&str, Option<&str>) {
    let host_end = match authority.rfind(']') {
        Some(bracket) => bracket + 1,
        // `a:b:c` has no port: it is an IPv6 address without brackets, which `Host::parse` refuses by that
        // name.
        None if authority.matches(':').count() > 1 => authority.len(),
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at(host_end);
    match rest.strip_prefix(':') {
        Some(port) => (host, Some(port)),
        // It is all the host, or as in `[::1]x`, no host.
        None => (authority, None),
    }
}

/// A decimal number from 1 to 65535 without sign or leading zero.
pub(crate) fn parse_port(text: &str) -> Option<u16> {
    let port: u16 = text.parse().ok()?;
    (port != 0 && port.to_string() == text).then_some(port)
}

const ODD_IPV6: &str = "write the IPv6 address in brackets and without a zone, as in `[::1]`";

const ODD_IPV4: &str = "write the IPv4 address as four decimal numbers, as in `127.0.0.1`";

const LABEL_BYTES_MAX: usize = 63;

/// A name holds 253 bytes (RFC 1035, section 2.3.4), of which a bucket and its dot may take 64.
const HOST_BYTES_MAX: usize = 253 - BUCKET_BYTES_MAX - 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b07_an_ipv4_address_has_one_form() {
        for (text, ip) in [("127.0.0.1", [127, 0, 0, 1]), ("0.0.0.0", [0; 4]), ("255.255.255.255", [255; 4])]
        {
            let host = Host::parse(text).unwrap();
            assert_eq!((host.text.as_str(), host.ip), (text, Some(IpAddr::from(ip))));
        }
        let odd = [
            "0x7f.1",
            "0x7f.0.0.1",
            "127.0.0.0x1",
            "127.0x1",
            "0x7f000001",
            "0x",
            "2130706433",
            "10",
            "0",
            "017700000001",
            "0177.0.0.1",
            "127.0.0.01",
            "127.1.65535",
            "127.16777215",
            "256.0.0.1",
            "1.2.3.256",
            "1.2.3.4.5",
            "a.1",
            "example.0x1f",
        ];
        for odd in odd {
            assert_eq!(Host::parse(odd).err(), Some(ODD_IPV4), "{odd}");
        }
    }

    #[test]
    fn b07_a_short_ipv4_address_is_kept_and_known_for_what_it_is() {
        for (text, ip) in [("1.2", [1, 0, 0, 2]), ("127.1", [127, 0, 0, 1]), ("10.1.2", [10, 1, 0, 2])] {
            let host = Host::parse(text).unwrap();
            assert_eq!((host.text.as_str(), host.ip), (text, Some(IpAddr::from(ip))));
            assert!(!host.takes_bucket());
        }
    }

    #[test]
    fn b07_an_ipv6_address_becomes_canonical() {
        let cases = [
            ("[::1]", "[::1]"),
            ("[0:0:0:0:0:0:0:1]", "[::1]"),
            ("[2001:DB8::0001]", "[2001:db8::1]"),
            ("[::ffff:127.0.0.1]", "[::ffff:127.0.0.1]"),
            ("[::FFFF:7f00:1]", "[::ffff:127.0.0.1]"),
        ];
        for (text, expected) in cases {
            assert_eq!(Host::parse(text).unwrap().text, expected);
        }
        for bad in
            ["[]", "[", "[::1%eth0]", "[fe80::1%25eth0]", "[1.2.3.4]", "[::1", "[v1.a]", "[::1]]", "::1", "]"]
        {
            assert!(Host::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_is_lower_cased_and_otherwise_kept() {
        let cases = [
            ("Up-Case.Example.COM", "up-case.example.com"),
            ("localhost", "localhost"),
            ("xn--fiqs8s.example", "xn--fiqs8s.example"),
            ("oss_emulator", "oss_emulator"),
            ("1a.example", "1a.example"),
            ("127.0.0.1.example", "127.0.0.1.example"),
            ("0xcafe.example", "0xcafe.example"),
            ("example.0xyz", "example.0xyz"),
        ];
        for (text, expected) in cases {
            let host = Host::parse(text).unwrap();
            assert_eq!((host.text.as_str(), host.ip), (expected, None));
        }
        for bad in
            ["", ".", "a..b", ".a", "a.", "-a.b", "a-.b", "a b", "a%41", "桶.example", "a,b", "*.a", "a\\b"]
        {
            assert!(Host::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn lengths_are_bounded() {
        let label = |length| "a".repeat(length);
        assert!(Host::parse(&label(63)).is_ok());
        assert!(Host::parse(&label(64)).is_err());
        let long = |last| format!("{0}.{0}.{1}", label(63), label(last));
        assert_eq!(long(61).len(), HOST_BYTES_MAX);
        assert!(Host::parse(&long(61)).is_ok());
        assert!(Host::parse(&long(62)).is_err());
    }

    #[test]
    fn b06_a_port_has_one_form() {
        for (text, port) in [("1", 1), ("80", 80), ("65535", 65535)] {
            assert_eq!(parse_port(text), Some(port));
        }
        for bad in ["", "0", "65536", "+80", "080", "-1", " 80", "80 ", "8o", "٨٠", "99999999999999999999"]
        {
            assert_eq!(parse_port(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_port_follows_the_last_bracket_or_the_only_colon() {
        let cases = [
            ("host", ("host", None)),
            ("host:80", ("host", Some("80"))),
            ("host:", ("host", Some(""))),
            (":80", ("", Some("80"))),
            ("[::1]:80", ("[::1]", Some("80"))),
            ("[::1]", ("[::1]", None)),
            ("[::1]x", ("[::1]x", None)),
            ("::1", ("::1", None)),
            ("a:1:2", ("a:1:2", None)),
        ];
        for (authority, expected) in cases {
            assert_eq!(split_port(authority), expected);
        }
    }
}
