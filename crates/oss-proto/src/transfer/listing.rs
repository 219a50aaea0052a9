//! A list, entry by entry, page after page.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;

use super::error::misuse;
use crate::{
    Error, ErrorKind, ListBuckets, ListMultipartUploads, ListObjectVersions, ListObjects, ListObjectsV2,
    ListParts, Operation, Outcome, Paged, Reply,
};

/// A list of any length, one page of it in memory at a time.
///
/// Poll it for the next entry; it asks for a page when it has none left. A list that does not move on ends
/// with an error ([`ReadError::is_pagination_stuck`](crate::ReadError::is_pagination_stuck)), and so does one
/// that goes on for 1,000 pages in a row without an entry; with
/// [`strict`](Self::strict) so does one whose entries are out of order, repeated, or not what was asked for.
///
/// ```
/// use oss_proto::transfer::{Listing, ListingStep};
/// use oss_proto::ListObjectsV2;
///
/// let mut listing = Listing::new(ListObjectsV2::new("examplebucket").prefix("photos/")).strict();
/// let ListingStep::Run(first) = listing.poll() else { panic!("it begins with a page") };
/// assert_eq!(first.prefix.as_deref(), Some("photos/"));
/// ```
pub struct Listing<O: Entries> {
    next: Option<O>,
    asked: Option<O>,
    entries: VecDeque<O::Entry>,
    /// The key of the last entry of the page before.
    last: Option<alloc::string::String>,
    is_strict: bool,
    /// So many pages in a row had no entry.
    empty_pages: u32,
    failure: Option<Error>,
    is_over: bool,
}

/// What to do next in a [`Listing`].
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver is one complete match")]
pub enum ListingStep<O: Entries> {
    /// Make this call, and report what came of it with [`Listing::complete`].
    Run(O),
    /// The next entry. No answer.
    Entry(O::Entry),
    /// The call that was handed out is not completed.
    Busy,
    /// The list is over.
    Done(Result<(), Error>),
}

/// A list whose pages have entries.
pub trait Entries: Paged + Clone {
    /// One entry.
    type Entry;

    /// The entries of a page.
    fn entries(page: Self::Output) -> Vec<Self::Entry>;

    /// The key by which the list is ordered, and whether it may come again in the entry after it.
    fn key(entry: &Self::Entry) -> Option<(&str, bool)>;
}

/// An entry of a list of objects, versions or uploads: one of them, or what stands for many.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ListEntry<T> {
    /// An entry of its own.
    One(T),
    /// A prefix up to the delimiter, which stands for the keys below it.
    Prefix(alloc::string::String),
}

impl<O: Entries> Listing<O> {
    /// A list that has not begun.
    pub fn new(list: O) -> Self {
        let next = Some(list);
        let (asked, last, failure) = (None, None, None);
        Self {
            next,
            asked,
            entries: VecDeque::new(),
            last,
            is_strict: false,
            empty_pages: 0,
            failure,
            is_over: false,
        }
    }

