//! Every operation, with a peer that does what OSS does.

use bytes::Bytes;
use oss_proto::{
    AbortMultipartUpload, BucketAcl, CompleteMultipartUpload, CompletedPart, CopyObject, CopySource,
    CreateBucketConfiguration, DeleteBucket, DeleteMultipleObjects, DeleteObject, GetBucketInfo, GetObject,
    HeadObject, InitiateMultipartUpload, ListBuckets, ListParts, Metadata, Payload, PutBucket, PutObject,
    Replay, StorageClass, UploadPart,
};

use super::{list, once};
use crate::conformance::{Content, Scenario};
use crate::peer::{BUCKET, temporary};

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut all = vec![a_bucket(), an_object(), keys(), pages(), prefixes()];
    all.extend([an_upload(), an_aborted_upload(), a_copy(), a_bulk_delete(), ranges(), conditions()]);
    all.extend([streams(), empty(), raw(), a_token(), nobody(), a_large_object()]);
    all
}

fn a_bucket() -> Scenario {
    let configuration = CreateBucketConfiguration::new().storage_class(StorageClass::Ia);
    Scenario::new("a_bucket_is_created_described_listed_and_deleted")
        .call(PutBucket::new("another").acl(BucketAcl::Private).configuration(configuration))
        .call(GetBucketInfo::new("another"))
        .call(ListBuckets::new().prefix("a"))
        .call(DeleteBucket::new("another"))
        .call(GetBucketInfo::new("another"))
        .expects([
            "> PUT /another/ signed, 86 bytes",
            "= PutBucket 200, 1 attempt",
            "> GET /another/?bucketInfo signed",
            "= GetBucketInfo 200, 1 attempt: another in oss-cn-hangzhou",
            "> GET /?prefix=a signed",
            "= ListBuckets 200, 1 attempt: another",
            "> DELETE /another/ signed",
            "= DeleteBucket 204, 1 attempt",
            "> GET /another/?bucketInfo signed",
            "= GetBucketInfo failed: 404 NoSuchBucket; rejected, 1 attempt",
        ])
}

fn an_object() -> Scenario {
    let mut metadata = Metadata::new();
    metadata.insert("colour", "blue");
    Scenario::new("an_object_is_written_looked_at_read_and_deleted")
        .call(PutObject::new(BUCKET, "a.txt", "hello").metadata(metadata))
        .call(HeadObject::new(BUCKET, "a.txt"))
        .call(GetObject::new(BUCKET, "a.txt"))
        .call(DeleteObject::new(BUCKET, "a.txt"))
        .call(DeleteObject::new(BUCKET, "a.txt"))
        .call(HeadObject::new(BUCKET, "a.txt"))
        .expects([
            "> PUT /bucket/a.txt signed, 5 bytes",
            "= PutObject 200, 1 attempt: crc 9b1edae5dbb937b1",
            "> HEAD /bucket/a.txt signed",
            "= HeadObject 200, 1 attempt: 5 bytes of text/plain",
            "> GET /bucket/a.txt signed",
            "= GetObject 200, 1 attempt: \"hello\", crc 9b1edae5dbb937b1",
            "> DELETE /bucket/a.txt signed",
            "= DeleteObject 204, 1 attempt",
            "> DELETE /bucket/a.txt signed",
            "= DeleteObject 204, 1 attempt",
            "> HEAD /bucket/a.txt signed",
            "= HeadObject failed: 404 NoSuchKey; rejected, 1 attempt",
        ])
}

