//! A list, entry after entry.

use core::fmt;

use oss_proto::Error;
use oss_proto::transfer::{Entries, Listing, ListingStep};

use crate::{Bucket, Client};

impl Bucket {
    /// The entries of a list of any length, one page of it in memory at a time; one that names no bucket is
    /// of this one.
    ///
    /// ```no_run
    /// # async fn doc(bucket: oss_hyper::Bucket) -> Result<(), oss_hyper::Error> {
    /// use oss_hyper::ListObjectsV2;
    /// use oss_hyper::transfer::ListEntry;
    ///
    /// let mut entries = bucket.entries(ListObjectsV2::here().prefix("photos/").delimiter("/"));
    /// while let Some(entry) = entries.next().await? {
    ///     match entry {
    ///         ListEntry::One(object) => println!("{}", object.key),
    ///         ListEntry::Prefix(prefix) => println!("{prefix}…"),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn entries<O: Entries>(&self, list: O) -> ListEntries<O> {
        let (client, listing) = (self.client().clone(), Listing::new(list));
        ListEntries { client, listing, asked: None, is_over: false }
    }
}

/// The entries of a list: see [`Bucket::entries`]. A page is asked for when there is no entry left.
pub struct ListEntries<O: Entries> {
    client: Client,
    listing: Listing<O>,
    /// The page that is due: it is asked for again when its call failed or was dropped.
    asked: Option<O>,
    is_over: bool,
}

impl<O: Entries> ListEntries<O> {
    /// Checks each page: entries in order, behind the one before, with the prefix that was asked for. A page
    /// that fails ends the list.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.listing = self.listing.strict();
        self
    }

    /// The next entry; `None` after the last one. May be dropped and called again.
    ///
    /// # Errors
    /// When the call of a page fails: the next time the same page is asked for. When the list does not move
    /// on, gives 1,000 pages in a row without an entry, or fails a check of [`strict`](Self::strict): then it
    /// is over.
    pub async fn next(&mut self) -> Result<Option<O::Entry>, Error> {
        loop {
            if let Some(list) = &self.asked {
                let reply = self.client.send(list.clone()).await?;
                self.asked = None;
                self.listing.complete(Ok(reply));
            }
            if self.is_over {
                return Ok(None);
            }
            match self.listing.poll() {
                ListingStep::Run(list) => self.asked = Some(list),
                ListingStep::Entry(entry) => return Ok(Some(entry)),
                ListingStep::Done(result) => {
                    self.is_over = true;
                    return result.map(|()| None);
                }
                // What is asked for is in `asked`.
                ListingStep::Busy => {}
            }
        }
    }
}

impl<O: Entries> fmt::Debug for ListEntries<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListEntries").field("listing", &self.listing).finish_non_exhaustive()
    }
}