    /// The same list, whose pages are checked: entries in order, behind the marker, with the prefix.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.is_strict = true;
        self
    }

    /// What to do next.
    pub fn poll(&mut self) -> ListingStep<O> {
        if let Some(entry) = self.entries.pop_front() {
            return ListingStep::Entry(entry);
        }
        if let Some(error) = self.failure.take() {
            self.is_over = true;
            return ListingStep::Done(Err(error));
        }
        if self.asked.is_some() {
            return ListingStep::Busy;
        }
        match self.next.take() {
            Some(list) => {
                self.asked = Some(list.clone());
                ListingStep::Run(list)
            }
            None if self.is_over => ListingStep::Done(Err(misuse("List", "polled again", "Over"))),
            None => {
                self.is_over = true;
                ListingStep::Done(Ok(()))
            }
        }
    }

    /// What came of the call.
    pub fn complete(&mut self, result: Result<Reply<O::Output>, Error>) {
        let Some(asked) = self.asked.take() else {
            if !self.is_over && self.failure.is_none() {
                self.failure = Some(misuse("List", "completed work that was never handed out", "Ready"));
            }
            return;
        };
        let page = match result {
            Ok(reply) => reply.output,
            Err(error) => return self.failure = Some(error),
        };
        let unread = |error| Error::new(ErrorKind::Reply(error), "List", Outcome::Rejected);
        if self.is_strict
            && let Err(error) = asked.check(&page)
        {
            return self.failure = Some(unread(error));
        }
        match asked.next(&page) {
            Ok(next) => self.next = next,
            // What came is good; what would come after it cannot be had.
            Err(error) => self.failure = Some(unread(error)),
        }
        self.entries = O::entries(page).into();
        self.count_empty();
        if self.is_strict {
            self.check_order();
        }
    }

    /// A filter of OSS may leave a page without entries; for ever, and the list would never end.
    fn count_empty(&mut self) {
        let is_empty = self.entries.is_empty() && self.next.is_some();
        self.empty_pages = if is_empty { self.empty_pages.saturating_add(1) } else { 0 };
        if self.empty_pages >= EMPTY_PAGES_MAX {
            self.next = None;
            let error = crate::ReadError::stuck("1000 pages in a row without an entry");
            self.failure = Some(Error::new(ErrorKind::Reply(error), "List", Outcome::Rejected));
        }
    }

    /// The first entry of a page lies behind the last one of the page before.
    fn check_order(&mut self) {
        let first = self.entries.front().and_then(O::key);
        if let (Some(last), Some((first, may_repeat))) = (&self.last, first)
            && (first < last.as_str() || (first == last && !may_repeat))
        {
            let error = crate::ReadError::value("a page behind the one before it", first);
            self.failure = Some(Error::new(ErrorKind::Reply(error), "List", Outcome::Rejected));
            self.entries.clear();
            return;
        }
        let last = self.entries.back().and_then(O::key).map(|(key, _)| key.into());
        self.last = last.or_else(|| self.last.take());
    }
}

impl<O: Entries> fmt::Debug for Listing<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listing({} entries at hand)", self.entries.len())
    }
}

impl<T> ListEntry<T> {
    /// Both kinds in one order, as OSS counts them in a page.
    fn merged(ones: Vec<T>, prefixes: Vec<crate::CommonPrefix>, key: impl Fn(&T) -> &str) -> Vec<Self> {
        let mut prefixes = prefixes.into_iter().map(|common| common.prefix).peekable();
        let mut merged = Vec::with_capacity(ones.len());
        for one in ones {
            while let Some(prefix) = prefixes.next_if(|prefix| prefix.as_str() < key(&one)) {
                merged.push(Self::Prefix(prefix));
            }
            merged.push(Self::One(one));
        }
        merged.extend(prefixes.map(Self::Prefix));
        merged
    }
}

macro_rules! entries {
    ($($list:ty: $field:ident of $one:ty, $key:expr, $may_repeat:literal;)*) => {$(
        impl Entries for $list {
            type Entry = ListEntry<$one>;

            fn entries(page: <Self as Operation>::Output) -> Vec<Self::Entry> {
                let key: fn(&$one) -> &str = $key;
                ListEntry::merged(page.$field, page.common_prefixes, key)
            }

            fn key(entry: &Self::Entry) -> Option<(&str, bool)> {
                let key: fn(&$one) -> &str = $key;
                Some(match entry {
                    ListEntry::One(one) => (key(one), $may_repeat),
                    ListEntry::Prefix(prefix) => (prefix, false),
                })
            }
        }
    )*};
}

entries! {
    ListObjectsV2: contents of crate::ObjectProperties, |object| &object.key, false;
    ListObjects: contents of crate::ObjectProperties, |object| &object.key, false;
    ListObjectVersions: entries of crate::VersionEntry, |version| version.key(), true;
    ListMultipartUploads: uploads of crate::UploadProperties, |upload| &upload.key, true;
}

impl Entries for ListParts {
    type Entry = crate::PartProperties;

    fn entries(page: Self::Output) -> Vec<Self::Entry> {
        page.parts
    }

    /// By number, which `next` minds.
    fn key(_: &Self::Entry) -> Option<(&str, bool)> {
        None
    }
}

impl Entries for ListBuckets {
    type Entry = crate::BucketProperties;

    fn entries(page: Self::Output) -> Vec<Self::Entry> {
        page.buckets
    }

    fn key(bucket: &Self::Entry) -> Option<(&str, bool)> {
        Some((bucket.name.as_deref()?, false))
    }
}

/// Pages in a row without an entry.
const EMPTY_PAGES_MAX: u32 = 1000;
