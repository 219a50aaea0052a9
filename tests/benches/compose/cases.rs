//! What is composed: an upload and a list as applications make them.

use oss_proto::{
    Credentials, Draft, Endpoint, ListObjectsV2, Operation, PutObject, Region, Service, UnixTime,
};

/// The drafts, by name.
pub(crate) fn drafts() -> [(&'static str, Draft); 2] {
    let put = PutObject::new("examplebucket", "holiday photos/2023/12/图片 0001.jpg", "hello")
        .storage_class("IA")
        .content_type("image/jpeg")
        .metadata([("author", "alice")])
        .forbid_overwrite(true)
        .content_md5("eB5eJF1ptWaXm4bijSPyxw==");
    let list = ListObjectsV2::new("examplebucket")
        .prefix("holiday photos/2023/")
        .delimiter("/")
        .max_keys(1000)
        .fetch_owner(true)
        .start_after("holiday photos/2023/12/0001.jpg")
        .continuation_token("ChR1c2VyL2VyaWMvZGVtbzMuanNvbhAA");
    [("put_object", put.draft().expect(VALID)), ("list_objects_v2", list.draft().expect(VALID))]
}

/// The public endpoint of a region.
pub(crate) fn service() -> Service {
    let region = Region::parse("cn-hangzhou").expect(VALID);
    Service::new(Endpoint::public(&region)).with_region(region)
}

/// A key pair without a token.
pub(crate) fn credentials() -> Credentials {
    Credentials::new("LTAI5tExampleExampleKey1", "ExampleSecretExampleSecretAbcd").expect(VALID)
}

/// The time of signing.
pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_702_743_657);
const VALID: &str = "the parts of the cases are valid";
