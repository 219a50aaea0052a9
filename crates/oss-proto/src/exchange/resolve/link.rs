//! What a symbolic link leaves behind: the key that it stands for.

use alloc::string::String;
use core::time::Duration;

use super::{Finding, Known, Marks, is_older, is_versioned};
use crate::{Draft, ReplyHead, Scope};

/// What the write leaves behind.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::exchange) struct Link {
    target: String,
    marks: Marks,
}

impl Link {
    pub(super) fn of(draft: &Draft, known: Known) -> Option<Self> {
        let target = decoded(draft.header(TARGET)?)?;
        Some(Self { target, marks: Marks::of(draft, known) })
    }

    /// A `HeadObject` would be about the object that the link stands for.
    pub(super) fn question() -> Draft {
        let mut draft = Draft::new("GetSymlink", http::Method::GET, Scope::Object);
        draft.query.push(("symlink".into(), String::new()));
        draft
    }

    /// `head` is that of `NotSymlink` when there is another object.
    pub(super) fn find(&self, head: Option<&ReplyHead>, elapsed: Duration) -> Finding {
        let Some(head) = head else { return Finding::Before };
        let target = head.header(TARGET).and_then(decoded);
        let is_ours = target.as_ref() == Some(&self.target) && self.marks.fit(head);
        if is_ours && (self.marks.is_unique || !is_older(head, elapsed)) {
            return Finding::Ours;
        }
        if is_versioned(head) { Finding::Unclear } else { Finding::Others }
    }
}

fn decoded(target: &str) -> Option<String> {
    crate::xml::decode_url(String::from(target)).ok()
}

const TARGET: &str = "x-oss-symlink-target";

#[cfg(test)]
mod tests {
    use super::super::tests::{DATE, head, trace};
    use super::*;
    use crate::{Operation as _, PutSymlink};

    #[test]
    fn f60_a_link_is_ours_when_it_stands_for_what_ours_stands_for() {
        let link = PutSymlink::new("bucket", "a", "b c").forbid_overwrite(true).metadata([("id", "7")]);
        let trace = trace(&link.draft().unwrap()).unwrap();
        let id = ("x-oss-meta-id", "7");
        for (answer, due) in [
            (&[("x-oss-symlink-target", "b%20c"), id][..], Finding::Ours),
            (&[("x-oss-symlink-target", "b%20c")], Finding::Others),
            (&[("x-oss-symlink-target", "b"), id], Finding::Others),
            (&[("x-oss-symlink-target", "b"), id, ("x-oss-version-id", "v")], Finding::Unclear),
            (&[id], Finding::Others),
            (
                &[
                    ("x-oss-symlink-target", "b%20c"),
                    id,
                    DATE,
                    ("last-modified", "Sat, 16 Dec 2023 15:20:57 GMT"),
                ],
                Finding::Others,
            ),
        ] {
            assert_eq!(trace.find(Some(&head(answer)), None, Duration::ZERO), due, "{answer:?}");
        }
        assert_eq!(trace.find(None, None, Duration::ZERO), Finding::Before);
    }
}
