//! Laws over arbitrary values: what is written is read back, and a list is decoded once and in order.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use core::fmt::Debug;

use bytes::Bytes;
use oss_proto::xml::{Element, Reader, Writer};
use oss_proto::{
    CompletedPart, CompletedParts, CreateBucketConfiguration, DataRedundancyType, Delete, ETag,
    ListMultipartUploads, ListObjectVersions, ListObjects, ListObjectsV2, ObjectIdentifier, Operation, Payer,
    ReplyHead, RequestPaymentConfiguration, RestoreJob, RestoreRequest, RestoreTier, StorageClass,
    SymlinkTarget, Tag, Tagging, Tags, Text, VersionEntry, VersioningConfiguration, VersioningStatus,
};
use proptest::prelude::*;

/// Any text but NUL, which no XML can hold, with a liking for what XML and URLs treat specially.
fn texts() -> impl Strategy<Value = String> {
    let special = "&<>\"'\t\r\n;#]%+/?= \u{1}\u{7f}\u{85}\u{2028}é目\u{10ffff}";
    let special = prop::sample::select(special.chars().collect::<Vec<_>>());
    let character = prop_oneof![special, any::<char>().prop_filter("NUL", |&c| c != '\0')];
    prop::collection::vec(character, 0..20).prop_map(String::from_iter)
}

fn words<W: for<'a> From<&'a str> + Debug>(known: &'static [&'static str]) -> impl Strategy<Value = W> {
    let known = prop::sample::select(known).prop_map(str::to_owned);
    prop_oneof![known, texts()].prop_map(|word| W::from(word.as_str()))
}

fn write<E: Element>(root: &'static str, value: &E) -> Vec<u8> {
    let mut writer = Writer::new();
    value.write(root, &mut writer).unwrap();
    writer.finish()
}

/// `read(write(x)) == x`, and what is cut anywhere is an error.
fn comes_back<E: Element + PartialEq + Debug>(root: &'static str, value: &E) -> Result<(), TestCaseError> {
    let read = |document: &[u8]| {
        let mut reader = Reader::open(document, root)?;
        let value = E::read(&mut reader)?;
        reader.finish().map(|_url| value)
    };
    let document = write(root, value);
    let back = read(&document).unwrap();
    prop_assert_eq!(back.as_ref(), Some(value));
    for end in 0..document.len() {
        prop_assert!(read(&document[..end]).is_err());
    }
    Ok(())
}

fn identifiers() -> impl Strategy<Value = ObjectIdentifier> {
    (texts(), prop::option::of(texts())).prop_map(|(key, version)| {
        let mut object = ObjectIdentifier::new(key);
        object.version_id = version;
        object
    })
}

