//! Answers of the tables: golden documents read in full, and nothing else read as if it were one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use oss_proto::{
    AppendObject, AsyncProcessObject, BucketAcl, CompleteMultipartUpload, CopyObject, DeleteMultipleObjects,
    DescribeRegions, ETag, GetBucketAcl, GetBucketInfo, GetBucketLocation, GetBucketRequestPayment,
    GetBucketStat, GetBucketVersioning, GetObject, GetObjectAcl, GetObjectMeta, GetObjectTagging, GetSymlink,
    HeadObject, InitiateMultipartUpload, ListBuckets, ListCloudBoxes, ListMultipartUploads,
    ListObjectVersions, ListObjects, ListObjectsV2, ListParts, ObjectAcl, ObjectType, Operation, Paged,
    Payer, ProcessObject, PutObject, ReadError, ReplyHead, RestoreObject, RestoreTier, SealAppendObject,
    StorageClass, Tag, UnixTime, UploadPart, UploadPartCopy, VersionEntry, VersioningStatus,
};

fn head(headers: &[(&'static str, &'static str)]) -> ReplyHead {
    let pair = |(name, value): &(&'static str, &'static str)| {
        (HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    ReplyHead::new(200, headers.iter().map(pair).collect::<HeaderMap>())
}

fn read<O: Operation>(body: &'static str) -> Result<O::Output, ReadError> {
    O::read(&head(&[]), &Bytes::from_static(body.as_bytes()))
}

macro_rules! golden {
    ($name:ident) => {
        read::<$name>(include_str!(concat!("golden/", stringify!($name), ".xml"))).unwrap()
    };
}

const TIME: UnixTime = UnixTime::from_secs(1_702_743_657);

const LIST_OBJECTS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://doc.oss-cn-hangzhou.aliyuncs.com">
  <Name>examplebucket</Name><Prefix>a%2Bb%2F</Prefix><StartAfter></StartAfter><MaxKeys>2</MaxKeys>
  <Delimiter>%2F</Delimiter><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
  <NextContinuationToken>CgJiYw--</NextContinuationToken><KeyCount>2</KeyCount><Unknown>
    <Deep>1</Deep></Unknown>
  <Contents><Key>a%2Bb%2F%25+%E4%B8%AD</Key><LastModified>2023-12-16T16:20:57.000Z</LastModified>
    <ETag>"5B3C"</ETag><Type>Normal</Type><Size>344606</Size><StorageClass>FutureClass</StorageClass>
    <Owner><ID>0022012</ID><DisplayName>user</DisplayName></Owner>
    <RestoreInfo>ongoing-request="true"</RestoreInfo>
  </Contents>
  <CommonPrefixes><Prefix>a%2Bb%2Fc%2F</Prefix></CommonPrefixes>
</ListBucketResult>"#;

#[test]
fn b20_a_list_is_decoded_exactly_once_and_a_plus_stays_a_plus() {
    let list = read::<ListObjectsV2>(LIST_OBJECTS).unwrap();
    assert_eq!(list.prefix.as_deref(), Some("a+b/"));
    assert_eq!(list.delimiter.as_deref(), Some("/"));
    assert_eq!(list.start_after.as_deref(), Some(""));
    assert_eq!(list.contents.len(), 1);
    assert_eq!(list.contents[0].key, "a+b/%+中");
    assert_eq!(list.common_prefixes[0].prefix, "a+b/c/");
    let plain =
        read::<ListObjectsV2>("<ListBucketResult><Contents><Key>a%2Bb</Key></Contents></ListBucketResult>");
    assert_eq!(plain.unwrap().contents[0].key, "a%2Bb");
}

#[test]
fn a_list_is_read_in_full_and_unknown_words_are_kept() {
    let list = read::<ListObjectsV2>(LIST_OBJECTS).unwrap();
    assert_eq!((list.max_keys, list.key_count, list.is_truncated), (Some(2), Some(2), Some(true)));
    assert_eq!(list.next_continuation_token.as_deref(), Some("CgJiYw--"));
    let object = &list.contents[0];
    assert_eq!(object.size, Some(344_606));
    assert_eq!(object.etag, Some(ETag::from("\"5B3C\"")));
    assert_eq!(object.last_modified, Some(TIME));
    assert_eq!(object.storage_class, Some(StorageClass::Other("FutureClass".to_owned())));
    assert_eq!(object.owner.as_ref().unwrap().id.as_deref(), Some("0022012"));
    assert_eq!(object.restore_info.as_deref(), Some("ongoing-request=\"true\""));
}

#[test]
fn f52_pages_go_on_from_the_token_and_stop_when_it_repeats() {
    let page = read::<ListObjectsV2>(LIST_OBJECTS).unwrap();
    let first = ListObjectsV2::new("examplebucket").prefix("a+b/");
    let second = first.next(&page).unwrap().unwrap();
    assert_eq!(second.continuation_token.as_deref(), Some("CgJiYw--"));
    assert_eq!(second.prefix.as_deref(), Some("a+b/"));
    assert!(second.next(&page).unwrap_err().is_pagination_stuck());
    let parts = golden!(ListParts);
    assert!(
        ListParts::new("b", "k", "u").part_number_marker(6).next(&parts).unwrap_err().is_pagination_stuck()
    );
    let last = read::<ListObjectsV2>("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>");
    assert_eq!(second.next(&last.unwrap()).unwrap(), None);
}

#[test]
fn buckets_are_read_with_their_types() {
    let list = golden!(ListBuckets);
    assert_eq!(list.buckets.len(), 1);
    assert_eq!(list.buckets[0].region.as_deref(), Some("cn-hangzhou"));
    assert_eq!(list.buckets[0].creation_date, Some(TIME));

    let info = golden!(GetBucketInfo).bucket;
    assert_eq!(info.acl, Some(BucketAcl::PublicRead));
    assert_eq!(info.versioning, Some(VersioningStatus::Suspended));
    assert_eq!(info.server_side_encryption_rule.unwrap().sse_algorithm.as_deref(), Some("KMS"));
    assert_eq!(info.bucket_policy.unwrap().log_bucket.as_deref(), Some("logs"));
    assert_eq!(info.block_public_access, Some(false));

    assert_eq!(golden!(GetBucketAcl).acl, Some(BucketAcl::PublicReadWrite));
    assert_eq!(golden!(GetBucketLocation).location, "oss-cn-hangzhou");
    assert_eq!(golden!(GetBucketVersioning).status, Some(VersioningStatus::Enabled));
    assert_eq!(golden!(GetBucketRequestPayment).payer, Some(Payer::BucketOwner));
    let stat = golden!(GetBucketStat);
    assert_eq!((stat.storage, stat.object_count, stat.multipart_part_count), (Some(1), Some(2), Some(4)));
    assert_eq!((stat.deep_cold_archive_real_storage, stat.delete_marker_count), (Some(19), Some(21)));
    let never_versioned = read::<GetBucketVersioning>("<VersioningConfiguration/>").unwrap();
    assert_eq!(never_versioned.status, None);
}

#[test]
fn the_account_is_read() {
    let boxes = golden!(ListCloudBoxes).cloud_boxes;
    assert_eq!((boxes[0].id.as_deref(), boxes[0].alias.as_deref()), (Some("cb-2"), Some("two")));
    let regions = golden!(DescribeRegions).regions;
    assert_eq!(regions[0].accelerate_endpoint.as_deref(), Some("oss-accelerate.aliyuncs.com"));
}

#[test]
fn objects_and_uploads_are_read_with_their_types() {
    let begun = golden!(InitiateMultipartUpload);
    assert_eq!(
        (begun.key.as_deref(), begun.upload_id.as_str()),
        (Some("a b"), "0004B9894A22E5B1888A1E29F823")
    );
    assert_eq!(golden!(CompleteMultipartUpload).key.as_deref(), Some("a b"));

    let copied = golden!(CopyObject);
    assert_eq!((copied.etag, copied.last_modified), (Some(ETag::from("\"F2\"")), Some(TIME)));
    let copied = golden!(UploadPartCopy);
    assert_eq!((copied.etag, copied.last_modified), (Some(ETag::from("\"F2\"")), Some(TIME)));

    let deleted = golden!(DeleteMultipleObjects).deleted;
    assert_eq!((deleted[0].key.as_str(), deleted[0].delete_marker), ("a+b", Some(true)));
    assert_eq!(deleted[0].version_id.as_deref(), Some("v1"));

    assert_eq!(golden!(ListParts).parts[0].crc64, Some(12_345_678_901_234_567_890));
    let upload = &golden!(ListMultipartUploads).uploads[0];
    assert_eq!((upload.key.as_str(), upload.upload_id.as_str()), ("a/b", "0005"));
    assert_eq!(upload.initiated, Some(TIME));

    assert_eq!(golden!(GetObjectAcl).acl, Some(ObjectAcl::Default));
    let tags = golden!(GetObjectTagging).tag_set;
    assert_eq!(tags, [Tag::new("age", "18"), Tag::new("xml", "<a>")]);
}

#[test]
fn processing_is_answered_in_json() {
    let head = head(&[]);
    let body = Bytes::from_static(include_bytes!("golden/ProcessObject.json"));
    let done = ProcessObject::read(&head, &body).unwrap();
    assert_eq!((done.file_size, done.object.as_deref()), (Some(3267), Some("result.jpg")));
    assert_eq!(done.body, body);
    let body = Bytes::from_static(include_bytes!("golden/AsyncProcessObject.json"));
    let begun = AsyncProcessObject::read(&head, &body).unwrap();
    assert_eq!(begun.task_id.as_deref(), Some("MediaConvert-3D1C"));
}

#[test]
fn versions_and_delete_markers_keep_their_order() {
    let list = golden!(ListObjectVersions);
    let seen = |entry: &VersionEntry| {
        let is_marker = matches!(entry, VersionEntry::DeleteMarker(_));
        (entry.key().to_owned(), entry.version_id().unwrap().to_owned(), entry.is_latest(), is_marker)
    };
    let seen: Vec<_> = list.entries.iter().map(seen).collect();
    let entry = |key: &str, id: &str, latest, marker| (key.to_owned(), id.to_owned(), latest, marker);
    assert_eq!(
        seen,
        [
            entry("a+a", "3", true, true),
            entry("a+a", "2", false, false),
            entry("a+a", "1", false, true),
            entry("a+b", "null", true, false),
        ]
    );
    // Versions are opaque: `%2C` is no escape in them.
    assert_eq!(list.next_version_id_marker.as_deref(), Some("CAEQ%2C"));
    let VersionEntry::Version(version) = &list.entries[1] else { panic!("a version is due") };
    assert_eq!((version.size, version.object_type.clone()), (Some(7), Some(ObjectType::Appendable)));
}

macro_rules! pages {
    ($first:expr, $name:ident, $($field:ident = $value:expr),+) => {{
        let page = golden!($name);
        let second = $first.next(&page).unwrap().unwrap();
        $(assert_eq!(second.$field.as_ref(), Some(&$value.into()), stringify!($name));)+
        // The same page again: the list does not move on.
        assert!(second.next(&page).unwrap_err().is_pagination_stuck(), stringify!($name));
        let mut last = page.clone();
        last.is_truncated = Some(false);
        assert_eq!(second.next(&last), Ok(None), stringify!($name));
    }};
}

#[test]
fn f52_every_list_goes_on_from_its_marker_and_stops_when_it_repeats() {
    pages!(ListBuckets::new(), ListBuckets, marker = "mybucket10");
    pages!(ListCloudBoxes::new(), ListCloudBoxes, marker = "cb-2");
    pages!(ListObjects::new("b"), ListObjects, marker = "a+b/c/");
    pages!(ListObjectsV2::new("b"), ListObjectsV2, continuation_token = "CgJiYw--");
    pages!(
        ListObjectVersions::new("b"),
        ListObjectVersions,
        key_marker = "a+b",
        version_id_marker = "CAEQ%2C"
    );
    pages!(
        ListMultipartUploads::new("b"),
        ListMultipartUploads,
        key_marker = "a/b",
        upload_id_marker = "0005"
    );
    pages!(ListParts::new("b", "k", "u"), ListParts, part_number_marker = 5u32);
}

#[test]
fn headers_of_an_answer_are_read_with_their_types() {
    let head = head(&[
        ("content-length", "344606"),
        ("content-type", "image/jpg"),
        ("etag", "\"fba9\""),
        ("last-modified", "Sat, 16 Dec 2023 16:20:57 GMT"),
        ("x-oss-meta-author", "alice"),
        ("x-oss-hash-crc64ecma", "12345678901234567890"),
        ("x-oss-storage-class", "IA"),
        ("x-oss-tagging-count", "2"),
        ("x-oss-next-append-position", "7"),
    ]);
    let object = HeadObject::read(&head, &Bytes::new()).unwrap();
    assert_eq!(object.content_length, Some(344_606));
    assert_eq!(object.last_modified, Some(TIME));
    assert_eq!(object.metadata.get("Author"), Some("alice"));
    assert_eq!(object.crc64, Some(12_345_678_901_234_567_890));
    assert_eq!(object.storage_class, Some(StorageClass::Ia));
    assert_eq!((object.tagging_count, object.next_append_position), (Some(2), Some(7)));
    assert_eq!(GetObject::read(&head, &Bytes::new()).unwrap().content_type.as_deref(), Some("image/jpg"));
    assert_eq!(UploadPart::read(&head, &Bytes::new()).unwrap().etag, Some(ETag::from("\"fba9\"")));
}

#[test]
fn the_other_heads_are_read_with_their_types() {
    let head = head(&[
        ("content-length", "7"),
        ("etag", "\"fba9\""),
        ("last-modified", "Sat, 16 Dec 2023 16:20:57 GMT"),
        ("x-oss-hash-crc64ecma", "12345678901234567890"),
        ("x-oss-last-access-time", "Sat, 16 Dec 2023 16:20:57 GMT"),
        ("x-oss-meta-author", "alice"),
        ("x-oss-next-append-position", "7"),
        ("x-oss-object-restore-priority", "Bulk"),
        ("x-oss-sealed-time", "Sat, 16 Dec 2023 16:20:57 GMT"),
        ("x-oss-symlink-target", "%E7%9B%AE%E5%BD%95/a%2Bb%2520"),
        ("x-oss-version-id", "CAEQ"),
    ]);
    let body = Bytes::new();
    let appended = AppendObject::read(&head, &body).unwrap();
    assert_eq!((appended.next_append_position, appended.crc64), (Some(7), Some(12_345_678_901_234_567_890)));
    let meta = GetObjectMeta::read(&head, &body).unwrap();
    assert_eq!((meta.content_length, meta.last_access_time), (Some(7), Some(TIME)));
    let link = GetSymlink::read(&head, &body).unwrap();
    assert_eq!(link.target.unwrap().as_str(), "目录/a+b%20");
    assert_eq!(link.metadata.get("author"), Some("alice"));
    let restored = RestoreObject::read(&head, &body).unwrap();
    assert_eq!((restored.priority, restored.version_id.as_deref()), (Some(RestoreTier::Bulk), Some("CAEQ")));
    assert!(SealAppendObject::read(&head, &body).unwrap().sealed_time.is_some());
}

#[test]
fn b40_b52_a_marker_that_is_no_number_is_an_error_that_names_it() {
    let read = |element: &str, text: &str| {
        let document = format!("<ListPartsResult><{element}>{text}</{element}></ListPartsResult>");
        ListParts::read(&head(&[]), &Bytes::from(document)).map_err(|error| error.to_string())
    };
    for element in ["NextPartNumberMarker", "PartNumberMarker", "MaxParts"] {
        for bad in ["-1", "4294967296", "18446744073709551616", "1e3", "0x1", " 1", "next"] {
            let said = read(element, bad).unwrap_err();
            assert!(said.contains(element) && said.contains(bad.trim()), "{said}");
        }
        assert!(read(element, "4294967295").is_ok());
    }
    for bad in ["TRUE", "1", "yes", " true"] {
        assert!(read("IsTruncated", bad).unwrap_err().contains("IsTruncated"), "{bad}");
    }
}

#[test]
fn b38_b39_b40_a_header_that_is_not_of_its_type_is_an_error_that_names_it() {
    for (name, value) in [
        ("x-oss-hash-crc64ecma", "-1"),
        ("x-oss-hash-crc64ecma", "18446744073709551616"),
        ("x-oss-hash-crc64ecma", "text"),
        ("x-oss-next-append-position", "9223372036854775808999"),
        ("x-oss-next-append-position", "18446744073709551616"),
        ("x-oss-next-append-position", "-1"),
        ("x-oss-next-append-position", "1e3"),
        ("x-oss-next-append-position", "next"),
        ("last-modified", "yesterday"),
        ("last-modified", "Saturday, 16-Dec-23 16:20:57 GMT"),
        ("last-modified", "Sat, 16 Dec 2023 00:60:60 GMT"),
        ("last-modified", "Sat, 16 Dec 2023 16:20:57 +0800"),
        ("content-length", "+5"),
    ] {
        let error = HeadObject::read(&head(&[(name, value)]), &Bytes::new()).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(value), "{error}");
    }
}

#[test]
fn an_application_that_answers_a_callback_is_heard() {
    let head = head(&[("content-type", "text/plain"), ("x-oss-hash-crc64ecma", "1")]);
    let body = Bytes::from_static(b"{\"Status\":\"OK\"}");
    assert!(CompleteMultipartUpload::read(&head, &body).is_err(), "no callback was asked for");
    let head = head.with_callback_answer();
    let done = CompleteMultipartUpload::read(&head, &body).unwrap();
    assert_eq!((done.body, done.crc64, done.etag), (body.clone(), Some(1), None));
    assert_eq!(PutObject::read(&head, &body).unwrap().callback, body);
}
