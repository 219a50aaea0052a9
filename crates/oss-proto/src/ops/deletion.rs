//! What became of each object of a [`DeleteMultipleObjects`](crate::DeleteMultipleObjects), and what is worth
//! another attempt.

use alloc::collections::BTreeMap;
use alloc::string::String;

use oss_retry::{Failure, Verdict, classify};

use crate::{Delete, DeleteMultipleObjectsOutput, DeletedObject, ObjectIdentifier};

shape! {
    /// An object that was not deleted.
    FailedDeletion {
        /// Its key.
        key:        String         = url "Key",
        /// The version that was asked for.
        version_id: Option<String> = xml "VersionId",
        /// Why: an error code, as that of a whole answer.
        code:       Option<String> = xml "Code",
        /// Why, for people.
        message:    Option<String> = xml "Message",
    }
}

/// What became of one object that was to be deleted.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Deletion<'a> {
    /// It is deleted, or was not there.
    Deleted(&'a DeletedObject),
    /// It is not in the answer of a quiet deletion, which names what failed: it is deleted.
    Quietly,
    /// It is not deleted.
    Failed(&'a FailedDeletion),
    /// The answer does not name it, and should. It may be there; a retention policy keeps objects so.
    Untold,
}

impl Deletion<'_> {
    /// Whether the object is gone.
    pub fn is_deleted(self) -> bool {
        matches!(self, Self::Deleted(_) | Self::Quietly)
    }
}

impl FailedDeletion {
    /// Whether the same deletion may succeed later: its code is that of a bad moment, or of too many
    /// requests.
    pub fn is_transient(&self) -> bool {
        let code = self.code.as_deref().unwrap_or_default();
        // An error under 200 has no status to speak of: the code alone decides.
        let verdict = classify(Failure::Service { status: 200, code });
        matches!(verdict, Verdict::Retry { .. } | Verdict::Throttle { .. })
    }
}

impl Delete {
    /// What became of each object, in the order in which they were asked for.
    ///
    /// ```
    /// use oss_proto::{Delete, DeleteMultipleObjectsOutput, Deletion};
    ///
    /// let delete = Delete::from_iter(["a", "b"]).quiet(true);
    /// let answer = DeleteMultipleObjectsOutput::default();
    /// assert!(delete.outcomes(&answer).all(|(_, deletion)| deletion == Deletion::Quietly));
    /// ```
    pub fn outcomes<'a>(
        &'a self,
        answer: &'a DeleteMultipleObjectsOutput,
    ) -> impl Iterator<Item = (&'a ObjectIdentifier, Deletion<'a>)> {
        let deleted = answer.deleted.iter();
        let deleted = deleted.map(|it| ((it.key.as_str(), it.version_id.as_deref()), Deletion::Deleted(it)));
        let failed = answer.failed.iter();
        let failed = failed.map(|it| ((it.key.as_str(), it.version_id.as_deref()), Deletion::Failed(it)));
        // Whoever is named as both is not deleted.
        let told: BTreeMap<_, _> = deleted.chain(failed).collect();
        let untold = if self.quiet == Some(true) { Deletion::Quietly } else { Deletion::Untold };
        self.objects.iter().map(move |object| {
            let name = (object.key.as_str(), object.version_id.as_deref());
            (object, told.get(&name).copied().unwrap_or(untold))
        })
    }

    /// The same deletion of those objects alone whose failure may pass; `None` when there are none.
    #[must_use]
    pub fn again(&self, answer: &DeleteMultipleObjectsOutput) -> Option<Self> {
        let is_transient = |deletion| matches!(deletion, Deletion::Failed(it) if it.is_transient());
        let left = self.outcomes(answer).filter(|(_, deletion)| is_transient(*deletion));
        let objects: alloc::vec::Vec<_> = left.map(|(object, _)| object.clone()).collect();
        (!objects.is_empty()).then_some(Self { quiet: self.quiet, objects })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DeleteMultipleObjects, Operation as _, ReplyHead};
    use alloc::format;
    use alloc::vec::Vec;
    use bytes::Bytes;

    fn answer(inside: &str) -> DeleteMultipleObjectsOutput {
        let document = format!("<DeleteResult><EncodingType>url</EncodingType>{inside}</DeleteResult>");
        DeleteMultipleObjects::read(&ReplyHead::default(), &Bytes::from(document)).unwrap()
    }

    fn failed(key: &str, code: &str) -> String {
        format!("<Error><Key>{key}</Key><Code>{code}</Code><Message>no</Message></Error>")
    }

    #[test]
    fn f63_only_keys_that_failed_for_the_moment_are_asked_for_again() {
        let delete = Delete::from_iter(["a b", "c", "d", "e", "f"]);
        let answer = answer(
            &[
                "<Deleted><Key>a%20b</Key></Deleted>",
                &failed("c", "InternalError"),
                &failed("d", "AccessDenied"),
                &failed("e", "TotalQpsLimitExceeded"),
            ]
            .concat(),
        );
        let outcomes: Vec<_> = delete.outcomes(&answer).map(|(_, deletion)| deletion).collect();
        assert!(matches!(
            outcomes[..],
            [
                Deletion::Deleted(_),
                Deletion::Failed(_),
                Deletion::Failed(_),
                Deletion::Failed(_),
                Deletion::Untold
            ]
        ));
        let again = delete.again(&answer).unwrap();
        let keys: Vec<_> = again.objects.iter().map(|object| object.key.as_str()).collect();
        assert_eq!(keys, ["c", "e"]);
        assert!(delete.again(&DeleteMultipleObjectsOutput::default()).is_none());
    }

    #[test]
    fn f63_what_a_quiet_answer_leaves_out_is_deleted() {
        let delete = Delete::from_iter(["a", "b"]).quiet(true);
        let answer = answer(&failed("b", "InternalError"));
        let deleted: Vec<_> = delete.outcomes(&answer).map(|(_, deletion)| deletion.is_deleted()).collect();
        assert_eq!(deleted, [true, false]);
        let again = delete.again(&answer).unwrap();
        assert_eq!((again.quiet, again.objects.len()), (Some(true), 1));
    }

    #[test]
    fn f63_versions_of_one_key_are_told_apart_and_a_failure_outweighs_a_success() {
        let version = |id: &str| ObjectIdentifier::new("a").version_id(id);
        let delete = Delete::new([version("1"), version("2")]);
        let answer = answer(
            "<Deleted><Key>a</Key><VersionId>1</VersionId></Deleted>\
             <Deleted><Key>a</Key><VersionId>2</VersionId></Deleted>\
             <Error><Key>a</Key><VersionId>2</VersionId><Code>InternalError</Code></Error>",
        );
        let again = delete.again(&answer).unwrap();
        assert_eq!(again.objects, [version("2")]);
    }
}
