//! Operations on the service.

use alloc::string::String;
use alloc::vec::Vec;

use oss_sign::UnixTime;

use super::words::StorageClass;
use crate::operation::next_marker;
use crate::{Paged, ReadError};

operation! {
    /// Lists the buckets of the account, in pages of up to 1,000.
    ///
    /// [ListBuckets](https://help.aliyun.com/zh/oss/developer-reference/listbuckets)
    ListBuckets = GET Service [] () {
        /// Only buckets whose names begin with this.
        prefix:            String = query "prefix",
        /// Only buckets whose names come after this one.
        marker:            String = query "marker",
        /// The most buckets in a page: 1 to 1,000; 100 when absent.
        max_keys:          u32    = query "max-keys",
        /// Only buckets with a tag of this key.
        tag_key:           String = query "tag-key",
        /// Only buckets whose tag has this value; needs `tag_key`.
        tag_value:         String = query "tag-value",
        /// Only buckets with these tags, as `"k1":"v1","k2":"v2"`.
        tagging:           String = query "tagging",
        /// Only buckets of this resource group.
        resource_group_id: String = header "x-oss-resource-group-id",
    } -> xml "ListAllMyBucketsResult" ListBucketsOutput {
        /// The prefix that was asked for.
        prefix:       Option<String>        = xml "Prefix",
        /// The marker that was asked for.
        marker:       Option<String>        = xml "Marker",
        /// The page size that was used.
        max_keys:     Option<u32>           = xml "MaxKeys",
        /// Whether there is another page.
        is_truncated: Option<bool>          = xml "IsTruncated",
        /// Where the next page begins.
        next_marker:  Option<String>        = xml "NextMarker",
        /// The account.
        owner:        Option<Owner>         = xml "Owner",
        /// The buckets, by name.
        buckets:      Vec<BucketProperties> = xml "Buckets" > "Bucket",
    }
}

impl Paged for ListBuckets {
    fn next(&self, page: &ListBucketsOutput) -> Result<Option<Self>, ReadError> {
        let next = next_marker(
            page.is_truncated,
            self.marker.as_deref(),
            page.next_marker.as_deref(),
            |next, used| next > used,
        )?;
        Ok(next.map(|marker| self.clone().marker(marker)))
    }
}

shape! {
    /// An account.
    Owner {
        /// The account's id.
        id:           Option<String> = xml "ID",
        /// The account's name; OSS gives the id.
        display_name: Option<String> = xml "DisplayName",
    }

    /// A bucket in a list.
    BucketProperties {
        /// Its name.
        name:              Option<String>       = xml "Name",
        /// Its data centre: `oss-cn-hangzhou`.
        location:          Option<String>       = xml "Location",
        /// When it was created.
        creation_date:     Option<UnixTime>     = xml "CreationDate",
        /// The storage class of its objects, unless they say otherwise.
        storage_class:     Option<StorageClass> = xml "StorageClass",
        /// Its public endpoint.
        extranet_endpoint: Option<String>       = xml "ExtranetEndpoint",
        /// Its endpoint inside Alibaba Cloud.
        intranet_endpoint: Option<String>       = xml "IntranetEndpoint",
        /// Its region: `cn-hangzhou`.
        region:            Option<String>       = xml "Region",
        /// Its resource group.
        resource_group_id: Option<String>       = xml "ResourceGroupId",
    }
}

operation! {
    /// Lists the cloud boxes of the account, in pages of up to 1,000.
    ///
    /// [ListCloudBoxes](https://help.aliyun.com/zh/oss/developer-reference/listcloudboxes)
    ListCloudBoxes = GET Service ["cloudboxes" = ""] () {
        /// Only cloud boxes whose ids begin with this.
        prefix:   String = query "prefix",
        /// Only cloud boxes whose ids come after this one.
        marker:   String = query "marker",
        /// The most cloud boxes in a page: 1 to 1,000; 100 when absent.
        max_keys: u32    = query "max-keys",
    } -> xml "ListCloudBoxResult" ListCloudBoxesOutput {
        /// The prefix that was asked for.
        prefix:       Option<String>          = xml "Prefix",
        /// The marker that was asked for.
        marker:       Option<String>          = xml "Marker",
        /// The page size that was used.
        max_keys:     Option<u32>             = xml "MaxKeys",
        /// Whether there is another page.
        is_truncated: Option<bool>            = xml "IsTruncated",
        /// Where the next page begins.
        next_marker:  Option<String>          = xml "NextMarker",
        /// The account.
        owner:        Option<Owner>           = xml "Owner",
        /// The cloud boxes, by id.
        cloud_boxes:  Vec<CloudBoxProperties> = xml "CloudBoxes" > "CloudBox",
    }
}

impl Paged for ListCloudBoxes {
    fn next(&self, page: &ListCloudBoxesOutput) -> Result<Option<Self>, ReadError> {
        let (used, next) = (self.marker.as_deref(), page.next_marker.as_deref());
        let next = next_marker(page.is_truncated, used, next, |next, used| next > used)?;
        Ok(next.map(|marker| self.clone().marker(marker)))
    }
}

operation! {
    /// Lists the regions of OSS with their endpoints.
    ///
    /// [DescribeRegions](https://help.aliyun.com/zh/oss/developer-reference/describeregions)
    DescribeRegions = GET Service ["regions" = ""] () {} -> xml "RegionInfoList" DescribeRegionsOutput {
        /// The regions.
        regions: Vec<RegionInfo> = xml "RegionInfo",
    }
}

shape! {
    /// A cloud box: OSS on the customer's premises.
    CloudBoxProperties {
        /// Its id: `cb-f8z7yvzgwfkl9q0h****`.
        id:               Option<String> = xml "ID",
        /// Its name.
        name:             Option<String> = xml "Name",
        /// Its region: `cn-hangzhou`.
        region:           Option<String> = xml "Region",
        /// Its endpoint for operations on buckets.
        control_endpoint: Option<String> = xml "ControlEndpoint",
        /// Its endpoint for operations on objects.
        data_endpoint:    Option<String> = xml "DataEndpoint",
        /// Another name of it.
        alias:            Option<String> = xml "Alias",
    }

    /// A region and its endpoints.
    RegionInfo {
        /// Its id: `oss-cn-hangzhou`.
        region:              Option<String> = xml "Region",
        /// Its public endpoint: `oss-cn-hangzhou.aliyuncs.com`.
        internet_endpoint:   Option<String> = xml "InternetEndpoint",
        /// Its endpoint inside Alibaba Cloud: `oss-cn-hangzhou-internal.aliyuncs.com`.
        internal_endpoint:   Option<String> = xml "InternalEndpoint",
        /// The endpoint of transfer acceleration: `oss-accelerate.aliyuncs.com`.
        accelerate_endpoint: Option<String> = xml "AccelerateEndpoint",
    }
}
