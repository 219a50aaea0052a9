//! Whatever a client with a key sends, it is answered, and never with an error of the server.
#![allow(clippy::unwrap_used)]

mod common;

use common::Bench;
use proptest::prelude::*;

/// Every sub-resource that chooses an operation, and some that choose none.
#[rustfmt::skip]
const SUBS: &[&str] = &[
    "", "accessmonitor", "acl", "append", "bucketArchiveDirectRead", "bucketInfo",
    "cleanRestoredObject", "cloudboxes", "cname", "comp=add", "comp=delete", "cors", "delete",
    "encryption", "httpsConfig", "inventory", "inventoryId=i", "lifecycle", "list-type=2", "live",
    "location", "logging", "metaQuery", "objectMeta", "overwriteConfig", "partNumber=1", "policy",
    "policyStatus", "position=0", "position=7", "publicAccessBlock", "referer", "regions",
    "replication", "replicationLocation", "replicationProgress", "requestPayment", "resourceGroup",
    "restore", "rtc", "rule-id=r", "seal", "stat", "style", "styleName=s", "symlink", "tagging",
    "transferAcceleration", "uploadId=u", "uploads", "userDefinedLogFieldsConfig", "versionId=null",
    "versionId=x", "versioning", "versions", "website", "worm", "wormExtend", "wormId=w", "max-keys=1",
    "prefix=k", "delimiter=%2F", "x-oss-process=style%2Fa",
];

const BODIES: &[&str] = &[
    "",
    "text",
    "{}",
    r#"{"Statement":[{"Effect":"Allow","Principal":"*"}]}"#,
    "<Delete><Object><Key>k</Key><VersionId>null</VersionId></Object></Delete>",
    "<Delete><Quiet>true</Quiet><Object><Key>k</Key></Object></Delete>",
    "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
    "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>",
    "<RestoreRequest><Days>3</Days><JobParameters><Tier>Bulk</Tier></JobParameters></RestoreRequest>",
    "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
    "<LifecycleConfiguration><Rule><Status>Enabled</Status></Rule></LifecycleConfiguration>",
    "<InitiateWormConfiguration><RetentionPeriodInDays>9</RetentionPeriodInDays></InitiateWormConfiguration>",
    "<ReplicationRules><ID>r</ID></ReplicationRules>",
    "<Style><Content>c</Content></Style>",
    "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part>\
     </CompleteMultipartUpload>",
    "<OverwriteConfiguration><Rule><Action>forbid</Action></Rule></OverwriteConfiguration>",
];

const HEADERS: &[(&str, &str)] = &[
    ("x-oss-copy-source", "/examplebucket/k"),
    ("x-oss-copy-source", "/examplebucket/k?versionId=null"),
    ("x-oss-copy-source-range", "bytes=0-1"),
    ("x-oss-symlink-target", "k"),
    ("x-oss-symlink-target", "%ff"),
    ("x-oss-storage-class", "Archive"),
    ("x-oss-storage-class", "ColdArchive"),
    ("x-oss-forbid-overwrite", "true"),
    ("x-oss-acl", "public-read"),
    ("x-oss-object-acl", "private"),
    ("x-oss-tagging", "a=b"),
    ("x-oss-callback", "eyJjYWxsYmFja1VybCI6InUiLCJjYWxsYmFja0JvZHkiOiIkeyJ9"),
    ("x-oss-complete-all", "yes"),
    ("x-oss-range-behavior", "standard"),
    ("range", "bytes=0-0"),
    ("content-type", "multipart/form-data; boundary=b"),
];

proptest! {
    #[test]
    fn every_request_is_answered(
        requests in prop::collection::vec(
            (
                prop::sample::select(&["GET", "PUT", "POST", "DELETE", "HEAD"][..]),
                prop::sample::select(&["/", "/examplebucket/", "/examplebucket/k", "/examplebucket/l"][..]),
                prop::collection::vec(prop::sample::select(SUBS), 0..3),
                prop::collection::vec(prop::sample::select(HEADERS), 0..3),
                prop::sample::select(BODIES),
            ),
            1..25,
        ),
    ) {
        let mut bench = Bench::new(0);
        for (method, resource, subs, headers, body) in requests {
            let answer = bench.send(method, resource, &subs.join("&"), &headers, body.as_bytes());
            prop_assert!(answer.header("x-oss-request-id").is_some());
            prop_assert_ne!(answer.status, 500);
        }
        prop_assert_eq!(bench.emulator.open_bodies(), 0);
    }
}
