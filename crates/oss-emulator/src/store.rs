//! What is kept: buckets, the versions of their objects, unfinished uploads.

mod history;
mod object;

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::acl::Acl;
use crate::blob::Blob;
use crate::fault::Fault;
use crate::ids::Ids;
use crate::store::history::Entry;
use crate::xml::Element;

pub(crate) use crate::store::history::{Found, History, NULL_VERSION, Version};
pub use crate::store::object::Object;
pub(crate) use crate::store::object::{Kind, Restore, Settings, Tier, etag};

/// Every bucket, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    pub(crate) buckets: BTreeMap<String, Bucket>,
}

impl Store {
    pub(crate) fn bucket(&self, name: &str) -> Result<&Bucket, Fault> {
        self.buckets.get(name).ok_or_else(|| Fault::no_such_bucket(name))
    }

    pub(crate) fn bucket_mut(&mut self, name: &str) -> Result<&mut Bucket, Fault> {
        self.buckets.get_mut(name).ok_or_else(|| Fault::no_such_bucket(name))
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    pub(crate) created: Duration,
    pub(crate) acl: Acl,
    pub(crate) storage_class: String,
    pub(crate) redundancy: String,
    pub(crate) resource_group: String,
    /// `None` until it is set for the first time; there is no way back.
    pub(crate) versioning: Option<Versioning>,
    pub(crate) objects: BTreeMap<String, History>,
    /// By key, then upload id.
    pub(crate) uploads: BTreeMap<(String, String), Upload>,
    /// Configuration documents, by sub-resource and, where a bucket has several of one kind, by name.
    pub(crate) documents: BTreeMap<(&'static str, String), Element>,
    pub(crate) worm: Option<Worm>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Versioning {
    Enabled,
    Suspended,
}

impl Versioning {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "Enabled",
            Self::Suspended => "Suspended",
        }
    }
}

/// A retention policy of a bucket.
#[derive(Clone, Debug)]
pub(crate) struct Worm {
    pub(crate) id: String,
    pub(crate) created: Duration,
    pub(crate) days: u64,
    pub(crate) locked: bool,
}

/// What a deletion did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Deletion {
    /// The version that is gone, or the marker that was made.
    pub(crate) version: Option<String>,
    /// Whether that version is a delete marker.
    pub(crate) is_marker: bool,
}

impl Bucket {
    pub(crate) fn new(created: Duration) -> Self {
        Self {
            created,
            acl: Acl::Private,
            storage_class: String::from("Standard"),
            redundancy: String::from("LRS"),
            resource_group: String::from("rg-default"),
            versioning: None,
            objects: BTreeMap::new(),
            uploads: BTreeMap::new(),
            documents: BTreeMap::new(),
            worm: None,
        }
    }

    /// The current object under a key; a delete marker is none.
    pub(crate) fn current(&self, key: &str) -> Option<&Object> {
        self.objects.get(key)?.latest()?.object()
    }

    /// The current objects with their keys.
    pub(crate) fn current_objects(&self) -> impl Iterator<Item = (&str, &Object)> {
        let all = self.objects.iter();
        all.filter_map(|(key, history)| Some((key.as_str(), history.latest()?.object()?)))
    }

    /// An object by key and version, or the current one; a delete marker is refused as OSS does
    /// (OSS document "GetObject").
    pub(crate) fn object(&self, key: &str, version: Option<&str>) -> Result<Found<'_>, Fault> {
        match self.objects.get(key) {
            Some(history) => history.find(key, version),
            None => Err(history::missing(key, version)),
        }
    }

    pub(crate) fn object_mut(&mut self, key: &str, version: Option<&str>) -> Result<&mut Object, Fault> {
        match self.objects.get_mut(key) {
            Some(history) => history.find_mut(key, version),
            None => Err(history::missing(key, version)),
        }
    }

    /// Makes an object the current version: a new one when versioning is enabled, else in place of the
    /// `null` version. Gives the version id that answers name, if they name one.
    pub(crate) fn put(&mut self, key: &str, object: Object, ids: &mut Ids) -> Option<String> {
        let id = self.push(key, Entry::Object(Box::new(object)), ids);
        self.shown(&id).map(ToOwned::to_owned)
    }

    /// Deletes a version for good, or puts a delete marker on top where versions are kept (OSS document
    /// "DeleteObject"). What is not there is deleted as well.
    pub(crate) fn delete(
        &mut self,
        key: &str,
        version: Option<&str>,
        now: Duration,
        ids: &mut Ids,
    ) -> Deletion {
        let Some(version) = version else {
            if self.versioning.is_none() {
                self.objects.remove(key);
                return Deletion::default();
            }
            let id = self.push(key, Entry::Marker(now), ids);
            return Deletion { version: Some(id), is_marker: true };
        };
        let mut is_marker = false;
        if let Some(history) = self.objects.get_mut(key) {
            is_marker = history.remove(version).is_some_and(|gone| gone.object().is_none());
            if history.is_empty() {
                self.objects.remove(key);
            }
        }
        Deletion { version: self.shown(version).map(ToOwned::to_owned), is_marker }
    }

    /// The version id as answers name it: not at all in a bucket that never had versioning.
    pub(crate) fn shown<'i>(&self, id: &'i str) -> Option<&'i str> {
        self.versioning.is_some().then_some(id)
    }

    pub(crate) fn upload(&self, key: &str, id: &str) -> Result<&Upload, Fault> {
        let name = (String::from(key), String::from(id));
        self.uploads.get(&name).ok_or_else(|| Fault::no_such_upload(id))
    }

    pub(crate) fn upload_mut(&mut self, key: &str, id: &str) -> Result<&mut Upload, Fault> {
        let name = (String::from(key), String::from(id));
        self.uploads.get_mut(&name).ok_or_else(|| Fault::no_such_upload(id))
    }

    /// A configuration document of which a bucket has one.
    pub(crate) fn document(&self, sub: &'static str) -> Option<&Element> {
        self.documents.get(&(sub, String::new()))
    }

    /// The text at this path of a configuration document, `""` when it is not there.
    pub(crate) fn setting(&self, sub: &'static str, path: &[&str]) -> &str {
        let mut element = self.document(sub);
        for name in path {
            element = element.and_then(|element| element.child(name));
        }
        element.map_or("", |element| element.text.trim())
    }

    fn push(&mut self, key: &str, entry: Entry, ids: &mut Ids) -> String {
        let id = match self.versioning {
            Some(Versioning::Enabled) => ids.version_id(),
            Some(Versioning::Suspended) | None => NULL_VERSION.to_owned(),
        };
        self.objects.entry(key.to_owned()).or_default().push(id.clone(), entry);
        id
    }
}

/// An unfinished multipart upload.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) initiated: Duration,
    pub(crate) settings: Settings,
    pub(crate) parts: BTreeMap<u32, Part>,
}

#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) blob: Blob,
    pub(crate) etag: String,
    pub(crate) crc: u64,
    pub(crate) modified: Duration,
}

/// Tags in the order in which they came.
pub(crate) type Tags = Vec<(String, String)>;
