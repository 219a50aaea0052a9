//! The transitions of a look: a write whose outcome is unknown is set aside while the object is looked at.

use alloc::borrow::Cow;
use alloc::boxed::Box;

use oss_retry::Outcome;

use super::action::Now;
use super::machine::{Machine, State};
use super::resolve::{Aside, Finding, Refusal, Trace, refusal_of};
use super::verdict::Unsuccessful;
use crate::ReplyHead;

impl Machine {
    /// Judged → Asking or Start: a look at the object comes next, when it can tell whether a write happened.
    pub(super) fn look(&mut self, failed: &Unsuccessful, now: Now) -> bool {
        let Some((trace, question)) = self.question(failed) else { return false };
        let refusal = refusal_of(failed);
        let is_due = match (refusal, &trace) {
            (Some(_), _) => !self.is_late(now),
            // It comes after the last attempt, and is none itself.
            (None, Trace::Completion(_)) => {
                self.tries = self.tries.saturating_add(1);
                self.ask(failed, now)
            }
            (None, _) => self.propose(failed, now),
        };
        if !is_due {
            return false;
        }
        if refusal.is_some() {
            self.state = State::Start;
        }
        self.looks = self.looks.saturating_add(1);
        let write = core::mem::replace(&mut self.draft, Ok(question));
        self.aside = Some(Box::new(Aside { write, trace, refusal, found: None }));
        true
    }

    /// Collecting → Start or Finished: the look is over. The write took effect, or is made again, or ends
    /// with its own failure.
    pub(super) fn take_look(&mut self, head: Option<ReplyHead>, now: Now) {
        let Some(mut aside) = self.aside.take() else { return };
        let (object, source) = match &aside.found {
            Some(object) => (Some(object), head.as_ref()),
            None => (head.as_ref(), None),
        };
        let began = self.began.map_or(now.mono, |began| began.mono);
        let finding = aside.trace.find(object, source, now.mono.saturating_sub(began));
        if finding == Finding::Unclear
            && aside.found.is_none()
            && let (Some(object), Some(question)) = (object, aside.trace.second_question())
        {
            let object = object.clone();
            self.push(Some(&object), Some(Cow::Borrowed("found an object")), now);
            aside.found = Some(object);
            self.draft = Ok(question);
            self.aside = Some(aside);
            self.state = State::Start;
            return;
        }
        self.draft = aside.write;
        if let (Finding::Ours, Some(object), Ok(write)) = (finding, object, &self.draft) {
            let body = aside.trace.answer(write, &self.service, object);
            let object = object.clone();
            self.push(head.as_ref(), None, now);
            return self.conclude(object, body);
        }
        self.push(head.as_ref(), Some(Cow::Borrowed(finding.word())), now);
        if aside.refusal.is_some() || finding == Finding::Unclear || !self.is_replayable() {
            // An upload that is gone was completed or given up: who did it is not told by another object.
            if aside.refusal == Some(Refusal::Taken) && finding == Finding::Others {
                self.held = self.held.take().map(|error| Box::new(error.with_outcome(Outcome::Rejected)));
            }
            return self.give_up();
        }
        // It had no effect so far, and may arrive late after all: then its own condition refuses one of the
        // two, and a further look tells which. What stands in its way now may be gone by then.
        self.outcome = Outcome::Rejected;
        self.state = State::Start;
    }
}