fn keys() -> Scenario {
    let keys =
        ["a b+c%d?e#f", "a//b/", "./x", "../y", "目录/文件", "😀&=;'\"<>\\^`{|}~", "%2e%2e/x", "a\tb\nc"];
    let scenario = Scenario::new("b12_b13_b14_keys_travel_as_they_are");
    let scenario = keys.iter().fold(scenario, |scenario, key| {
        scenario.call(PutObject::new(BUCKET, *key, *key)).call(GetObject::new(BUCKET, *key))
    });
    scenario.call(list()).expects([
        "> PUT /bucket/a%20b%2Bc%25d%3Fe%23f signed, 11 bytes",
        "= PutObject 200, 1 attempt: crc d26937f6f3742283",
        "> GET /bucket/a%20b%2Bc%25d%3Fe%23f signed",
        "= GetObject 200, 1 attempt: \"a b+c%d?e#f\", crc d26937f6f3742283",
        "> PUT /bucket/a//b/ signed, 5 bytes",
        "= PutObject 200, 1 attempt: crc cb2bdfab1c9f710b",
        "> GET /bucket/a//b/ signed",
        "= GetObject 200, 1 attempt: \"a//b/\", crc cb2bdfab1c9f710b",
        "> PUT /bucket/./x signed, 3 bytes",
        "= PutObject 200, 1 attempt: crc 43d7c1d89af54611",
        "> GET /bucket/./x signed",
        "= GetObject 200, 1 attempt: \"./x\", crc 43d7c1d89af54611",
        "> PUT /bucket/../y signed, 4 bytes",
        "= PutObject 200, 1 attempt: crc d5d62e33319691d1",
        "> GET /bucket/../y signed",
        "= GetObject 200, 1 attempt: \"../y\", crc d5d62e33319691d1",
        "> PUT /bucket/%E7%9B%AE%E5%BD%95/%E6%96%87%E4%BB%B6 signed, 13 bytes",
        "= PutObject 200, 1 attempt: crc 6e342543e367cd89",
        "> GET /bucket/%E7%9B%AE%E5%BD%95/%E6%96%87%E4%BB%B6 signed",
        "= GetObject 200, 1 attempt: \"目录/文件\", crc 6e342543e367cd89",
        "> PUT /bucket/%F0%9F%98%80%26%3D%3B%27%22%3C%3E%5C%5E%60%7B%7C%7D~ signed, 18 bytes",
        "= PutObject 200, 1 attempt: crc 6930965c284ee004",
        "> GET /bucket/%F0%9F%98%80%26%3D%3B%27%22%3C%3E%5C%5E%60%7B%7C%7D~ signed",
        "= GetObject 200, 1 attempt: 18 bytes, crc 6930965c284ee004",
        "> PUT /bucket/%252e%252e/x signed, 8 bytes",
        "= PutObject 200, 1 attempt: crc f65192a15646f9a7",
        "> GET /bucket/%252e%252e/x signed",
        "= GetObject 200, 1 attempt: \"%2e%2e/x\", crc f65192a15646f9a7",
        "> PUT /bucket/a%09b%0Ac signed, 5 bytes",
        "= PutObject 200, 1 attempt: crc fe7f092c59a99c26",
        "> GET /bucket/a%09b%0Ac signed",
        "= GetObject 200, 1 attempt: \"a\\tb\\nc\", crc fe7f092c59a99c26",
        "> GET /bucket/?encoding-type=url&list-type=2 signed",
        "= ListObjectsV2 200, 1 attempt: %2e%2e/x ../y ./x a\\tb\\nc a b+c%d?e#f a//b/ 目录/文件 😀\
             &=;'\"<>\\^`{|}~",
        "# %2e%2e/x: 8 bytes, crc f65192a15646f9a7",
        "# ../y: 4 bytes, crc d5d62e33319691d1",
        "# ./x: 3 bytes, crc 43d7c1d89af54611",
        "# a\\tb\\nc: 5 bytes, crc fe7f092c59a99c26",
        "# a b+c%d?e#f: 11 bytes, crc d26937f6f3742283",
        "# a//b/: 5 bytes, crc cb2bdfab1c9f710b",
        "# 目录/文件: 13 bytes, crc 6e342543e367cd89",
        "# 😀&=;'\"<>\\^`{|}~: 18 bytes, crc 6930965c284ee004",
    ])
}

fn pages() -> Scenario {
    let keys = ["p/1", "p/2", "p/3", "p/4", "p/5", "q"];
    let scenario = keys
        .iter()
        .fold(Scenario::new("a_list_is_followed_over_its_pages"), |scenario, key| scenario.holds(key, ""));
    scenario.call(crate::conformance::Job::Pages(Box::new(list().prefix("p/").max_keys(2_u32)))).expects([
        "> GET /bucket/?encoding-type=url&list-type=2&max-keys=2&prefix=p%2F signed",
        "> GET /bucket/?continuation-token=cC8y&encoding-type=url&list-type=2\
             &max-keys=2&prefix=p%2F signed",
        "> GET /bucket/?continuation-token=cC80&encoding-type=url&list-type=2\
             &max-keys=2&prefix=p%2F signed",
        "= ListObjectsV2 200, 1 attempt: p/1 p/2",
        "= ListObjectsV2 200, 1 attempt: p/3 p/4",
        "= ListObjectsV2 200, 1 attempt: p/5",
        "# p/1: 0 bytes, crc 0000000000000000",
        "# p/2: 0 bytes, crc 0000000000000000",
        "# p/3: 0 bytes, crc 0000000000000000",
        "# p/4: 0 bytes, crc 0000000000000000",
        "# p/5: 0 bytes, crc 0000000000000000",
        "# q: 0 bytes, crc 0000000000000000",
    ])
}

