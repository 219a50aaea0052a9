//! Golden answers, one of every operation that answers with a document, each with every field: read in full,
//! refused when they are cut anywhere or stand where another is due, and the same however they arrive.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use core::time::Duration;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use oss_proto::xml::Reader;
use oss_proto::{
    Action, AsyncProcessObject, Call, CompleteMultipartUpload, CopyObject, CopySource, Credentials,
    DeleteMultipleObjects, DescribeRegions, Endpoint, Event, Exchange, GetBucketAcl, GetBucketInfo,
    GetBucketLocation, GetBucketRequestPayment, GetBucketStat, GetBucketVersioning, GetObjectAcl,
    GetObjectTagging, Head, InitiateMultipartUpload, ListBuckets, ListCloudBoxes, ListMultipartUploads,
    ListObjectVersions, ListObjects, ListObjectsV2, ListParts, Now, Operation, ProcessObject, Region,
    ReplyHead, ReplyKind, Row, Sent, Service, Spec, Tabled, UnixTime, UploadPartCopy, ops,
};

/// One golden answer, and what reads it, as text so that all of them fit in one table.
struct Golden {
    spec: &'static Spec,
    document: &'static str,
    read: fn(&ReplyHead, &Bytes) -> Result<String, String>,
    exchange: fn(&Bytes, usize) -> Result<String, String>,
}

macro_rules! golden {
    ($($name:ident $end:literal $operation:expr;)*) => {
        &[$(Golden {
            spec: $name::SPEC,
            document: include_str!(concat!("golden/", stringify!($name), ".", $end)),
            read: |head, body| match $name::read(head, body) {
                Ok(output) => Ok(format!("{output:?}")),
                Err(error) => Err(error.to_string()),
            },
            exchange: |body, chunk| exchange(&$operation, body, chunk).map(|output| format!("{output:?}")),
        }),*]
    };
}

const GOLDEN: &[Golden] = golden! {
    AsyncProcessObject "json" AsyncProcessObject::new("examplebucket", "a", "video/convert");
    CompleteMultipartUpload "xml" CompleteMultipartUpload::new("examplebucket", "a b", "u");
    CopyObject "xml" CopyObject::new("examplebucket", "a", CopySource::new("examplebucket", "b"));
    DeleteMultipleObjects "xml" DeleteMultipleObjects::new("examplebucket", ["a+b"]);
    DescribeRegions "xml" DescribeRegions::new();
    GetBucketAcl "xml" GetBucketAcl::new("examplebucket");
    GetBucketInfo "xml" GetBucketInfo::new("examplebucket");
    GetBucketLocation "xml" GetBucketLocation::new("examplebucket");
    GetBucketRequestPayment "xml" GetBucketRequestPayment::new("examplebucket");
    GetBucketStat "xml" GetBucketStat::new("examplebucket");
    GetBucketVersioning "xml" GetBucketVersioning::new("examplebucket");
    GetObjectAcl "xml" GetObjectAcl::new("examplebucket", "a");
    GetObjectTagging "xml" GetObjectTagging::new("examplebucket", "a");
    InitiateMultipartUpload "xml" InitiateMultipartUpload::new("examplebucket", "a b");
    ListBuckets "xml" ListBuckets::new();
    ListCloudBoxes "xml" ListCloudBoxes::new();
    ListMultipartUploads "xml" ListMultipartUploads::new("examplebucket");
    ListObjectVersions "xml" ListObjectVersions::new("examplebucket");
    ListObjects "xml" ListObjects::new("examplebucket");
    ListObjectsV2 "xml" ListObjectsV2::new("examplebucket");
    ListParts "xml" ListParts::new("examplebucket", "a/b", "u");
    ProcessObject "json" ProcessObject::new("examplebucket", "a", "image/info");
    UploadPartCopy "xml" UploadPartCopy::new("examplebucket", "a", "u", 5u32, CopySource::new("b-b", "b"));
};

