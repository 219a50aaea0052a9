//! What a program that listens to `tracing` hears of a client; nothing without the feature of that name.
//!
//! A span `oss_call` for each call, in it an event for each attempt (level `debug`), and a warning for each
//! doubtful setting when a client is made, and for a write that was to overwrite nothing in a bucket that
//! keeps versions. None of them holds a key, a header, a query or a secret.

#[cfg(feature = "tracing")]
pub(crate) use heard::{Attempt, call, warn};
#[cfg(not(feature = "tracing"))]
pub(crate) use unheard::{Attempt, call, warn};

#[cfg(feature = "tracing")]
mod heard {
    use oss_proto::{EndpointWarning, Failure, Head, Transmit};
    use tracing::{Instrument as _, Level, debug, enabled, info_span, warn};

    pub(crate) fn warn(warning: &EndpointWarning) {
        warn!(target: TARGET, "{warning}");
    }

    pub(crate) fn call<F: Future>(
        operation: &'static str,
        calling: F,
    ) -> impl Future<Output = F::Output> + use<F> {
        calling.instrument(info_span!(target: TARGET, "oss_call", operation))
    }

    /// An attempt that has begun.
    pub(crate) struct Attempt {
        method: http::Method,
        host: Option<String>,
        overwrites_nothing: bool,
    }

    impl Attempt {
        pub(crate) fn of(transmit: &Transmit) -> Self {
            // Nobody pays for what nobody hears.
            let is_heard = enabled!(target: TARGET, Level::DEBUG);
            let authority = transmit.request.uri().authority().filter(|_| is_heard);
            let host = authority.map(ToString::to_string);
            let (method, headers) = (transmit.request.method().clone(), transmit.request.headers());
            let overwrites_nothing = headers.get("x-oss-forbid-overwrite").is_some_and(|it| it == "true");
            Self { method, host, overwrites_nothing }
        }

        pub(crate) fn ends<B>(&self, answered: &Result<(Head, B), Failure>) {
            let Self { method, host, overwrites_nothing } = self;
            if *overwrites_nothing && answered.as_ref().is_ok_and(|(head, _)| is_version(head)) {
                // OSS document "PutObject".
                warn!(target: TARGET, %method, "`forbid_overwrite` had no effect: the bucket keeps versions");
            }
            let host = host.as_deref().unwrap_or_default();
            match answered {
                Ok((head, _)) => {
                    let request_id = head.reply.request_id().unwrap_or_default();
                    debug!(target: TARGET, %method, host, status = head.reply.status, request_id, "answered");
                }
                Err(failure) => debug!(target: TARGET, %method, host, failure = %failure.kind, "failed"),
            }
        }
    }

    fn is_version(head: &Head) -> bool {
        (200..300).contains(&head.reply.status) && head.reply.header("x-oss-version-id").is_some()
    }

    const TARGET: &str = "oss_hyper";
}

#[cfg(not(feature = "tracing"))]
mod unheard {
    use oss_proto::{EndpointWarning, Failure, Head, Transmit};

    pub(crate) fn warn(_: &EndpointWarning) {}

    pub(crate) fn call<F: Future>(_: &'static str, calling: F) -> F {
        calling
    }

    pub(crate) struct Attempt;

    impl Attempt {
        pub(crate) fn of(_: &Transmit) -> Self {
            Self
        }

        #[expect(clippy::unused_self, reason = "the other one has something to say")]
        pub(crate) fn ends<B>(&self, _: &Result<(Head, B), Failure>) {}
    }
}