fn prefixes() -> Scenario {
    Scenario::new("a_delimiter_folds_keys_into_prefixes")
        .holds("a/1", "")
        .holds("a/2", "")
        .holds("b", "")
        .holds("文 件/x", "")
        .call(list().delimiter("/"))
        .expects([
            "> GET /bucket/?delimiter=%2F&encoding-type=url&list-type=2 signed",
            "= ListObjectsV2 200, 1 attempt: b a/ 文 件/",
            "# a/1: 0 bytes, crc 0000000000000000",
            "# a/2: 0 bytes, crc 0000000000000000",
            "# b: 0 bytes, crc 0000000000000000",
            "# 文 件/x: 0 bytes, crc 0000000000000000",
        ])
}

fn an_upload() -> Scenario {
    let (first, second) = (Bytes::from(vec![b'a'; 100 << 10]), Bytes::from_static(b"the end"));
    Scenario::new("an_object_is_uploaded_in_parts")
        .call(InitiateMultipartUpload::new(BUCKET, "big.bin"))
        .call_with(move |m| {
            UploadPart::new(BUCKET, "big.bin", m.upload_id.as_str(), 1_u32, first.clone()).into()
        })
        .call_with(move |m| {
            UploadPart::new(BUCKET, "big.bin", m.upload_id.as_str(), 2_u32, second.clone()).into()
        })
        .call_with(|m| ListParts::new(BUCKET, "big.bin", m.upload_id.as_str()).into())
        .call_with(|m| {
            let complete = CompleteMultipartUpload::new(BUCKET, "big.bin", m.upload_id.as_str());
            complete.parts(m.parts.clone()).into()
        })
        .call(GetObject::new(BUCKET, "big.bin"))
        .expects([
            "> POST /bucket/big.bin?encoding-type=url&uploads signed",
            "= InitiateMultipartUpload 200, 1 attempt: UPLOAD",
            "> PUT /bucket/big.bin?partNumber=1&uploadId=UPLOAD signed, 102400 bytes",
            "= UploadPart 200, 1 attempt: crc b0347d6fc5ee7620",
            "> PUT /bucket/big.bin?partNumber=2&uploadId=UPLOAD signed, 7 bytes",
            "= UploadPart 200, 1 attempt: crc ee699771140a47b0",
            "> GET /bucket/big.bin?encoding-type=url&uploadId=UPLOAD signed",
            "= ListParts 200, 1 attempt: 1: 102400 bytes, 2: 7 bytes",
            "> POST /bucket/big.bin?encoding-type=url&uploadId=UPLOAD signed, 243 bytes",
            "= CompleteMultipartUpload 200, 1 attempt: big.bin, crc 65722594b0b715e1",
            "> GET /bucket/big.bin signed",
            "= GetObject 200, 1 attempt: 102407 bytes, crc 65722594b0b715e1",
            "# big.bin: 102407 bytes, crc 65722594b0b715e1",
        ])
}

fn an_aborted_upload() -> Scenario {
    Scenario::new("an_upload_is_given_up")
        .call(InitiateMultipartUpload::new(BUCKET, "a.txt"))
        .call_with(|m| AbortMultipartUpload::new(BUCKET, "a.txt", m.upload_id.as_str()).into())
        .call_with(|m| {
            let parts = vec![CompletedPart::new(1_u32, "\"5D41402ABC4B2A76B9719D911017C592\"")];
            CompleteMultipartUpload::new(BUCKET, "a.txt", m.upload_id.as_str()).parts(parts).into()
        })
        .expects([
            "> POST /bucket/a.txt?encoding-type=url&uploads signed",
            "= InitiateMultipartUpload 200, 1 attempt: UPLOAD",
            "> DELETE /bucket/a.txt?uploadId=UPLOAD signed",
            "= AbortMultipartUpload 204, 1 attempt",
            "> POST /bucket/a.txt?encoding-type=url&uploadId=UPLOAD signed, 147 bytes",
            "= CompleteMultipartUpload failed: 404 NoSuchUpload; rejected, 1 attempt",
        ])
}

