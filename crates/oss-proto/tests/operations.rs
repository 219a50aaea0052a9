//! Answers of the tables: golden documents read in full, and nothing else read as if it were one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use oss_proto::{
    BucketAcl, CompleteMultipartUpload, CopyObject, DeleteMultipleObjects, ETag, GetBucketInfo, GetObject,
    HeadObject, InitiateMultipartUpload, ListBuckets, ListObjectsV2, ListParts, Operation, Paged, PutObject,
    ReadError, ReplyHead, StorageClass, UnixTime, UploadPart,
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
    let parts = read::<ListParts>(golden("ListParts")).unwrap();
    assert!(
        ListParts::new("b", "k", "u").part_number_marker(6).next(&parts).unwrap_err().is_pagination_stuck()
    );
    let last = read::<ListObjectsV2>("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>");
    assert_eq!(second.next(&last.unwrap()).unwrap(), None);
}

const GOLDEN: &[(&str, &str)] = &[
    ("ListObjectsV2", LIST_OBJECTS),
    (
        "ListBuckets",
        "<ListAllMyBucketsResult><Prefix>my</Prefix><Marker></Marker><MaxKeys>10</MaxKeys>\
         <IsTruncated>true</IsTruncated>\
         <NextMarker>mybucket10</NextMarker><Owner><ID>ut_test</ID><DisplayName>ut</DisplayName></Owner>\
         <Buckets>\
         <Bucket><CreationDate>2023-12-16T16:20:57.000Z</CreationDate><ExtranetEndpoint>e</ExtranetEndpoint>\
         <IntranetEndpoint>i</IntranetEndpoint><Location>oss-cn-hangzhou</Location><Name>one</Name>\
         <Region>cn-hangzhou</Region><StorageClass>Standard</StorageClass></Bucket><Bucket>\
         <Name>two</Name></Bucket>\
         </Buckets></ListAllMyBucketsResult>",
    ),
    (
        "GetBucketInfo",
        "<BucketInfo><Bucket><AccessMonitor>Enabled</AccessMonitor>\
         <CreationDate>2023-12-16T16:20:57.000Z</CreationDate>\
         <Name>b</Name><AccessControlList><Grant>public-read</Grant></AccessControlList>\
         <ServerSideEncryptionRule>\
         <SSEAlgorithm>KMS</SSEAlgorithm></ServerSideEncryptionRule><BucketPolicy>\
         <LogBucket>l</LogBucket></BucketPolicy>\
         <BlockPublicAccess>false</BlockPublicAccess></Bucket></BucketInfo>",
    ),
    (
        "InitiateMultipartUpload",
        "<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>a%20b</Key>\
         <UploadId>0004B9894A22E5B1888A1E29F823</UploadId>\
         <EncodingType>url</EncodingType></InitiateMultipartUploadResult>",
    ),
    (
        "CompleteMultipartUpload",
        "<CompleteMultipartUploadResult><EncodingType>url</EncodingType>\
         <Location>http://b.oss/a</Location><Bucket>b</Bucket>\
         <Key>a%20b</Key><ETag>\"B864-2\"</ETag></CompleteMultipartUploadResult>",
    ),
    (
        "CopyObject",
        "<CopyObjectResult><ETag>\"F2\"</ETag>\
         <LastModified>2023-12-16T16:20:57.000Z</LastModified></CopyObjectResult>",
    ),
    (
        "DeleteMultipleObjects",
        "<DeleteResult><EncodingType>url</EncodingType><Deleted><Key>a%2Bb</Key>\
         <DeleteMarker>true</DeleteMarker>\
         <DeleteMarkerVersionId>v2</DeleteMarkerVersionId></Deleted><Deleted><Key>c</Key>\
         <VersionId>v1</VersionId></Deleted>\
         </DeleteResult>",
    ),
    (
        "ListParts",
        "<ListPartsResult><EncodingType>url</EncodingType><Bucket>b</Bucket><Key>a%2Fb</Key>\
         <UploadId>u</UploadId>\
         <NextPartNumberMarker>5</NextPartNumberMarker><MaxParts>2</MaxParts><IsTruncated>true</IsTruncated>\
         <Part><PartNumber>1</PartNumber><LastModified>2023-12-16T16:20:57.000Z</LastModified>\
         <ETag>\"3349\"</ETag>\
         <Size>102400</Size><HashCrc64ecma>12345678901234567890</HashCrc64ecma></Part><Part>\
         <PartNumber>5</PartNumber></Part>\
         </ListPartsResult>",
    ),
];

fn golden(name: &str) -> &'static str {
    GOLDEN.iter().find(|(golden, _)| *golden == name).unwrap().1
}

