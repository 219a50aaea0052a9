//! The regions of OSS as data: which hosts each has, and which it has not.

mod rows;

use crate::kind::{ACCELERATE, ACCELERATE_OVERSEAS, Kind};
use crate::region::Region;

/// What the OSS documents say of a region ("Regions and endpoints").
///
/// An id that the catalogue does not know may still be a region, one that is newer than
/// [`RegionEntry::AS_OF`]: its hosts then follow the formulas of [`Kind`].
///
/// ```
/// use oss_endpoint::{FinanceNetwork, Kind, Region, RegionStatus};
///
/// let entry = |id| Region::parse(id).ok()?.entry();
/// let finance = entry("cn-hangzhou-finance").expect("a finance region is in the catalogue");
/// let internal = |network| finance.host(Kind::Internal, network);
/// assert_eq!(internal(Some(FinanceNetwork::Private)), Some("oss-cn-hzjbp-a-internal.aliyuncs.com"));
/// assert_eq!(internal(Some(FinanceNetwork::Public)), Some("oss-cn-hzfinance-internal.aliyuncs.com"));
///
/// assert_eq!(entry("ap-south-1").map(|entry| entry.status), Some(RegionStatus::Closed));
/// assert_eq!(entry("xx-nowhere-1"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RegionEntry {
    /// The id, which version 4 signatures take: `cn-hangzhou`.
    pub id: &'static str,
    /// The name for people: `China (Hangzhou)`.
    pub name: &'static str,
    /// The cloud it belongs to.
    pub cloud: Cloud,
    /// Whether it lies in the Chinese mainland, where some accounts need a domain of their own.
    pub is_mainland: bool,
    /// Whether it is still in service.
    pub status: RegionStatus,
    /// The hosts: one set, or in the finance cloud one for the private network, then one for the public.
    pub hosts: &'static [HostSet],
    /// A peculiarity in a lower-case phrase, or nothing.
    pub note: &'static str,
    /// The copies of "Regions and endpoints" that have this row, the newest first, each with its date.
    pub sources: &'static [&'static str],
}

/// The hosts of a region, or of one of the two networks of a finance region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct HostSet {
    /// The network, in the finance cloud.
    pub network: Option<FinanceNetwork>,
    /// How OSS names the place of a bucket, as `GetBucketLocation` does: `oss-cn-hangzhou`.
    pub location: &'static str,
    /// The host that is reached from anywhere.
    pub public: Option<&'static str>,
    /// The host that is reached from servers of Alibaba Cloud in the region.
    pub internal: Option<&'static str>,
    /// Further hosts that do the same as `internal`.
    pub internal_alternates: &'static [&'static str],
    /// The host over IPv4 and IPv6.
    pub dual_stack: Option<&'static str>,
}

/// The network of the finance cloud in which a bucket was made: one id, two sets of hosts.
///
/// A bucket belongs to one of them and is unknown on the hosts of the other. `GetBucketInfo` and
/// `DescribeRegions` say which hosts to use.
#[expect(clippy::exhaustive_enums, reason = "the finance cloud has these two")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FinanceNetwork {
    /// Reached inside the finance cloud only: it has an internal host and no other.
    Private,
    /// Reached from outside as well.
    Public,
}

/// One of the clouds that have regions of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Cloud {
    /// The cloud that everyone can use.
    Public,
    /// Alibaba Finance Cloud. Its hosts do not follow the formulas.
    Finance,
    /// Alibaba Gov Cloud.
    Government,
}

/// Whether a region is still in service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RegionStatus {
    /// In service.
    Active,
    /// Announced to close.
    ClosingDown,
    /// Out of service.
    Closed,
}

impl Region {
    /// What the documents say of this region; `None` for an id that is not among theirs.
    #[must_use]
    pub fn entry(&self) -> Option<&'static RegionEntry> {
        RegionEntry::all().iter().find(|entry| entry.id == self.as_str())
    }
}

impl RegionEntry {
    /// The date on which the documents were read, in the form `YYYY-MM-DD`.
    pub const AS_OF: &'static str = "2026-11-21";

