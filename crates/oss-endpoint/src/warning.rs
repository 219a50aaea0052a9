//! What a person should know of a configuration that works, or may.

use alloc::vec::Vec;
use core::fmt;

use crate::catalogue::{Cloud, FinanceNetwork, RegionEntry, RegionStatus};
use crate::kind::Kind;
use crate::options::EndpointOptions;
use crate::region::Region;

/// Something in a configuration that is likely not meant, or will not last. It stops nothing.
///
/// `Display` says what it is and what to do, in one line for a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointWarning {
    /// The region is announced to close.
    ClosingDown {
        /// The id of the region.
        region: &'static str,
    },
    /// The region is out of service.
    Closed {
        /// The id of the region.
        region: &'static str,
    },
    /// The region is the name of a location, which is an id with `oss-` in front.
    Location {
        /// The location that stands for the region.
        location: &'static str,
        /// The id that is likely meant.
        region: &'static str,
    },
    /// The region has two networks with an internal host each, and nothing says which one is meant.
    FinanceNetwork {
        /// The id of the region.
        region: &'static str,
        /// The internal host that is used, of the private network.
        used: &'static str,
        /// The internal host of the public network.
        other: &'static str,
    },
    /// The documents have no host of this kind for the region; the formula is used, as allowed.
    Unlisted {
        /// The id of the region.
        region: &'static str,
        /// The kind of host.
        kind: Kind,
    },
    /// The documents have no transfer acceleration for the cloud of the region.
    Acceleration {
        /// The id of the region.
        region: &'static str,
    },
    /// Overseas acceleration is for buckets outside the Chinese mainland, and the region is in it.
    Overseas {
        /// The id of the region.
        region: &'static str,
    },
}

impl EndpointOptions {
    /// What a person should know of this configuration, worth a line in a log each; often nothing.
    ///
    /// It says nothing of what [`EndpointOptions::resolve`] refuses. A region that has closed is named even
    /// beside an `endpoint`, since its id is what requests are signed for.
    #[must_use]
    pub fn warnings(&self) -> Vec<EndpointWarning> {
        let Some(region) = &self.region else { return Vec::new() };
        let warnings = match region.entry() {
            None => [of_name(region), None],
            Some(entry) => [of_status(entry), self.of_host(entry)],
        };
        warnings.into_iter().flatten().collect()
    }

    fn of_host(&self, entry: &RegionEntry) -> Option<EndpointWarning> {
        if self.explicit().is_some() {
            return None;
        }
        let (kind, region) = (self.kind().ok()?, entry.id);
        if matches!(kind, Kind::Accelerate | Kind::AccelerateOverseas) && entry.cloud != Cloud::Public {
            return Some(EndpointWarning::Acceleration { region });
        }
        if kind == Kind::AccelerateOverseas && entry.is_mainland {
            return Some(EndpointWarning::Overseas { region });
        }
        if entry.host(kind, None).is_none() {
            let is_used = self.allow_unlisted_host && entry.follows_formulas();
            return is_used.then_some(EndpointWarning::Unlisted { region, kind });
        }
        if entry.follows_formulas() || self.finance_network.is_some() {
            return None;
        }
        let used = entry.host(kind, Some(FinanceNetwork::Private))?;
        let other = entry.host(kind, Some(FinanceNetwork::Public))?;
        Some(EndpointWarning::FinanceNetwork { region, used, other })
    }
}

fn of_name(region: &Region) -> Option<EndpointWarning> {
    let (entry, set) = RegionEntry::of_location(region.as_str())?;
    Some(EndpointWarning::Location { location: set.location, region: entry.id })
}

fn of_status(entry: &RegionEntry) -> Option<EndpointWarning> {
    match entry.status {
        RegionStatus::Active => None,
        RegionStatus::ClosingDown => Some(EndpointWarning::ClosingDown { region: entry.id }),
        RegionStatus::Closed => Some(EndpointWarning::Closed { region: entry.id }),
    }
}