fn a_copy() -> Scenario {
    Scenario::new("an_object_is_copied")
        .holds("目录/a b.txt", "hello")
        .call(CopyObject::new(BUCKET, "b.txt", CopySource::new(BUCKET, "目录/a b.txt")))
        .call(GetObject::new(BUCKET, "b.txt"))
        .expects([
            "> PUT /bucket/b.txt signed, x-oss-copy-source: /bucket/%E7%9B%AE%E5%BD%95/a%20b.txt",
            "= CopyObject 200, 1 attempt: an etag",
            "> GET /bucket/b.txt signed",
            "= GetObject 200, 1 attempt: \"hello\", crc 9b1edae5dbb937b1",
            "# b.txt: 5 bytes, crc 9b1edae5dbb937b1",
            "# 目录/a b.txt: 5 bytes, crc 9b1edae5dbb937b1",
        ])
}

fn a_bulk_delete() -> Scenario {
    Scenario::new("objects_are_deleted_in_bulk")
        .holds("a b", "1")
        .holds("<c>&", "2")
        .holds("kept", "3")
        .call(DeleteMultipleObjects::new(BUCKET, ["a b", "<c>&", "never there"]))
        .expects([
            "> POST /bucket/?delete&encoding-type=url signed, 129 bytes",
            "= DeleteMultipleObjects 200, 1 attempt: a b <c>& never there",
            "# kept: 1 bytes, crc deab38d23cd56ab6",
        ])
}

fn ranges() -> Scenario {
    let get = || GetObject::new(BUCKET, "a.txt");
    Scenario::new("b34_ranges_are_read_exactly")
        .holds("a.txt", "0123456789")
        .call(get().range(2..5))
        .call(get().range(7..))
        .call(get().range(oss_proto::ByteRange::suffix(3)))
        .call(get().range(8..100))
        .call(get().range(0..10))
        .call(get().range(10..20))
        .call(get().range(5..5))
        .expects([
            "> GET /bucket/a.txt signed, range: bytes=2-4",
            "= GetObject 206, 1 attempt: \"234\", checked by length",
            "> GET /bucket/a.txt signed, range: bytes=7-",
            "= GetObject 206, 1 attempt: \"789\", checked by length",
            "> GET /bucket/a.txt signed, range: bytes=-3",
            "= GetObject 206, 1 attempt: \"789\", checked by length",
            "> GET /bucket/a.txt signed, range: bytes=8-99",
            "= GetObject 206, 1 attempt: \"89\", checked by length",
            "> GET /bucket/a.txt signed, range: bytes=0-9",
            "= GetObject 206, 1 attempt: \"0123456789\", checked by length",
            "> GET /bucket/a.txt signed, range: bytes=10-19",
            "= GetObject failed: 416 InvalidRange; rejected, 1 attempt",
            "= GetObject failed: invalid range; not sent, 0 attempts",
            "# a.txt: 10 bytes, crc 2765cf2c7f12731e",
        ])
}

fn conditions() -> Scenario {
    Scenario::new("f26_conditions_that_fail_are_final")
        .holds("a.txt", "hello")
        .call(PutObject::new(BUCKET, "a.txt", "other").forbid_overwrite(true))
        .call(HeadObject::new(BUCKET, "a.txt"))
        .call_with(|m| GetObject::new(BUCKET, "a.txt").if_none_match(m.etag.as_str()).into())
        .call(GetObject::new(BUCKET, "a.txt").if_match("\"00000000000000000000000000000000\""))
        .call(GetObject::new(BUCKET, "never.txt"))
        .call(GetObject::new("never-there", "a.txt"))
        .expects([
            "> PUT /bucket/a.txt signed, x-oss-forbid-overwrite: true, 5 bytes",
            "= PutObject failed: 409 FileAlreadyExists; rejected, 1 attempt",
            "> HEAD /bucket/a.txt signed",
            "= HeadObject 200, 1 attempt: 5 bytes of text/plain",
            "> GET /bucket/a.txt signed, if-none-match: \"5D41402ABC4B2A76B9719D911017C592\"",
            "= GetObject failed: 304 NotModified; rejected, 1 attempt",
            "> GET /bucket/a.txt signed, if-match: \"00000000000000000000000000000000\"",
            "= GetObject failed: 412 PreconditionFailed; rejected, 1 attempt",
            "> GET /bucket/never.txt signed",
            "= GetObject failed: 404 NoSuchKey; rejected, 1 attempt",
            "> GET /never-there/a.txt signed",
            "= GetObject failed: 404 NoSuchBucket; rejected, 1 attempt",
            "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
        ])
}

