//! The hosts that are reached without a proxy.

use core::net::IpAddr;

/// What `NO_PROXY` holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct NoProxy(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    hosts: Hosts,
    /// `None` is any.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    All,
    /// A host and its subdomains.
    Domain(String),
    /// The subdomains alone; with its leading dot.
    Under(String),
    Network {
        base: IpAddr,
        bits: u8,
    },
}

impl NoProxy {
    /// Adds what a list with commas or spaces names. What is none of its forms matches no host.
    pub(crate) fn add(&mut self, list: &str) {
        let words = list.split(|c: char| c == ',' || c.is_whitespace());
        self.0.extend(words.filter(|word| !word.is_empty()).map(Entry::parse));
    }

    /// The host is without brackets.
    pub(crate) fn matches(&self, host: &str, port: u16) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let ip = host.parse::<IpAddr>().ok().map(|ip| ip.to_canonical());
        self.0.iter().any(|entry| {
            entry.port.is_none_or(|only| only == port)
                && match &entry.hosts {
                    Hosts::All => true,
                    Hosts::Network { base, bits } => ip.is_some_and(|ip| is_within(ip, *base, *bits)),
                    // `1.2.3.4` lies under `.4` by its text alone.
                    Hosts::Domain(_) | Hosts::Under(_) if ip.is_some() => false,
                    Hosts::Domain(domain) => {
                        let rest = host.strip_suffix(domain.as_str());
                        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
                    }
                    Hosts::Under(domain) => host.len() > domain.len() && host.ends_with(domain.as_str()),
                }
        })
    }
}

impl Entry {
    fn parse(word: &str) -> Self {
        let word = word.to_ascii_lowercase();
        if let Some((base, bits)) = network(&word) {
            return Self { hosts: Hosts::Network { base, bits }, port: None };
        }
        let (host, port) = match word.rsplit_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() => (host, port.parse().ok()),
            _ => (&*word, None),
        };
        let hosts = match (network(host), host.trim_end_matches('.')) {
            (Some((base, bits)), _) => Hosts::Network { base, bits },
            (None, "*") => Hosts::All,
            (None, host) => match host.strip_prefix('*').unwrap_or(host) {
                under if under.starts_with('.') => Hosts::Under(under.to_owned()),
                host => Hosts::Domain(host.to_owned()),
            },
        };
        Self { hosts, port }
    }
}

/// An address, with or without brackets, or a network: `10.0.0.0/8`.
fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (ip, bits) = match text.split_once('/') {
        Some((ip, bits)) => (ip, Some(bits.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let ip = ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).unwrap_or(ip);
    let ip = ip.parse::<IpAddr>().ok()?;
    let width = if ip.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(width);
    (bits <= width).then_some((ip, bits))
}

fn is_within(ip: IpAddr, base: IpAddr, bits: u8) -> bool {
    // The high bits of both agree; a shift by the whole width leaves nothing to differ.
    match (ip, base) {
        (IpAddr::V4(ip), IpAddr::V4(base)) => {
            let differing = ip.to_bits() ^ base.to_bits();
            differing.checked_shr(32 - u32::from(bits)).unwrap_or(0) == 0
        }
        (IpAddr::V6(ip), IpAddr::V6(base)) => {
            let differing = ip.to_bits() ^ base.to_bits();
            differing.checked_shr(128 - u32::from(bits)).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(list: &str, host: &str, port: u16) -> bool {
        let mut hosts = NoProxy::default();
        hosts.add(list);
        hosts.matches(host, port)
    }

    #[test]
    fn hosts_domains_addresses_networks_and_ports_are_told_apart() {
        let cases = [
            ("", "example.com", 80, false),
            ("*", "example.com", 80, true),
            ("example.com", "example.com", 443, true),
            ("Example.COM.", "example.com", 443, true),
            ("example.com", "EXAMPLE.com.", 443, true),
            ("example.com", "b.example.com", 443, true),
            ("example.com", "badexample.com", 443, false),
            (".example.com", "example.com", 443, false),
            (".example.com", "b.example.com", 443, true),
            ("*.example.com", "b.example.com", 443, true),
            ("*.example.com", "example.com", 443, false),
            ("a.com, b.com", "b.com", 80, true),
            ("a.com b.com", "b.com", 80, true),
            ("example.com:8080", "example.com", 8080, true),
            ("example.com:8080", "example.com", 80, false),
            (".example.com:8080", "b.example.com", 80, false),
            ("127.0.0.1", "127.0.0.1", 80, true),
            ("127.0.0.1", "127.0.0.2", 80, false),
            ("127.0.0.1:80", "127.0.0.1", 81, false),
            ("0.1", "127.0.0.1", 80, false),
            (".1", "127.0.0.1", 80, false),
            ("10.0.0.0/8", "10.200.3.4", 80, true),
            ("10.0.0.0/8", "11.0.0.1", 80, false),
            ("10.1.2.3/32", "10.1.2.3", 80, true),
            ("10.1.2.3/31", "10.1.2.4", 80, false),
            ("0.0.0.0/0", "8.8.8.8", 80, true),
            ("0.0.0.0/0", "::1", 80, false),
            ("::/0", "::1", 80, true),
            ("fd00::/8", "fd12::1", 80, true),
            ("fd00::/8", "fe80::1", 80, false),
            ("[::1]", "::1", 80, true),
            ("::1", "::1", 80, true),
            ("[::1]:443", "::1", 443, true),
            ("[::1]:443", "::1", 80, false),
            ("10.0.0.0/33", "10.0.0.0", 80, false),
            ("10.0.0.0/x", "10.0.0.0", 80, false),
            (" , ,", "example.com", 80, false),
            (":80", "example.com", 80, false),
        ];
        for (list, host, port, expected) in cases {
            assert_eq!(matches(list, host, port), expected, "{list} {host}:{port}");
        }
    }
}