    /// Every region of the documents, in their order.
    #[must_use]
    pub fn all() -> &'static [Self] {
        rows::ROWS
    }

    /// The host of a kind, or `None` where the documents have none.
    ///
    /// In the finance cloud, a network that is named has the say. With `None` the public and the dual-stack
    /// host are those of the public network, which alone has them, and the internal host is that of the
    /// private network, as in the documents on configuring a client. Elsewhere `network` is without effect.
    ///
    /// The hosts of transfer acceleration are the same for every region, and whether a bucket may use them is
    /// the bucket's configuration.
    #[must_use]
    pub fn host(&self, kind: Kind, network: Option<FinanceNetwork>) -> Option<&'static str> {
        let fits = |set: &&HostSet| network.is_none() || set.network.is_none() || set.network == network;
        self.hosts.iter().filter(fits).find_map(|set| match kind {
            Kind::Public => set.public,
            Kind::Internal => set.internal,
            Kind::DualStack => set.dual_stack,
            Kind::Accelerate => Some(ACCELERATE),
            Kind::AccelerateOverseas => Some(ACCELERATE_OVERSEAS),
        })
    }

    /// The region and the hosts whose location it is, as in `oss-cn-hangzhou`; no id has this form.
    pub(crate) fn of_location(location: &str) -> Option<(&'static Self, &'static HostSet)> {
        let mut sets = Self::all().iter().flat_map(|entry| entry.hosts.iter().map(move |set| (entry, set)));
        sets.find(|(_, set)| set.location == location)
    }

    /// Whether a host that the catalogue does not have would have the name that the formula gives.
    pub(crate) fn follows_formulas(&self) -> bool {
        self.cloud != Cloud::Finance
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;
    use alloc::vec::Vec;

    use super::*;

    fn ids(holds: impl Fn(&RegionEntry) -> bool) -> Vec<&'static str> {
        RegionEntry::all().iter().filter(|entry| holds(entry)).map(|entry| entry.id).collect()
    }

    #[test]
    fn the_clouds_have_their_regions() {
        for (cloud, count) in [(Cloud::Public, 35), (Cloud::Finance, 4), (Cloud::Government, 1)] {
            assert_eq!(ids(|entry| entry.cloud == cloud).len(), count, "{cloud:?}");
        }
        assert_eq!(ids(|entry| entry.cloud == Cloud::Government), ["cn-north-2-gov-1"]);
        assert_eq!(ids(|entry| entry.status == RegionStatus::ClosingDown), ["cn-nanjing", "cn-fuzhou"]);
        assert_eq!(ids(|entry| entry.status == RegionStatus::Closed), ["ap-southeast-2", "ap-south-1"]);
        let without_internal = ids(|entry| entry.host(Kind::Internal, None).is_none());
        assert_eq!(without_internal, ["rg-china-mainland"]);
        // Thirteen public regions, the government's, and the public network of three finance regions.
        let dual_stack = ids(|entry| entry.host(Kind::DualStack, None).is_some());
        assert_eq!(dual_stack.len(), 13 + 1 + 3, "{dual_stack:?}");
        assert!(dual_stack.contains(&"eu-central-1") && !dual_stack.contains(&"us-west-1"));
    }

    #[test]
    fn what_is_peculiar_of_a_region_is_noted() {
        let noted = ids(|entry| !entry.note.is_empty() && entry.cloud != Cloud::Finance);
        assert_eq!(noted, ["rg-china-mainland", "ap-southeast-2", "ap-south-1", "me-central-1"]);
        // Where hosts follow no formula, each row says in what it differs.
        assert_eq!(ids(|entry| entry.note.is_empty() && entry.cloud == Cloud::Finance), [""; 0]);
    }

    #[test]
    fn b01_every_id_is_a_region_and_no_location_is_an_id() {
        let mut seen = BTreeSet::new();
        for entry in RegionEntry::all() {
            assert_eq!(Region::parse(entry.id).unwrap().entry(), Some(entry));
            assert!(!entry.sources.is_empty() && !entry.name.is_empty(), "{}", entry.id);
            assert!(entry.host(Kind::Public, None).is_some(), "{}", entry.id);
            assert!(seen.insert(entry.id), "{} twice", entry.id);
            for set in entry.hosts {
                assert_eq!(RegionEntry::of_location(set.location), Some((entry, set)));
                assert!(seen.insert(set.location), "{} twice", set.location);
                let hosts = [set.public, set.internal, set.dual_stack].into_iter().flatten();
                for host in hosts.chain(set.internal_alternates.iter().copied()) {
                    assert!(host.ends_with(".aliyuncs.com") && seen.insert(host), "{host}");
                }
            }
        }
    }

    #[test]
    fn the_public_cloud_and_the_governments_follow_the_formulas() {
        for entry in RegionEntry::all().iter().filter(|entry| entry.cloud != Cloud::Finance) {
            assert_eq!(entry.hosts.len(), 1);
            let region = Region::parse(entry.id).unwrap();
            for kind in [Kind::Public, Kind::Internal, Kind::DualStack] {
                for network in [None, Some(FinanceNetwork::Private), Some(FinanceNetwork::Public)] {
                    let host = entry.host(kind, network);
                    assert!(host.is_none_or(|host| host == kind.formula(&region)), "{host:?}");
                }
            }
        }
    }

    #[test]
    fn the_finance_cloud_has_two_sets_of_hosts() {
        use FinanceNetwork::{Private, Public};
        let rows = [
            ("cn-hangzhou-finance", "hzjbp-a", "hzfinance", Some("cn-hangzhou-finance")),
            (
                "cn-shanghai-finance-1",
                "shanghai-finance-1",
                "shanghai-finance-1-pub",
                Some("cn-shanghai-finance"),
            ),
            ("cn-shenzhen-finance-1", "shenzhen-finance-1", "szfinance", Some("cn-shenzhen-finance")),
            ("cn-beijing-finance-1", "beijing-finance-1", "beijing-finance-1-pub", None),
        ];
        assert_eq!(ids(|entry| entry.cloud == Cloud::Finance), rows.map(|row| row.0));
        for (id, private, public, dual_stack) in rows {
            let entry = Region::parse(id).unwrap().entry().unwrap();
            let host = |kind, network| entry.host(kind, network).map(alloc::string::String::from);
            let internal = |name| Some(alloc::format!("oss-cn-{name}-internal.aliyuncs.com"));
            let dual_stack = dual_stack.map(|name| alloc::format!("{name}.oss.aliyuncs.com"));
            for network in [None, Some(Public)] {
                assert_eq!(host(Kind::Public, network), Some(alloc::format!("oss-cn-{public}.aliyuncs.com")));
                assert_eq!(host(Kind::DualStack, network), dual_stack);
            }
            assert_eq!(host(Kind::Internal, None), internal(private));
            assert_eq!(host(Kind::Internal, Some(Private)), internal(private));
            assert_eq!(host(Kind::Internal, Some(Public)), internal(public));
            assert_eq!(host(Kind::Public, Some(Private)), None);
            assert_eq!(host(Kind::DualStack, Some(Private)), None);
        }
    }
}
