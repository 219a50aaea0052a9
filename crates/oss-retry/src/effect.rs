//! What a second arrival of a request would do, and whether the first had an effect.

use core::fmt;

/// What happens if the service receives a request twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "whoever decides on a repeat must consider every case")]
pub enum Effect {
    /// Nothing: it only reads.
    Read,
    /// The same as once: it puts things into a state, such as an overwrite or a deletion by name.
    Idempotent,
    /// A refusal caused by its own first arrival: it creates or appends only under a condition.
    Conditional,
    /// A leftover: each arrival makes a thing that costs storage until it is removed (a multipart upload).
    Orphaning,
    /// Harm: each arrival counts.
    Once,
}

impl Effect {
    /// Whether one more attempt can do no harm, given what is known about the attempts so far.
    ///
    /// `repeats_after_unknown` counts the attempts made while the outcome was [`Outcome::Unknown`] that may
    /// have taken effect themselves: what was refused for certain does not count. An
    /// [`Orphaning`](Self::Orphaning) operation has one of them. A [`Conditional`](Self::Conditional) one has
    /// none: first find out, by a read, whether it took effect.
    ///
    /// ```
    /// use oss_retry::{Effect, Outcome};
    ///
    /// assert!(Effect::Once.may_repeat(Outcome::Rejected, 0));
    /// assert!(!Effect::Once.may_repeat(Outcome::Unknown, 0));
    /// ```
    pub const fn may_repeat(self, so_far: Outcome, repeats_after_unknown: u32) -> bool {
        match (so_far, self) {
            (Outcome::NotSent | Outcome::Rejected, _) | (Outcome::Unknown, Self::Read | Self::Idempotent) => {
                true
            }
            (Outcome::Unknown, Self::Orphaning) => repeats_after_unknown == 0,
            (Outcome::Unknown, Self::Conditional | Self::Once) => false,
        }
    }
}

/// Whether a request that failed took effect.
///
/// The order is that of doubt: the outcome of several attempts is the greatest of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "it did not leave, it was refused, or nobody knows")]
pub enum Outcome {
    /// No: nothing of it left for the service.
    NotSent,
    /// No: the service refused it, or could not accept it.
    Rejected,
    /// Nobody knows: it left, and no answer says that it was refused.
    Unknown,
}

impl Outcome {
    /// The outcome of the attempts so far and the next one together: [`Unknown`](Self::Unknown) sticks.
    pub const fn merge(self, next: Self) -> Self {
        match (self, next) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Rejected, _) | (_, Self::Rejected) => Self::Rejected,
            (Self::NotSent, Self::NotSent) => Self::NotSent,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSent => "not sent",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
        })
    }
}

#[cfg(test)]
mod tests {
    extern crate alloc;

    use alloc::string::ToString;

    use super::*;

    const OUTCOMES: [Outcome; 3] = [Outcome::NotSent, Outcome::Rejected, Outcome::Unknown];
    const EFFECTS: [Effect; 5] =
        [Effect::Read, Effect::Idempotent, Effect::Conditional, Effect::Orphaning, Effect::Once];

    #[test]
    fn f02_whatever_had_no_effect_may_be_repeated() {
        for effect in EFFECTS {
            assert!(effect.may_repeat(Outcome::NotSent, 9), "{effect:?}");
            assert!(effect.may_repeat(Outcome::Rejected, 9), "{effect:?}");
        }
    }

    #[test]
    fn f16_after_silence_the_effect_decides() {
        for (effect, first, second) in [
            (Effect::Read, true, true),
            (Effect::Idempotent, true, true),
            (Effect::Conditional, false, false),
            (Effect::Orphaning, true, false),
            (Effect::Once, false, false),
        ] {
            assert_eq!(effect.may_repeat(Outcome::Unknown, 0), first, "{effect:?}");
            assert_eq!(effect.may_repeat(Outcome::Unknown, 1), second, "{effect:?}");
        }
    }

    #[test]
    fn unknown_sticks_and_the_order_of_attempts_does_not_matter() {
        for a in OUTCOMES {
            for b in OUTCOMES {
                assert_eq!(a.merge(b), a.max(b));
            }
        }
    }

    #[test]
    fn outcomes_read_as_words() {
        assert_eq!(OUTCOMES.map(|o| o.to_string()), ["not sent", "rejected", "unknown"]);
    }
}
