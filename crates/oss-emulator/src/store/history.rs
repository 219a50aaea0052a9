//! The versions of one key.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use http::header::ALLOW;

use crate::fault::Fault;
use crate::reply::{X_OSS_DELETE_MARKER, X_OSS_VERSION_ID};
use crate::store::Object;

/// The versions of a key, oldest first. One of them may be the `null` version.
#[derive(Clone, Debug, Default)]
pub(crate) struct History(Vec<Version>);

#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) id: String,
    entry: Entry,
}

#[derive(Clone, Debug)]
pub(crate) enum Entry {
    Object(Box<Object>),
    /// A delete marker, with the time at which it was made.
    Marker(Duration),
}

/// An object that was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'h> {
    pub(crate) object: &'h Object,
    pub(crate) version: &'h str,
}

impl History {
    /// Adds the newest version; a `null` version replaces the one before it.
    pub(crate) fn push(&mut self, id: String, entry: Entry) {
        if id == NULL_VERSION {
            self.remove(&id);
        }
        self.0.push(Version { id, entry });
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<Version> {
        let at = self.0.iter().position(|version| version.id == id)?;
        Some(self.0.remove(at))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn latest(&self) -> Option<&Version> {
        self.0.last()
    }

    /// The newest first, as listings have them.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Version> {
        self.0.iter().rev()
    }

    /// The versions older than `id`, the newest first. The version itself may be gone: ids ascend, so those
    /// below it are older.
    pub(crate) fn older_than<'h>(&'h self, id: &'h str) -> impl Iterator<Item = &'h Version> {
        let known = self.0.iter().position(|version| version.id == id);
        let older = self.0.iter().rposition(|version| version.id != NULL_VERSION && *version.id < *id);
        let end = match (known, older) {
            (Some(at), _) => at,
            (None, _) if id == NULL_VERSION => self.0.len(),
            (None, older) => older.map_or(0, |at| at + 1),
        };
        self.0[..end].iter().rev()
    }

    pub(crate) fn find(&self, key: &str, id: Option<&str>) -> Result<Found<'_>, Fault> {
        let version = &self.0[self.locate(key, id)?];
        let object = version.object().ok_or_else(|| version.refused(key, id))?;
        Ok(Found { object, version: &version.id })
    }

    pub(crate) fn find_mut(&mut self, key: &str, id: Option<&str>) -> Result<&mut Object, Fault> {
        let at = self.locate(key, id)?;
        let version = &mut self.0[at];
        let refusal = version.refused(key, id);
        match &mut version.entry {
            Entry::Object(object) => Ok(object),
            Entry::Marker(_) => Err(refusal),
        }
    }

    fn locate(&self, key: &str, id: Option<&str>) -> Result<usize, Fault> {
        let at = match id {
            Some(id) => self.0.iter().position(|version| version.id == id),
            None => self.0.len().checked_sub(1),
        };
        at.ok_or_else(|| missing(key, id))
    }
}

impl Version {
    pub(crate) fn object(&self) -> Option<&Object> {
        match &self.entry {
            Entry::Object(object) => Some(object),
            Entry::Marker(_) => None,
        }
    }

    pub(crate) fn modified(&self) -> Duration {
        match &self.entry {
            Entry::Object(object) => object.modified,
            Entry::Marker(made) => *made,
        }
    }

    /// What a read of a delete marker is answered with.
    fn refused(&self, key: &str, id: Option<&str>) -> Fault {
        let fault = match id {
            Some(_) => Fault::method_not_allowed("GET", "DeleteMarker").with_header(ALLOW, "DELETE"),
            None => Fault::no_such_key(key),
        };
        fault.with_header(X_OSS_DELETE_MARKER, "true").with_header(X_OSS_VERSION_ID, &self.id)
    }
}

/// What a read of nothing is answered with.
pub(crate) fn missing(key: &str, id: Option<&str>) -> Fault {
    match id {
        None | Some(NULL_VERSION) => Fault::no_such_key(key),
        Some(id) => Fault::new(404, "NoSuchVersion", "", "The specified version does not exist.")
            .with("Key", key)
            .with("VersionId", id),
    }
}

/// The version of an object that was written without versioning, or while it was suspended.
pub(crate) const NULL_VERSION: &str = "null";
