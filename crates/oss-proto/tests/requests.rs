//! What each operation says on the wire: known answers with every parameter set.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use oss_proto::{
    AppendObject, AsyncProcessObject, BucketAcl, Checksum, CleanRestoredObject, CopySource,
    DeleteObjectTagging, DescribeRegions, Draft, ETag, Effect, GetBucketAcl, GetBucketLocation,
    GetBucketRequestPayment, GetBucketStat, GetBucketVersioning, GetObjectAcl, GetObjectMeta,
    GetObjectTagging, GetSymlink, ListCloudBoxes, ListMultipartUploads, ListObjectVersions, ListObjects,
    ObjectAcl, Operation, Payer, Payload, ProcessObject, PutBucketAcl, PutBucketRequestPayment,
    PutBucketVersioning, PutObject, PutObjectAcl, PutObjectTagging, PutSymlink, RestoreObject,
    RestoreRequest, RestoreTier, SealAppendObject, SseAlgorithm, StorageClass, Tags, UnixTime,
    UploadPartCopy, VersioningStatus,
};

/// A draft on one line: method, key, query, headers and body.
fn line(draft: &Draft) -> String {
    let mut line = format!("{}", draft.method);
    if let Some(key) = &draft.key {
        line.push_str(&format!(" {key}"));
    }
    for (i, (name, value)) in draft.query.iter().enumerate() {
        let separator = if i == 0 { " ?" } else { "&" };
        line.push_str(&format!("{separator}{name}={value}"));
    }
    for (name, value) in &draft.headers {
        line.push_str(&format!(" {name}:{value}"));
    }
    if let Payload::Bytes(body) = &draft.body {
        line.push_str(&format!(" {}", core::str::from_utf8(body).unwrap()));
    }
    line
}

fn says<O: Operation>(operation: O, expected: &str) {
    assert_eq!(line(&operation.draft().unwrap()), expected);
}

const REQUESTER: &str = "requester";
const TIME: UnixTime = UnixTime::from_secs(1_702_743_657);

#[test]
fn the_account_is_asked() {
    says(
        ListCloudBoxes::new().prefix("cb").marker("cb-1").max_keys(7),
        "GET ?cloudboxes=&prefix=cb&marker=cb-1&max-keys=7",
    );
    says(DescribeRegions::new(), "GET ?regions=");
}

#[test]
fn buckets_are_set_up() {
    says(PutBucketAcl::new("b-b", BucketAcl::PublicRead), "PUT ?acl= x-oss-acl:public-read");
    says(GetBucketAcl::new("b-b"), "GET ?acl=");
    says(GetBucketLocation::new("b-b"), "GET ?location=");
    says(GetBucketStat::new("b-b"), "GET ?stat=");
    says(GetBucketVersioning::new("b-b"), "GET ?versioning=");
    says(GetBucketRequestPayment::new("b-b"), "GET ?requestPayment=");
    says(
        PutBucketVersioning::new("b-b", VersioningStatus::Enabled),
        "PUT ?versioning= content-type:application/xml content-md5:8qj8HSeDu3APPMQZVG06WQ== \
         <VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
    );
    says(
        PutBucketRequestPayment::new("b-b", Payer::Requester),
        "PUT ?requestPayment= content-type:application/xml content-md5:nY7aajIaZ01yv5qN1p0uvQ== \
         <RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>",
    );
}

#[test]
fn lists_are_asked_for() {
    says(
        ListObjects::new("b-b").prefix("p/").delimiter("/").marker("m+").max_keys(7).request_payer(REQUESTER),
        "GET ?encoding-type=url&prefix=p/&delimiter=/&marker=m+&max-keys=7 x-oss-request-payer:requester",
    );
    says(
        ListObjectVersions::new("b-b")
            .prefix("p/")
            .delimiter("/")
            .key_marker("k")
            .version_id_marker("v")
            .max_keys(7)
            .request_payer(REQUESTER),
        "GET ?versions=&encoding-type=url&prefix=p/&delimiter=/&key-marker=k&version-id-marker=v&max-keys=7 \
         x-oss-request-payer:requester",
    );
    says(
        ListMultipartUploads::new("b-b")
            .prefix("p/")
            .delimiter("/")
            .key_marker("k")
            .upload_id_marker("u")
            .max_uploads(7)
            .request_payer(REQUESTER),
        "GET ?uploads=&encoding-type=url&prefix=p/&delimiter=/&key-marker=k&upload-id-marker=u&max-uploads=7 \
         x-oss-request-payer:requester",
    );
}

