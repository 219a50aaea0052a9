//! The loop of a transfer: hands out what its machine asks for, and reports what came of it.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::future::{pending, poll_fn};
use core::pin::pin;
use core::sync::atomic::Ordering;
use core::task::Poll;
use core::time::Duration;

use oss_proto::transfer::{DiskDone, FileError, Ticket, TransferError, Work};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::cancel::{Cancel, How};
use super::job::{Job, Landing, LaneError, Next, OnDisk, Passed, may_be_dropped};
use super::progress::Watch;

/// Runs a job to its end. Dropping it stops every lane.
pub(super) async fn run<J: Job>(
    job: &mut J,
    cancel: Option<Cancel>,
    watch: Watch,
) -> Result<J::Output, TransferError> {
    let mut crew = Crew { lanes: JoinSet::new(), flying: BTreeMap::new(), retries: 0, watch };
    let mut disk: Option<OnDisk> = None;
    let mut cancel = cancel;
    let mut tick = Instant::now();
    if let Some(how) = cancel.as_ref().and_then(Cancel::now) {
        // Before anything was begun.
        cancel = None;
        job.cancel(how);
    }
    loop {
        loop {
            match job.poll() {
                Next::Run(ticket, work) => crew.start(job, ticket, work),
                Next::Disk(work) => disk = Some(job.on_disk(work)),
                Next::Busy => break,
                Next::Done(result) => {
                    crew.tell(job);
                    return result;
                }
            }
        }
        job.between().await;
        crew.tell(job);
        let event = next_event(job, cancel.as_ref(), &mut disk, &mut crew, tick).await;
        match event {
            Event::Cancelled(how) => {
                cancel = None;
                crew.stop(job);
                job.cancel(how);
            }
            Event::Disk(done) => {
                disk = None;
                job.disk_done(done);
            }
            Event::Landed(Ok((ticket, landing))) => crew.land(job, ticket, landing),
            // One that was stopped, and reported then.
            Event::Landed(Err(ended)) if ended.is_cancelled() => {}
            Event::Landed(Err(ended)) => std::panic::resume_unwind(ended.into_panic()),
            Event::Part => job.offer_part(),
            Event::Tick => tick = Instant::now() + TICK,
        }
    }
}

#[allow(clippy::large_enum_variant, reason = "moved once, into the loop")]
enum Event {
    Cancelled(How),
    Disk(Result<DiskDone, FileError>),
    Landed(Result<(Ticket, Landing), tokio::task::JoinError>),
    Part,
    Tick,
}

/// The lanes, and who is in them.
struct Crew {
    lanes: JoinSet<(Ticket, Landing)>,
    flying: BTreeMap<Ticket, Flying>,
    retries: u64,
    watch: Watch,
}

struct Flying {
    lane: AbortHandle,
    passed: Passed,
    may_be_dropped: bool,
}

impl Crew {
    fn start<J: Job>(&mut self, job: &mut J, ticket: Ticket, work: Work) {
        let may_be_dropped = may_be_dropped(&work);
        let passed = Passed::default();
        let lane = job.lane(work, Arc::clone(&passed));
        let lane = self.lanes.spawn(async move { (ticket, lane.await) });
        self.flying.insert(ticket, Flying { lane, passed, may_be_dropped });
    }

    fn land<J: Job>(&mut self, job: &mut J, ticket: Ticket, landing: Landing) {
        // One that was stopped at the very moment of its end was reported then.
        if self.flying.remove(&ticket).is_none() {
            return;
        }
        self.retries = self.retries.saturating_add(landing.retries);
        match landing.result {
            Ok(completion) => job.complete(ticket, Ok(completion)),
            Err(LaneError::Call(error)) => job.complete(ticket, Err(error)),
            Err(LaneError::File(error)) => {
                job.file_failed(ticket, error);
                self.stop(job);
            }
        }
    }

    /// Stops the lanes that may be stopped.
    fn stop<J: Job>(&mut self, job: &mut J) {
        self.flying.retain(|ticket, flying| {
            if flying.may_be_dropped {
                flying.lane.abort();
                job.abandon(*ticket);
            }
            !flying.may_be_dropped
        });
    }

    fn tell<J: Job>(&mut self, job: &mut J) {
        if self.watch.is_watched() {
            for (ticket, flying) in &self.flying {
                job.note(*ticket, flying.passed.load(Ordering::Relaxed));
            }
            self.watch.tell(&job.progress(), self.retries);
        }
    }
}

/// The first thing that happens.
async fn next_event<J: Job>(
    job: &mut J,
    cancel: Option<&Cancel>,
    disk: &mut Option<OnDisk>,
    crew: &mut Crew,
    tick: Instant,
) -> Event {
    let wants_part = job.wants_part();
    let mut wanted = pin!(async {
        match cancel {
            Some(cancel) => cancel.wanted().await,
            None => pending().await,
        }
    });
    let mut part = pin!(async { if wants_part { job.get_part_ready().await } else { pending().await } });
    let is_watched = crew.watch.is_watched();
    let mut tick = pin!(async { if is_watched { sleep_until(tick).await } else { pending().await } });
    poll_fn(|cx| {
        if let Poll::Ready(how) = wanted.as_mut().poll(cx) {
            return Poll::Ready(Event::Cancelled(how));
        }
        if let Some(Poll::Ready(done)) = disk.as_mut().map(|disk| disk.as_mut().poll(cx)) {
            return Poll::Ready(Event::Disk(done));
        }
        if let Poll::Ready(Some(landed)) = crew.lanes.poll_join_next(cx) {
            return Poll::Ready(Event::Landed(landed));
        }
        if part.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Event::Part);
        }
        tick.as_mut().poll(cx).map(|()| Event::Tick)
    })
    .await
}

/// How often who watches is told of what moves.
const TICK: Duration = Duration::from_millis(100);
