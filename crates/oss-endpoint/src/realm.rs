//! Which hosts belong to one service, and which region a host is of.

use crate::catalogue::RegionEntry;
use crate::endpoint::Endpoint;
use crate::kind::{ACCELERATE, ACCELERATE_OVERSEAS};
use crate::region::Region;

impl Endpoint {
    /// The region that a host of OSS names: the catalogue's, else the one in the host's formula.
    ///
    /// `None` for a host that names none (transfer acceleration) and for one that is not of OSS.
    ///
    /// ```
    /// use oss_endpoint::Endpoint;
    ///
    /// let named = |host| Endpoint::parse(host).ok()?.region().map(String::from);
    /// assert_eq!(named("oss-cn-beijing-internal.aliyuncs.com"), Some("cn-beijing".into()));
    /// assert_eq!(named("oss-cn-hzfinance.aliyuncs.com"), Some("cn-hangzhou-finance".into()));
    /// assert_eq!(named("oss.example"), None);
    /// ```
    #[must_use]
    pub fn region(&self) -> Option<Region> {
        if let Some(entry) = RegionEntry::of_host(self.host()) {
            return Region::parse(entry.id).ok();
        }
        if [ACCELERATE, ACCELERATE_OVERSEAS].contains(&self.host()) {
            return None;
        }
        let id = regional_label(self.host())?;
        Region::parse(id.strip_suffix("-internal").unwrap_or(id)).ok()
    }

    /// Whether `other` is a host of the same service: what a redirect may lead to.
    ///
    /// A service is OSS itself, with all its hosts under `aliyuncs.com`; or a private domain, with its host
    /// and those below it; or an address or `localhost`, with that one host. Schemes and ports are not
    /// compared.
    ///
    /// ```
    /// use oss_endpoint::Endpoint;
    ///
    /// let hangzhou = Endpoint::parse("oss-cn-hangzhou.aliyuncs.com")?;
    /// assert!(hangzhou.is_same_service(&Endpoint::parse("oss-cn-beijing.aliyuncs.com")?));
    /// assert!(!hangzhou.is_same_service(&Endpoint::parse("oss-cn-beijing.aliyuncs.com.evil.example")?));
    /// # Ok::<(), oss_endpoint::EndpointError>(())
    /// ```
    #[must_use]
    pub fn is_same_service(&self, other: &Self) -> bool {
        if self.host() == other.host() {
            return true;
        }
        match (is_of_oss(self.host()), is_of_oss(other.host())) {
            (true, is_of_oss) => is_of_oss,
            // A private domain below which OSS listens is none.
            (false, true) => false,
            (false, false) => self.takes_names_below() && is_below(other.host(), self.host()),
        }
    }

    /// Whether the hosts below this one are of the same owner: below an address there is nothing, and a
    /// single label may be the top of a tree that many own.
    fn takes_names_below(&self) -> bool {
        self.ip().is_none() && self.host().contains('.')
    }
}

impl RegionEntry {
    /// The region that has this host; the hosts of acceleration are of none.
    fn of_host(host: &str) -> Option<&'static Self> {
        Self::all().iter().find(|entry| {
            entry.hosts.iter().any(|set| {
                let named = [set.public, set.internal, set.dual_stack];
                named.contains(&Some(host)) || set.internal_alternates.contains(&host)
            })
        })
    }
}

/// Whether a host is one at which OSS listens.
fn is_of_oss(host: &str) -> bool {
    RegionEntry::of_host(host).is_some() || regional_label(host).is_some()
}

/// `cn-hangzhou` of `oss-cn-hangzhou.aliyuncs.com`.
///
/// A dual-stack host is one of the catalogue's or none: `name.oss.aliyuncs.com` may be a bucket of anyone's.
fn regional_label(host: &str) -> Option<&str> {
    let label = host.strip_suffix(".aliyuncs.com")?.strip_prefix("oss-")?;
    (!label.is_empty() && !label.contains('.')).then_some(label)
}