/// A head with every header that these answers read.
fn head() -> ReplyHead {
    let headers = [
        ("x-oss-hash-crc64ecma", "12345678901234567890"),
        ("x-oss-version-id", "CAEQ"),
        ("x-oss-copy-source-version-id", "CAEP"),
        ("x-oss-server-side-encryption", "KMS"),
        ("x-oss-server-side-data-encryption", "SM4"),
        ("x-oss-server-side-encryption-key-id", "key-1"),
    ];
    let pair = |(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
    ReplyHead::new(200, headers.into_iter().map(pair).collect::<HeaderMap>())
}

/// A whole call whose answer arrives in chunks of this many bytes, with nothing that tells its length.
fn exchange<O: Operation>(operation: &O, body: &Bytes, chunk: usize) -> Result<O::Output, String> {
    let region = Region::parse("cn-hangzhou").unwrap();
    let service = Service::new(Endpoint::public(&region)).with_region(region);
    let now = Now { mono: Duration::ZERO, wall: UnixTime::from_secs(1_702_743_657) };
    let mut call = Exchange::new(operation, &service, Call::seeded(7));
    let mut rest = body.clone();
    loop {
        let event = match call.poll(now) {
            Action::Authenticate { .. } => Event::Credentials(Credentials::new("ak", "sk").unwrap()),
            Action::Send(_) => Event::Head(Head::new(head(), Sent::new())),
            Action::Read { .. } if rest.is_empty() => Event::End,
            Action::Read { .. } => Event::Body(rest.split_to(chunk.min(rest.len()))),
            Action::Retry(_) => Event::Retry(None),
            Action::Wait { .. } => unreachable!("no retry was granted"),
            Action::Done(reply) => return reply.map(|reply| reply.output).map_err(|error| error.to_string()),
        };
        call.handle(event, now);
    }
}

#[test]
fn every_operation_that_answers_with_a_document_has_a_golden_one() {
    for spec in ops::ALL {
        let has_document = spec.answer.iter().any(|row| matches!(row.place, "xml" | "url" | "root" | "json"));
        let is_golden = GOLDEN.iter().any(|golden| golden.spec.name == spec.name);
        assert_eq!(has_document, is_golden, "{}", spec.name);
    }
}

#[test]
fn every_field_of_every_golden_answer_is_read() {
    for Golden { spec, document, read, .. } in GOLDEN {
        let output = read(&head(), &Bytes::from_static(document.as_bytes())).unwrap();
        let shown = output.replace("None\"", "");
        assert!(!shown.contains("None"), "{}: {shown}", spec.name);
        assert!(!shown.contains("[]"), "{}: {shown}", spec.name);
        if let ReplyKind::Xml { root } = spec.reply {
            // The document has every row, so that no row is read by chance.
            assert!(document.contains(&format!("<{root}")), "{}", spec.name);
            spec.answer.iter().for_each(|row| is_in(spec, row, document));
        }
    }
}

fn is_in(spec: &Spec, row: &Row, document: &str) {
    if matches!(row.place, "xml" | "url" | "root") {
        for name in row.wire.split(['/', '|']) {
            assert!(
                document.contains(&format!("<{name}>")) || document.contains(&format!("<{name} ")),
                "{} has no {name}",
                spec.name
            );
        }
        row.inside.iter().for_each(|row| is_in(spec, row, document));
    }
}

#[test]
fn b49_a_golden_answer_cut_at_any_byte_is_an_error() {
    for Golden { spec, document, read, exchange } in GOLDEN {
        let bytes = Bytes::from_static(document.as_bytes());
        for end in 0..bytes.len() {
            let cut = bytes.slice(..end);
            assert!(read(&head(), &cut).is_err(), "{} cut at {end}", spec.name);
            // A call of it all is slower: some of the places.
            if end % 7 == 0 {
                assert!(exchange(&cut, 64).is_err(), "{} cut at {end}", spec.name);
            }
        }
    }
}

#[test]
fn an_answer_is_the_same_in_whatever_pieces_it_arrives() {
    for Golden { spec, document, read, exchange } in GOLDEN {
        let bytes = Bytes::from_static(document.as_bytes());
        let whole = read(&head(), &bytes);
        for chunk in [1, 2, 3, 17, usize::MAX] {
            assert_eq!(exchange(&bytes, chunk), whole, "{} in {chunk}", spec.name);
        }
    }
}

#[test]
fn b51_b53_another_document_is_an_error() {
    for Golden { spec, read, .. } in GOLDEN {
        let refuses = |document: &str| read(&head(), &Bytes::copy_from_slice(document.as_bytes())).is_err();
        for other in GOLDEN.iter().filter(|other| other.spec.reply != spec.reply) {
            assert!(refuses(other.document), "{} takes that of {}", spec.name, other.spec.name);
        }
        for other in ["", "html", "<html><body>502</body></html>", "<Error><Code>X</Code></Error>", "\u{1f}"]
        {
            assert!(refuses(other), "{} takes {other}", spec.name);
        }
    }
}

#[test]
fn b51_an_element_that_occurs_once_is_refused_twice() {
    for Golden { spec, document, read, .. } in GOLDEN {
        for row in
            spec.answer.iter().filter(|row| matches!(row.place, "xml" | "url") && row.inside.is_empty())
        {
            let name = row.wire;
            let Some(start) = document.find(&format!("<{name}>")) else { continue };
            let end = start + document[start..].find(&format!("</{name}>")).unwrap() + name.len() + 3;
            let twice = format!("{}{}{}", &document[..end], &document[start..end], &document[end..]);
            let message = read(&head(), &Bytes::from(twice)).unwrap_err();
            assert!(message.contains(name) && message.contains("more than once"), "{}: {message}", spec.name);
        }
    }
}

#[test]
fn golden_documents_are_sound() {
    for Golden { spec, document, .. } in GOLDEN {
        if let ReplyKind::Xml { root } = spec.reply {
            let reader = Reader::open(document.as_bytes(), root).unwrap();
            assert_eq!(reader.finish(), Ok(document.contains("<EncodingType>url<")), "{}", spec.name);
        }
    }
}