impl fmt::Display for EndpointWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let as_of = RegionEntry::AS_OF;
        match self {
            Self::ClosingDown { region } => {
                write!(f, "region `{region}` is closing down, as of {as_of}: move its buckets to another one")
            }
            Self::Closed { region } => {
                write!(f, "region `{region}` is out of service, as of {as_of}: choose another one")
            }
            Self::Location { location, region } => {
                write!(f, "`{location}` is the name of a location: set `region` to `{region}`")
            }
            Self::FinanceNetwork { region, used, other } => write!(
                f,
                "region `{region}` has two networks: {used} is used, for a bucket of the private one; for a \
                 bucket of the public one, set `finance_network` to reach {other}"
            ),
            Self::Unlisted { region, kind } => write!(
                f,
                "region `{region}` has no {kind} host, as of {as_of}: one is made up because of \
                 `allow_unlisted_host`"
            ),
            Self::Acceleration { region } => write!(
                f,
                "region `{region}` is not in the public cloud, and transfer acceleration is documented for \
                 no other: unset the switch if requests fail"
            ),
            Self::Overseas { region } => write!(
                f,
                "region `{region}` is in the Chinese mainland, and overseas acceleration is for buckets \
                 outside it: set `use_accelerate_endpoint` instead"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};

    use super::*;

    fn region(id: &str) -> EndpointOptions {
        EndpointOptions { region: Some(Region::parse(id).unwrap()), ..EndpointOptions::default() }
    }

    fn told(options: &EndpointOptions) -> Vec<String> {
        options.warnings().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn most_configurations_have_no_warning() {
        let options = [
            EndpointOptions::default(),
            region("cn-hangzhou"),
            region("xx-nowhere-1"),
            EndpointOptions { use_dualstack_endpoint: true, ..region("us-west-1") },
            EndpointOptions { allow_unlisted_host: true, ..region("us-west-1") },
            EndpointOptions { use_accelerate_endpoint: true, ..region("cn-hangzhou") },
            EndpointOptions { use_accelerate_overseas_endpoint: true, ..region("ap-southeast-1") },
            region("cn-hangzhou-finance"),
            EndpointOptions { use_dualstack_endpoint: true, ..region("cn-hangzhou-finance") },
            EndpointOptions { use_internal_endpoint: true, ..region("cn-north-2-gov-1") },
            EndpointOptions {
                use_internal_endpoint: true,
                finance_network: Some(FinanceNetwork::Private),
                ..region("cn-hangzhou-finance")
            },
            EndpointOptions {
                use_internal_endpoint: true,
                endpoint: Some("oss-cn-hzjbp-a-internal.aliyuncs.com".into()),
                ..region("cn-hangzhou-finance")
            },
        ];
        for options in options {
            assert_eq!(told(&options), [""; 0], "{options:?}");
        }
    }

    #[test]
    fn each_warning_says_what_to_do() {
        let cases = [
            (
                region("cn-nanjing"),
                "region `cn-nanjing` is closing down, as of 2026-11-21: move its buckets to another one",
            ),
            (
                EndpointOptions { endpoint: Some("oss.example".into()), ..region("ap-south-1") },
                "region `ap-south-1` is out of service, as of 2026-11-21: choose another one",
            ),
            (
                region("oss-cn-hzfinance"),
                "`oss-cn-hzfinance` is the name of a location: set `region` to `cn-hangzhou-finance`",
            ),
            (
                EndpointOptions { use_internal_endpoint: true, ..region("cn-hangzhou-finance") },
                "region `cn-hangzhou-finance` has two networks: oss-cn-hzjbp-a-internal.aliyuncs.com is \
                 used, for a bucket of the private one; for a bucket of the public one, set \
                 `finance_network` to reach oss-cn-hzfinance-internal.aliyuncs.com",
            ),
            (
                EndpointOptions {
                    use_dualstack_endpoint: true,
                    allow_unlisted_host: true,
                    ..region("us-west-1")
                },
                "region `us-west-1` has no dual-stack host, as of 2026-11-21: one is made up because of \
                 `allow_unlisted_host`",
            ),
            (
                EndpointOptions { use_accelerate_endpoint: true, ..region("cn-north-2-gov-1") },
                "region `cn-north-2-gov-1` is not in the public cloud, and transfer acceleration is \
                 documented for no other: unset the switch if requests fail",
            ),
            (
                EndpointOptions { use_accelerate_overseas_endpoint: true, ..region("cn-hangzhou") },
                "region `cn-hangzhou` is in the Chinese mainland, and overseas acceleration is for buckets \
                 outside it: set `use_accelerate_endpoint` instead",
            ),
        ];
        for (options, expected) in cases {
            assert_eq!(told(&options), [expected]);
        }
    }
}