/// No label of a host is empty, so before the dot there is one.
fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|front| front.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};

    use super::*;
    use crate::kind::Kind;

    fn endpoint(text: &str) -> Endpoint {
        Endpoint::parse(text).unwrap()
    }

    #[test]
    fn every_host_of_the_catalogue_names_its_region() {
        for entry in RegionEntry::all() {
            for kind in [Kind::Public, Kind::Internal, Kind::DualStack] {
                for set in entry.hosts {
                    let Some(host) = entry.host(kind, set.network) else { continue };
                    let region = endpoint(host).region().map(|region| region.to_string());
                    assert_eq!(region.as_deref(), Some(entry.id), "{host}");
                }
            }
        }
        let cases = [
            ("oss-xx-nowhere-1.aliyuncs.com", Some("xx-nowhere-1")),
            ("oss-xx-nowhere-1-internal.aliyuncs.com", Some("xx-nowhere-1")),
            ("oss-cn-hzjbp-b-internal.aliyuncs.com", Some("cn-hangzhou-finance")),
            ("oss-accelerate.aliyuncs.com", None),
            ("oss-accelerate-overseas.aliyuncs.com", None),
            ("bucket.oss.aliyuncs.com", None),
            ("bucket.oss-cn-hangzhou.aliyuncs.com", None),
            ("oss-.aliyuncs.com", None),
            ("oss-cn-hangzhou.aliyuncs.com.evil.example", None),
            ("127.0.0.1", None),
        ];
        for (host, expected) in cases {
            let region = Endpoint::parse(host).ok().and_then(|endpoint| endpoint.region());
            assert_eq!(region.map(String::from).as_deref(), expected, "{host}");
        }
    }

    #[test]
    fn f46_f47_a_service_is_oss_or_one_domain_or_one_address() {
        const OSS: &str = "oss-cn-hangzhou.aliyuncs.com";
        let same = [
            (OSS, "oss-cn-hangzhou-internal.aliyuncs.com"),
            (OSS, "oss-xx-nowhere-1.aliyuncs.com"),
            (OSS, "cn-beijing.oss.aliyuncs.com"),
            (OSS, "oss-accelerate.aliyuncs.com"),
            ("oss-accelerate.aliyuncs.com", OSS),
            ("cn-hangzhou.oss.aliyuncs.com", OSS),
            ("oss.corp.example", "oss.corp.example:8443"),
            ("oss.corp.example", "node-2.oss.corp.example"),
            ("oss.corp.example", "a.b.oss.corp.example"),
            ("localhost:9000", "localhost"),
            ("127.0.0.1", "127.0.0.1:80"),
            ("[::1]", "[0:0::1]"),
        ];
        for (ours, theirs) in same {
            assert!(endpoint(ours).is_same_service(&endpoint(theirs)), "{ours} {theirs}");
        }
        let other = [
            (OSS, "oss-cn-hangzhou.aliyuncs.com.evil.example"),
            (OSS, "evil.oss-cn-hangzhou.aliyuncs.com"),
            (OSS, "evil.oss.aliyuncs.com"),
            (OSS, "oss-cn-hangzhou.evil.aliyuncs.com"),
            (OSS, "oss.aliyuncs.com"),
            (OSS, "ecs.aliyuncs.com"),
            (OSS, "evil-oss-cn-hangzhou.aliyuncs.com"),
            (OSS, "oss-cn-hangzhou.evilaliyuncs.com"),
            (OSS, "aliyuncs.com"),
            (OSS, "127.0.0.1"),
            ("aliyuncs.com", OSS),
            ("oss.corp.example", "evil-oss.corp.example"),
            ("oss.corp.example", "corp.example"),
            ("oss.corp.example", "oss.corp.example.evil.example"),
            ("oss.corp.example", OSS),
            ("minio", "evil.minio"),
            ("localhost", "evil.localhost"),
            ("127.0.0.1", "127.0.0.2"),
            ("1.2.3.4", "9.1.2.3.4.example"),
            ("127.0.0.1", "localhost"),
        ];
        for (ours, theirs) in other {
            assert!(!endpoint(ours).is_same_service(&endpoint(theirs)), "{ours} {theirs}");
        }
    }
}