#[test]
fn appends_say_where() {
    let append = AppendObject::new("b-b", "k.txt", 7u64, "more")
        .initial_crc64(9)
        .content_type("text/plain")
        .cache_control("no-cache")
        .content_disposition("inline")
        .content_encoding("identity")
        .content_language("en")
        .content_md5("1B2M2Y8AsgTpgAmY7PhCfg==")
        .expires("Sat, 16 Dec 2023 16:20:57 GMT")
        .acl(ObjectAcl::Private)
        .storage_class(StorageClass::Ia)
        .metadata([("author", "alice")])
        .tagging([("a", "b c")])
        .forbid_overwrite(true)
        .server_side_encryption(SseAlgorithm::Kms)
        .server_side_data_encryption(SseAlgorithm::Sm4)
        .server_side_encryption_key_id("key-1")
        .traffic_limit(819_200)
        .request_payer(REQUESTER);
    says(
        append,
        "POST k.txt ?append=&position=7 content-type:text/plain cache-control:no-cache \
         content-disposition:inline content-encoding:identity content-language:en \
         content-md5:1B2M2Y8AsgTpgAmY7PhCfg== expires:Sat, 16 Dec 2023 16:20:57 GMT \
         x-oss-object-acl:private x-oss-storage-class:IA x-oss-meta-author:alice x-oss-tagging:a=b%20c \
         x-oss-forbid-overwrite:true x-oss-server-side-encryption:KMS \
         x-oss-server-side-data-encryption:SM4 x-oss-server-side-encryption-key-id:key-1 \
         x-oss-traffic-limit:819200 x-oss-request-payer:requester more",
    );
    says(SealAppendObject::new("b-b", "k", 7u64), "POST k ?seal=&position=7");
}

#[test]
fn an_append_is_checked_from_its_beginning_on() {
    let checksum = |append: AppendObject| append.draft().unwrap().checksum;
    let append = |position: u64| AppendObject::new("b-b", "k", position, "more");
    assert_eq!(checksum(append(7).initial_crc64(9)), Checksum::Appended { initial: 9 });
    assert_eq!(checksum(append(0)), Checksum::Appended { initial: 0 });
    assert_eq!(checksum(append(7)), Checksum::None, "what lies before is not known");
    assert_eq!(append(7).draft().unwrap().effect, Effect::Conditional);
}

#[test]
fn objects_are_described() {
    says(
        GetObjectMeta::new("b-b", "k").version_id("v").request_payer(REQUESTER),
        "HEAD k ?objectMeta=&versionId=v x-oss-request-payer:requester",
    );
    says(
        PutObjectAcl::new("b-b", "k", ObjectAcl::Default).version_id("v").request_payer(REQUESTER),
        "PUT k ?acl=&versionId=v x-oss-object-acl:default x-oss-request-payer:requester",
    );
    says(
        GetObjectAcl::new("b-b", "k").version_id("v").request_payer(REQUESTER),
        "GET k ?acl=&versionId=v x-oss-request-payer:requester",
    );
    says(
        GetObjectTagging::new("b-b", "k").version_id("v").request_payer(REQUESTER),
        "GET k ?tagging=&versionId=v x-oss-request-payer:requester",
    );
    says(
        DeleteObjectTagging::new("b-b", "k").version_id("v").request_payer(REQUESTER),
        "DELETE k ?tagging=&versionId=v x-oss-request-payer:requester",
    );
    let tagged = "PUT k ?tagging= content-type:application/xml content-md5:cvlRw5IxUSufdac2HvYtCA== \
                  <Tagging><TagSet><Tag><Key>a</Key><Value>&lt;1&gt;</Value></Tag></TagSet></Tagging>";
    says(PutObjectTagging::new("b-b", "k", [("a", "<1>")]), tagged);
    says(PutObjectTagging::new("b-b", "k", Tags::default().with("a", "<1>")), tagged);
}