fn streams() -> Scenario {
    let body = |len, replay| Payload::Stream { len, replay };
    let content = Content::new(vec![b's'; 200_000]);
    Scenario::new("a_body_is_streamed_with_and_without_its_length")
        .stream(PutObject::new(BUCKET, "known", body(Some(200_000), Replay::FromStart)), content.clone())
        .stream(PutObject::new(BUCKET, "unknown", body(None, Replay::Once)), content)
        .stream(PutObject::new(BUCKET, "nothing", body(None, Replay::Once)), Content::default())
        .call(GetObject::new(BUCKET, "unknown"))
        .expects([
            "> PUT /bucket/known signed, 200000 bytes",
            "= PutObject 200, 1 attempt: crc 8427800d9977e2d7",
            "> PUT /bucket/unknown signed, 200000 bytes in chunks",
            "= PutObject 200, 1 attempt: crc 8427800d9977e2d7",
            "> PUT /bucket/nothing signed",
            "= PutObject 200, 1 attempt: crc 0000000000000000",
            "> GET /bucket/unknown signed",
            "= GetObject 200, 1 attempt: 200000 bytes, crc 8427800d9977e2d7",
            "# known: 200000 bytes, crc 8427800d9977e2d7",
            "# nothing: 0 bytes, crc 0000000000000000",
            "# unknown: 200000 bytes, crc 8427800d9977e2d7",
        ])
}

fn empty() -> Scenario {
    Scenario::new("nothing_is_written_and_read")
        .call(PutObject::new(BUCKET, "empty", ""))
        .call(GetObject::new(BUCKET, "empty"))
        .call(GetObject::new(BUCKET, "empty").range(0..1))
        .expects([
            "> PUT /bucket/empty signed",
            "= PutObject 200, 1 attempt: crc 0000000000000000",
            "> GET /bucket/empty signed",
            "= GetObject 200, 1 attempt: \"\", crc 0000000000000000",
            "> GET /bucket/empty signed, range: bytes=0-0",
            "= GetObject failed: 416 InvalidRange; rejected, 1 attempt",
            "# empty: 0 bytes, crc 0000000000000000",
        ])
}

fn raw() -> Scenario {
    Scenario::new("a_call_without_a_table_is_made_like_the_others")
        .call(super::described())
        .call(super::post())
        .expects([
            "> GET /bucket/?bucketInfo signed",
            "= Raw 200, 1 attempt: 954 bytes",
            "> POST /bucket/?worm signed, 5 bytes",
            "= InitiateBucketWorm failed: 400 MalformedXML; rejected, 1 attempt",
        ])
}

fn a_token() -> Scenario {
    Scenario::new("a_security_token_is_signed_and_sent")
        .credentials([temporary()])
        .call(PutObject::new(BUCKET, "a.txt", "hello"))
        .expects([
            "> PUT /bucket/a.txt signed with a token, 5 bytes",
            "= PutObject 200, 1 attempt: crc 9b1edae5dbb937b1",
            "# a.txt: 5 bytes, crc 9b1edae5dbb937b1",
        ])
}

fn nobody() -> Scenario {
    Scenario::new("f25_nobody_is_told_so_once")
        .tuned(once)
        .credentials([oss_proto::Credentials::anonymous()])
        .call(PutObject::new(BUCKET, "a.txt", "hello"))
        .call(list())
        .expects([
            "> PUT /bucket/a.txt anonymous, 5 bytes",
            "= PutObject failed: 403 AccessDenied; rejected, 1 attempt",
            "> GET /bucket/?list-type=2&encoding-type=url anonymous",
            "= ListObjectsV2 failed: 403 AccessDenied; rejected, 1 attempt",
        ])
}

fn a_large_object() -> Scenario {
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    Scenario::new("an_object_of_many_pieces_goes_both_ways")
        .call(PutObject::new(BUCKET, "large.bin", bytes))
        .call(GetObject::new(BUCKET, "large.bin"))
        .expects([
            "> PUT /bucket/large.bin signed, 3000000 bytes",
            "= PutObject 200, 1 attempt: crc 242bd87aba7222ec",
            "> GET /bucket/large.bin signed",
            "= GetObject 200, 1 attempt: 3000000 bytes, crc 242bd87aba7222ec",
            "# large.bin: 3000000 bytes, crc 242bd87aba7222ec",
        ])
}