proptest! {
    #[test]
    fn structures_for_buckets_come_back(
        class in prop::option::of(words::<StorageClass>(&["Standard", "IA", "Archive"])),
        redundancy in prop::option::of(words::<DataRedundancyType>(&["LRS", "ZRS"])),
        status in words::<VersioningStatus>(&["Enabled", "Suspended"]),
        payer in words::<Payer>(&["BucketOwner", "Requester"]),
    ) {
        let mut configuration = CreateBucketConfiguration::new();
        configuration.storage_class = class;
        configuration.data_redundancy_type = redundancy;
        comes_back("CreateBucketConfiguration", &configuration)?;
        comes_back("VersioningConfiguration", &VersioningConfiguration::new(status))?;
        comes_back("RequestPaymentConfiguration", &RequestPaymentConfiguration::new(payer))?;
    }

    #[test]
    fn structures_for_objects_come_back(
        quiet in any::<Option<bool>>(),
        objects in prop::collection::vec(identifiers(), 0..4),
        tags in prop::collection::vec((texts(), texts()), 0..4),
        days in any::<u32>(),
        tier in prop::option::of(words::<RestoreTier>(&["Expedited", "Standard", "Bulk"])),
    ) {
        let mut delete = Delete::new(objects);
        delete.quiet = quiet;
        comes_back("Delete", &delete)?;
        let tags = tags.into_iter().map(|(key, value)| Tag::new(key, value)).collect::<Vec<_>>();
        comes_back("Tagging", &Tagging::new(tags))?;
        let mut restore = RestoreRequest::new(days);
        restore.job_parameters = tier.map(RestoreJob::new);
        comes_back("RestoreRequest", &restore)?;
    }

    #[test]
    fn parts_come_back(parts in prop::collection::vec((any::<u32>(), "[ -~]{1,40}"), 0..5)) {
        let part = |(number, etag): (u32, String)| CompletedPart::new(number, ETag::from(etag.as_str()));
        let parts = parts.into_iter().map(part).collect::<Vec<_>>();
        comes_back("CompleteMultipartUpload", &CompletedParts::new(parts))?;
    }

    #[test]
    fn texts_of_headers_come_back(
        key in texts(),
        tags in prop::collection::btree_map("\\PC{1,9}", texts(), 0..4),
    ) {
        let target = SymlinkTarget::from(key.as_str());
        if let Ok(text) = target.text() {
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert_eq!(SymlinkTarget::parse(&text), Some(target.clone()));
        } else {
            prop_assert!(key.is_empty() || key.len() > 1023);
        }
        let tags = tags.iter().fold(Tags::default(), |tags, (key, value)| tags.with(key, value));
        let text = tags.text().unwrap().into_owned();
        prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
        prop_assert_eq!(Tags::parse(&text), Some(tags));
    }

    /// B20: keys of a list come out as they are in the bucket, in the order of the wire, whether or not the
    /// answer says that it encoded them.
    #[test]
    fn b20_lists_keep_their_order_and_are_decoded_once(
        keys in prop::collection::vec((texts(), any::<bool>()), 0..8),
        prefix in texts(),
        is_encoded in any::<bool>(),
    ) {
        let mut list = List { writer: Writer::new(), is_encoded };
        list.writer.open("ListBucketResult");
        // The word on encoding comes last: nothing may depend on its place.
        list.text("Prefix", &prefix);
        for (key, is_prefix) in &keys {
            let (outer, name) = if *is_prefix { ("CommonPrefixes", "Prefix") } else { ("Contents", "Key") };
            list.inside(outer, name, key);
        }
        let body = list.finish("ListBucketResult");
        let of = |wanted| keys.iter().filter(move |(_, prefix)| *prefix == wanted).map(|(key, _)| key);
        let v1 = ListObjects::read(&ReplyHead::default(), &body).unwrap();
        prop_assert_eq!(v1.prefix.as_ref(), Some(&prefix));
        prop_assert!(v1.contents.iter().map(|object| &object.key).eq(of(false)));
        prop_assert!(v1.common_prefixes.iter().map(|common| &common.prefix).eq(of(true)));
        let v2 = ListObjectsV2::read(&ReplyHead::default(), &body).unwrap();
        prop_assert_eq!((v2.contents, v2.common_prefixes), (v1.contents, v1.common_prefixes));
    }

    #[test]
    fn b20_versions_and_delete_markers_keep_their_order(
        keys in prop::collection::vec((texts(), any::<bool>()), 0..8),
        is_encoded in any::<bool>(),
    ) {
        let mut list = List { writer: Writer::new(), is_encoded };
        list.writer.open("ListVersionsResult");
        for (key, is_marker) in &keys {
            list.inside(if *is_marker { "DeleteMarker" } else { "Version" }, "Key", key);
        }
        let body = list.finish("ListVersionsResult");
        let output = ListObjectVersions::read(&ReplyHead::default(), &body).unwrap();
        let seen = output.entries.iter().map(|entry| {
            (entry.key().to_owned(), matches!(entry, VersionEntry::DeleteMarker(_)))
        });
        prop_assert!(seen.eq(keys));
    }

    #[test]
    fn b20_uploads_are_decoded_once(
        keys in prop::collection::vec(texts(), 0..8),
        is_encoded in any::<bool>(),
    ) {
        let mut list = List { writer: Writer::new(), is_encoded };
        list.writer.open("ListMultipartUploadsResult");
        for (id, key) in keys.iter().enumerate() {
            list.writer.open("Upload");
            list.text("Key", key);
            // Opaque: what looks like an escape is none.
            list.writer.leaf("UploadId", &format!("%4{id}"));
            list.writer.close("Upload");
        }
        let body = list.finish("ListMultipartUploadsResult");
        let output = ListMultipartUploads::read(&ReplyHead::default(), &body).unwrap();
        prop_assert!(output.uploads.iter().map(|upload| &upload.key).eq(&keys));
        let ids = output.uploads.into_iter().map(|upload| upload.upload_id);
        let sent = (0..keys.len()).map(|id| format!("%4{id}"));
        prop_assert!(ids.eq(sent));
    }
}

struct List {
    writer: Writer,
    is_encoded: bool,
}

impl List {
    fn text(&mut self, name: &str, text: &str) {
        let encode = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
        };
        self.writer.leaf(name, &if self.is_encoded { encode(text) } else { text.to_owned() });
    }

    fn inside(&mut self, outer: &str, name: &str, text: &str) {
        self.writer.open(outer);
        self.text(name, text);
        self.writer.close(outer);
    }

    fn finish(mut self, root: &str) -> Bytes {
        if self.is_encoded {
            self.writer.leaf("EncodingType", "url");
        }
        self.writer.close(root);
        Bytes::from(self.writer.finish())
    }
}
