//! Whether an answer is about what was asked: OSS repeats the bucket, the key and the upload in some of them.

use alloc::string::String;

use bytes::Bytes;

use crate::wire::spec::ReplyKind;
use crate::xml::{Reader, decode_url};
use crate::{Draft, ReadError, ReplyHead, Service};

/// Checks the names that an answer repeats. A document that cannot be read is left to whoever reads it.
pub(super) fn check_echo(
    draft: &Draft,
    service: &Service,
    head: &ReplyHead,
    body: &Bytes,
) -> Result<(), ReadError> {
    let ReplyKind::Xml { root } = draft.reply else { return Ok(()) };
    if head.is_callback_answer() || !REPEATING.contains(&root) {
        return Ok(());
    }
    let Ok(mut reader) = Reader::open(body, root) else { return Ok(()) };
    while let Ok(Some(name)) = reader.child() {
        let wanted = match name {
            "Bucket" => bucket(draft, service).map(|bucket| ("Bucket", bucket)),
            "Key" => draft.key.as_ref().map(|key| ("Key", key.as_str())),
            "UploadId" => upload(draft).map(|id| ("UploadId", id)),
            _ => None,
        };
        let Some((name, asked)) = wanted else {
            if reader.skip().is_err() {
                break;
            }
            continue;
        };
        let Ok(text) = reader.text() else { break };
        // Whether keys are encoded is said anywhere in the document, perhaps at its end.
        let is_decoded = || decode_url(String::from(text.as_ref())).is_ok_and(|decoded| decoded == asked);
        if !text.is_empty() && text != asked && !(name == "Key" && is_decoded()) {
            return Err(ReadError::another(name, asked, &text));
        }
    }
    Ok(())
}

/// The bucket that must be repeated; an alias of an access point stands for another one.
fn bucket<'a>(draft: &'a Draft, service: &'a Service) -> Option<&'a str> {
    let bucket = draft.bucket.as_ref().or(service.bucket.as_ref())?.as_str();
    (!bucket.ends_with("-ossalias")).then_some(bucket)
}

fn upload(draft: &Draft) -> Option<&str> {
    draft.query.iter().find(|(name, _)| name == "uploadId").map(|(_, id)| id.as_str())
}

/// The documents in which OSS repeats what it was asked for.
const REPEATING: [&str; 3] =
    ["CompleteMultipartUploadResult", "InitiateMultipartUploadResult", "ListPartsResult"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CompleteMultipartUpload, Endpoint, InitiateMultipartUpload, ListParts, Operation};

    fn check<O: Operation>(operation: &O, document: &'static str) -> Result<(), ReadError> {
        let service = Service::new(Endpoint::parse("oss.example").unwrap());
        let body = Bytes::from_static(document.as_bytes());
        check_echo(&operation.draft().unwrap(), &service, &ReplyHead::default(), &body)
    }

    #[test]
    fn b54_an_answer_about_something_else_is_none() {
        let complete = CompleteMultipartUpload::new("bucket", "a b", "id");
        let initiate = InitiateMultipartUpload::new("bucket", "a b");
        let list = ListParts::new("bucket", "a b", "id");
        for document in [
            "<CompleteMultipartUploadResult><Bucket>bucket</Bucket><Key>a%20b</Key><EncodingType>url\
             </EncodingType></CompleteMultipartUploadResult>",
            "<CompleteMultipartUploadResult><Key>a b</Key></CompleteMultipartUploadResult>",
            "<CompleteMultipartUploadResult/>",
        ] {
            assert_eq!(check(&complete, document), Ok(()), "{document}");
        }
        for document in [
            "<CompleteMultipartUploadResult><Bucket>other</Bucket></CompleteMultipartUploadResult>",
            "<CompleteMultipartUploadResult><ETag>x</ETag><Key>a%20c</Key></CompleteMultipartUploadResult>",
        ] {
            assert!(check(&complete, document).is_err(), "{document}");
        }
        let begun = "<InitiateMultipartUploadResult><Key>a</Key></InitiateMultipartUploadResult>";
        assert!(check(&initiate, begun).is_err());
        let parts = "<ListPartsResult><UploadId>other</UploadId></ListPartsResult>";
        let error = check(&list, parts).unwrap_err();
        assert_eq!(
            alloc::string::ToString::to_string(&error),
            "the answer's `UploadId` is `other` where `id` was asked for; check what answers in place of \
             OSS, such as a cache or a proxy"
        );
    }

    #[test]
    fn b54_an_alias_of_an_access_point_is_no_bucket_to_be_repeated() {
        let list = ListParts::new("ap-01-3b00-ossalias", "a b", "id");
        let parts = "<ListPartsResult><Bucket>bucket</Bucket></ListPartsResult>";
        assert_eq!(check(&list, parts), Ok(()));
    }
}
