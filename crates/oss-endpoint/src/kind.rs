//! The kinds of hosts that OSS itself has for a region.

use alloc::format;
use alloc::string::String;
use core::fmt;

use crate::catalogue::{Cloud, FinanceNetwork};
use crate::error::EndpointError;
use crate::region::Region;

/// A kind of host that OSS has for a region.
///
/// Which hosts a region has is in its [`RegionEntry`](crate::RegionEntry); those of a region without one
/// follow the formulas below ("Regions and endpoints").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// `oss-{region}.aliyuncs.com`, from anywhere.
    #[default]
    Public,
    /// `oss-{region}-internal.aliyuncs.com`, from servers of Alibaba Cloud in the same region, without
    /// charge for traffic.
    Internal,
    /// `{region}.oss.aliyuncs.com`, over IPv4 and IPv6.
    DualStack,
    /// `oss-accelerate.aliyuncs.com`, for buckets with transfer acceleration.
    Accelerate,
    /// `oss-accelerate-overseas.aliyuncs.com`, for buckets with transfer acceleration outside the Chinese
    /// mainland.
    AccelerateOverseas,
}

impl Kind {
    /// The host of this kind for a region, and the only place that decides on one: the catalogue's, else the
    /// formula's.
    pub(crate) fn host(
        self,
        region: &Region,
        network: Option<FinanceNetwork>,
        allow_unlisted: bool,
    ) -> Result<String, EndpointError> {
        let Some(entry) = region.entry() else { return Ok(self.formula(region)) };
        match entry.host(self, network) {
            Some(host) => Ok(String::from(host)),
            None if allow_unlisted && entry.follows_formulas() => Ok(self.formula(region)),
            None => {
                let network = network.filter(|_| entry.cloud == Cloud::Finance);
                Err(EndpointError::NoHost { region: entry.id, kind: self, network })
            }
        }
    }

    /// The host that the formula gives, whether the region has it or not.
    pub(crate) fn formula(self, region: &Region) -> String {
        match self {
            Self::Public => format!("oss-{region}.aliyuncs.com"),
            Self::Internal => format!("oss-{region}-internal.aliyuncs.com"),
            Self::DualStack => format!("{region}.oss.aliyuncs.com"),
            Self::Accelerate => String::from(ACCELERATE),
            Self::AccelerateOverseas => String::from(ACCELERATE_OVERSEAS),
        }
    }
}

/// As in `a dual-stack host`.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::DualStack => "dual-stack",
            Self::Accelerate => "acceleration",
            Self::AccelerateOverseas => "overseas acceleration",
        })
    }
}

pub(crate) const ACCELERATE: &str = "oss-accelerate.aliyuncs.com";
pub(crate) const ACCELERATE_OVERSEAS: &str = "oss-accelerate-overseas.aliyuncs.com";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_formula() {
        let region = Region::parse("cn-hangzhou").unwrap();
        let cases = [
            (Kind::Public, "oss-cn-hangzhou.aliyuncs.com"),
            (Kind::Internal, "oss-cn-hangzhou-internal.aliyuncs.com"),
            (Kind::DualStack, "cn-hangzhou.oss.aliyuncs.com"),
            (Kind::Accelerate, "oss-accelerate.aliyuncs.com"),
            (Kind::AccelerateOverseas, "oss-accelerate-overseas.aliyuncs.com"),
        ];
        for (kind, expected) in cases {
            assert_eq!(kind.formula(&region), expected);
        }
    }
    #[test]
    fn the_catalogue_is_asked_before_the_formula() {
        let host = |kind: Kind, id: &str, allow| kind.host(&Region::parse(id).unwrap(), None, allow);
        let finance = host(Kind::Public, "cn-hangzhou-finance", false);
        assert_eq!(finance.as_deref(), Ok("oss-cn-hzfinance.aliyuncs.com"));
        let unknown = host(Kind::DualStack, "xx-nowhere-1", false);
        assert_eq!(unknown.as_deref(), Ok("xx-nowhere-1.oss.aliyuncs.com"));
        let refused = |kind, region| Err(EndpointError::NoHost { region, kind, network: None });
        assert_eq!(host(Kind::DualStack, "us-west-1", false), refused(Kind::DualStack, "us-west-1"));
        let allowed = host(Kind::DualStack, "us-west-1", true);
        assert_eq!(allowed.as_deref(), Ok("us-west-1.oss.aliyuncs.com"));
        // The formula never holds in the finance cloud, so allowing it changes nothing.
        let beijing = "cn-beijing-finance-1";
        assert_eq!(host(Kind::DualStack, beijing, true), refused(Kind::DualStack, beijing));
    }
}
