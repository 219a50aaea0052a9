//! [`PresignError`].

use core::{error::Error, fmt, time::Duration};

/// Why a URL was not presigned: the lifetime asked for is one that OSS refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PresignError {
    /// The lifetime is less than one second.
    TooShort {
        /// The lifetime asked for.
        asked: Duration,
    },
    /// The lifetime is more than OSS accepts: 7 days, or 12 hours when the key has a security token.
    TooLong {
        /// The lifetime asked for.
        asked: Duration,
        /// The longest lifetime that this key may ask for.
        limit: Duration,
    },
}

impl fmt::Display for PresignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { asked } => {
                write!(f, "a presigned URL cannot be valid for {asked:?}: ask for at least 1 second")
            }
            Self::TooLong { asked, limit } => {
                let (asked, limit) = (asked.as_secs_f64(), limit.as_secs());
                write!(f, "a presigned URL cannot be valid for {asked} seconds: ask for at most {limit}")?;
                write!(f, " ({} hours)", limit / 3_600)
            }
        }
    }
}

impl Error for PresignError {}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn b31_the_message_names_the_value_and_the_fix() {
        let table = [
            (
                PresignError::TooShort { asked: Duration::from_millis(999) },
                "a presigned URL cannot be valid for 999ms: ask for at least 1 second",
            ),
            (
                PresignError::TooLong {
                    asked: Duration::from_secs(604_801),
                    limit: Duration::from_secs(604_800),
                },
                "a presigned URL cannot be valid for 604801 seconds: ask for at most 604800 (168 hours)",
            ),
            (
                PresignError::TooLong {
                    asked: Duration::from_millis(43_200_500),
                    limit: Duration::from_secs(43_200),
                },
                "a presigned URL cannot be valid for 43200.5 seconds: ask for at most 43200 (12 hours)",
            ),
        ];
        for (error, text) in table {
            assert_eq!(error.to_string(), text);
        }
    }
}