#[test]
fn links_are_made_and_read() {
    says(
        PutSymlink::new("b-b", "k", "目录/a+b")
            .acl(ObjectAcl::Private)
            .storage_class(StorageClass::Standard)
            .metadata([("author", "alice")])
            .forbid_overwrite(true)
            .request_payer(REQUESTER),
        "PUT k ?symlink= x-oss-symlink-target:%E7%9B%AE%E5%BD%95/a%2Bb x-oss-object-acl:private \
         x-oss-storage-class:Standard x-oss-meta-author:alice x-oss-forbid-overwrite:true \
         x-oss-request-payer:requester",
    );
    says(
        GetSymlink::new("b-b", "k").version_id("v").request_payer(REQUESTER),
        "GET k ?symlink=&versionId=v x-oss-request-payer:requester",
    );
    let error = PutSymlink::new("b-b", "k", "").draft().unwrap_err().to_string();
    assert!(error.starts_with("cannot send PutSymlink: x-oss-symlink-target:"), "{error}");
}

#[test]
fn parts_are_copied() {
    let source = CopySource::new("b-src", "a b").version_id("v");
    says(
        UploadPartCopy::new("b-b", "k", "u", 3u32, source)
            .range(0..100)
            .if_match(ETag::from("\"1\""))
            .if_none_match(ETag::from("\"2\""))
            .if_modified_since(TIME)
            .if_unmodified_since(TIME)
            .traffic_limit(819_200)
            .request_payer(REQUESTER),
        "PUT k ?uploadId=u&partNumber=3 x-oss-copy-source:/b-src/a%20b?versionId=v \
         x-oss-copy-source-range:bytes=0-99 x-oss-copy-source-if-match:\"1\" \
         x-oss-copy-source-if-none-match:\"2\" \
         x-oss-copy-source-if-modified-since:Sat, 16 Dec 2023 16:20:57 GMT \
         x-oss-copy-source-if-unmodified-since:Sat, 16 Dec 2023 16:20:57 GMT \
         x-oss-traffic-limit:819200 x-oss-request-payer:requester",
    );
    // An empty range would copy the whole object.
    let source = CopySource::new("b-src", "a b");
    assert!(UploadPartCopy::new("b-b", "k", "u", 3u32, source).range(5..5).draft().is_err());
}

#[test]
fn archived_objects_are_restored() {
    says(
        RestoreObject::new("b-b", "k")
            .restore(RestoreRequest::new(2u32).tier(RestoreTier::Bulk))
            .version_id("v")
            .request_payer(REQUESTER),
        "POST k ?restore=&versionId=v content-type:application/xml content-md5:4g7lF6v6yIHgiHX4alOYGg== \
         x-oss-request-payer:requester \
         <RestoreRequest><Days>2</Days><JobParameters><Tier>Bulk</Tier></JobParameters></RestoreRequest>",
    );
    says(RestoreObject::new("b-b", "k"), "POST k ?restore=");
    says(
        CleanRestoredObject::new("b-b", "k").version_id("v").request_payer(REQUESTER),
        "POST k ?cleanRestoredObject=&versionId=v x-oss-request-payer:requester",
    );
}

#[test]
fn processing_is_said_in_the_body() {
    says(
        ProcessObject::new("b-b", "k", "image/resize,w_100|sys/saveas,o_YQ").request_payer(REQUESTER),
        "POST k ?x-oss-process= content-md5:fzsvXB77ecNVaB1qQ/wl3A== x-oss-request-payer:requester \
         x-oss-process=image/resize,w_100|sys/saveas,o_YQ",
    );
    says(
        AsyncProcessObject::new("b-b", "k", "video/convert,f_avi").request_payer(REQUESTER),
        "POST k ?x-oss-async-process= content-md5:Ny3iivUFb6AaqtNYtoDrOA== x-oss-request-payer:requester \
         x-oss-async-process=video/convert,f_avi",
    );
}

#[test]
fn a_draft_shows_names_and_no_values() {
    let put = PutObject::new("bucket", "key", "my-content").content_type("my-type");
    let mut draft = put.draft().unwrap();
    draft.query.push(("x-oss-traffic-limit".into(), "my-limit".into()));
    let shown = format!("{draft:?}");
    assert!(shown.contains("content-type") && shown.contains("x-oss-traffic-limit"), "{shown}");
    assert!(!shown.contains("my-"), "{shown}");
}
