//! The kinds of hosts that OSS itself has for a region.

use alloc::format;
use alloc::string::String;

use crate::region::Region;

/// A kind of host that OSS has for a region.
///
/// The hosts follow the formulas of "Regions and endpoints". Regions of the finance cloud do not obey them:
/// give such a region an explicit endpoint.
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
    /// The host of this kind for a region: the only place that knows one, so that a catalogue of the
    /// regions which break the formulas can be asked here first.
    pub(crate) fn host(self, region: &Region) -> String {
        match self {
            Self::Public => format!("oss-{region}.aliyuncs.com"),
            Self::Internal => format!("oss-{region}-internal.aliyuncs.com"),
            Self::DualStack => format!("{region}.oss.aliyuncs.com"),
            Self::Accelerate => String::from(ACCELERATE),
            Self::AccelerateOverseas => String::from(ACCELERATE_OVERSEAS),
        }
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
            assert_eq!(kind.host(&region), expected);
        }
    }
}