#[test]
fn every_golden_answer_is_read() {
    let list = read::<ListBuckets>(golden("ListBuckets")).unwrap();
    assert_eq!(list.buckets.len(), 2);
    assert_eq!(list.buckets[0].region.as_deref(), Some("cn-hangzhou"));
    assert_eq!(list.buckets[0].creation_date, Some(TIME));
    let next = ListBuckets::new().next(&list).unwrap().unwrap();
    assert_eq!(next.marker.as_deref(), Some("mybucket10"));

    let info = read::<GetBucketInfo>(golden("GetBucketInfo")).unwrap().bucket;
    assert_eq!(info.acl, Some(BucketAcl::PublicRead));
    assert_eq!(info.server_side_encryption_rule.unwrap().sse_algorithm.as_deref(), Some("KMS"));
    assert_eq!(info.bucket_policy.unwrap().log_bucket.as_deref(), Some("l"));
    assert_eq!(info.block_public_access, Some(false));

    let begun = read::<InitiateMultipartUpload>(golden("InitiateMultipartUpload")).unwrap();
    assert_eq!(
        (begun.key.as_deref(), begun.upload_id.as_str()),
        (Some("a b"), "0004B9894A22E5B1888A1E29F823")
    );

    let done = read::<CompleteMultipartUpload>(golden("CompleteMultipartUpload")).unwrap();
    assert_eq!((done.key.as_deref(), done.location.as_deref()), (Some("a b"), Some("http://b.oss/a")));

    let copied = read::<CopyObject>(golden("CopyObject")).unwrap();
    assert_eq!((copied.etag, copied.last_modified), (Some(ETag::from("\"F2\"")), Some(TIME)));

    let deleted = read::<DeleteMultipleObjects>(golden("DeleteMultipleObjects")).unwrap().deleted;
    assert_eq!(deleted[0].key, "a+b");
    assert_eq!(deleted[0].delete_marker, Some(true));
    assert_eq!(deleted[1].version_id.as_deref(), Some("v1"));

    let parts = read::<ListParts>(golden("ListParts")).unwrap();
    assert_eq!(parts.parts[0].crc64, Some(12_345_678_901_234_567_890));
    assert_eq!(parts.parts[1].part_number, 5);
    let next = ListParts::new("b", "a/b", "u").next(&parts).unwrap().unwrap();
    assert_eq!(next.part_number_marker, Some(5));
}

fn read_by_name(name: &str, body: &Bytes) -> Result<(), ReadError> {
    let head = head(&[]);
    match name {
        "ListObjectsV2" => ListObjectsV2::read(&head, body).map(drop),
        "ListBuckets" => ListBuckets::read(&head, body).map(drop),
        "GetBucketInfo" => GetBucketInfo::read(&head, body).map(drop),
        "InitiateMultipartUpload" => InitiateMultipartUpload::read(&head, body).map(drop),
        "CompleteMultipartUpload" => CompleteMultipartUpload::read(&head, body).map(drop),
        "CopyObject" => CopyObject::read(&head, body).map(drop),
        "DeleteMultipleObjects" => DeleteMultipleObjects::read(&head, body).map(drop),
        "ListParts" => ListParts::read(&head, body).map(drop),
        other => panic!("no golden answer of {other}"),
    }
}

#[test]
fn b49_a_golden_answer_cut_at_any_byte_is_an_error() {
    for (name, document) in GOLDEN {
        let bytes = Bytes::from_static(document.as_bytes());
        assert_eq!(read_by_name(name, &bytes), Ok(()), "{name}");
        for end in 0..bytes.len() {
            assert!(read_by_name(name, &bytes.slice(..end)).is_err(), "{name} cut at {end}");
        }
    }
}

#[test]
fn b51_b53_another_document_is_an_error() {
    for (name, _) in GOLDEN {
        for (_, other) in GOLDEN.iter().filter(|(other, _)| other != name) {
            assert!(read_by_name(name, &Bytes::from_static(other.as_bytes())).is_err(), "{name}");
        }
        for other in
            ["", "{}", "<html><body>502</body></html>", "<Error><Code>X</Code></Error>", "\u{1f}\u{8b}"]
        {
            assert!(read_by_name(name, &Bytes::from_static(other.as_bytes())).is_err(), "{name}: {other}");
        }
    }
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
fn b38_b40_a_header_that_is_not_of_its_type_is_an_error_that_names_it() {
    for (name, value) in [
        ("x-oss-hash-crc64ecma", "-1"),
        ("x-oss-next-append-position", "9223372036854775808999"),
        ("last-modified", "yesterday"),
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
